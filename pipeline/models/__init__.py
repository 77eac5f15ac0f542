"""The models: a registry of rows, and one module for each family."""
