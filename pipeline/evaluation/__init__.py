"""Evaluation: metrics of predictions, their uncertainty, and comparisons with other models.

These arguments mean the same in all modules: ``labels`` and ``predicted``, the true and the
predicted class of each row (ndarray of int, shape (n_rows,)); ``probabilities`` (ndarray of
float64, shape (n_rows, n_classes)); ``groups``, the duplicate group of each row (ndarray of int,
shape (n_rows,)), which bootstrap and tests treat as one observation; without it, each row is a
separate group; ``samples`` and ``seed`` of the bootstrap.
"""
