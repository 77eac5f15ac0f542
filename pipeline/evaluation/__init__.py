"""Evaluation: what predictions are worth, and how far that can be trusted."""
