"""The report of a run: one HTML page, a model card, and figures."""
