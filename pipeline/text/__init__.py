"""Cleaning and tokenizing of columns of texts."""
