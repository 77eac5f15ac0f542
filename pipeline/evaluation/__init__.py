"""Evaluation: metrics, figures and the report."""
