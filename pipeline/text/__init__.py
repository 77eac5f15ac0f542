"""Cleaning and tokenizing, as operations on whole columns."""
