"""Labelled texts: the catalogue of datasets, their raw files, and the split."""
