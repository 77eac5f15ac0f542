"""The report: what a run found, as one page, a model card and figures."""
