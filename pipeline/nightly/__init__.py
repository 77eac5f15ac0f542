"""Nightly retraining: the rules of a night, and the registry of champions."""
