"""The models: specs (one row per model), presets, and one module per family of classifiers."""
