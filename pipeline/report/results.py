"""The section on results: metrics, mistakes, copies of training texts, and unlabelled rows."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.report import figures_results
from pipeline.report.data import sample, truncate
from pipeline.report.sources import Run

_MOST_WRONG, _COPIES, _UNLABELLED, _CONFUSED = 20, 8, 10, 10  # rows on the page
FEW_CLASSES = 12  # a confusion matrix of more classes is hard to read


def section(run: Run, folder: Path) -> dict[str, Any]:
    """Return the content of the section, and draw its figures into a folder."""
    figures_results.draw_results(run, folder)
    return {
        "confused": confused(run.metrics["test"]["confusion_matrix"], run.class_names),
        "classes": _weakest_first(run),
        "most_wrong": _most_wrong(run),
        "leaks": _copies(run),
        "predictions": _unlabelled(run),
    }


def confused(matrix: Sequence[Sequence[int]], names: Sequence[str]) -> list[dict[str, Any]]:
    """List the pairs of classes that are most often confused, the most frequent first.

    Parameters
    ----------
    matrix : sequence of sequence of int, shape (n_classes, n_classes)
        Counts by true class (rows) and predicted class (columns).
    names : sequence of str
        Names of the classes.

    Returns
    -------
    list of dict
        ``true`` and ``predicted`` (names), ``at`` (their positions), ``rows``, and ``share`` of the
        rows of the true class.

    Examples
    --------
    >>> [row] = confused([[8, 2], [0, 5]], ["bad", "good"])
    >>> row["true"], row["predicted"], row["rows"], row["share"]
    ('bad', 'good', 2, 0.2)
    """
    counts = np.asarray(matrix)
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSED]
    pairs = [tuple(map(int, np.unravel_index(at, wrong.shape))) for at in order]
    return [
        {
            "true": names[true],
            "predicted": names[predicted],
            "at": [true, predicted],
            "rows": int(wrong[true, predicted]),
            "share": float(wrong[true, predicted] / counts[true].sum()),
        }
        for true, predicted in pairs
        if wrong[true, predicted]
    ]


def _weakest_first(run: Run) -> list[str]:
    """Return the classes: one that the user chose first, then many by their F1, few in order."""
    by_class, chosen = run.metrics["test"]["by_class"], run.metrics["positive_label"]
    is_first = {name: run.positive_named and name == chosen for name in run.class_names}
    if len(run.class_names) <= FEW_CLASSES:
        return sorted(run.class_names, key=lambda name: not is_first[name])
    return sorted(
        run.class_names, key=lambda name: (not is_first[name], by_class[name]["f1"] or 0.0)
    )


def _most_wrong(run: Run) -> list[dict[str, Any]]:
    """Return the mistakes with the highest probability, each with the position of its row.

    The most probable mistake of each true class comes first, then the second of each.
    """
    rows = run.read_table("Evaluate", "most_wrong.parquet").to_pylist()
    ranks: Counter[str] = Counter()
    for row in sorted(rows, key=lambda row: -row["certainty"]):
        row["rank"] = ranks[row["label"]]
        ranks[row["label"]] += 1
    rows = sorted(rows, key=lambda row: (row["rank"], -row["certainty"]))[:_MOST_WRONG]
    positions = _positions(run, [row["id"] for row in rows])
    return [
        {**row, "raw": truncate(row["raw"]), **position}
        for row, position in zip(rows, positions, strict=True)
    ]


def _positions(run: Run, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return ``source_id`` (the dataset's own id or None), ``file`` and ``line`` of rows by id."""
    table = run.read_table("CleanText", "rows.parquet", ["id", "source_id", "file", "line"])
    rows = pc.index_in(pa.array(ids, table["id"].type), value_set=table["id"])
    positions: list[dict[str, Any]] = (
        table.select(["source_id", "file", "line"]).take(rows).to_pylist()
    )
    return positions


def _copies(run: Run) -> list[dict[str, Any]]:
    """Return examples of test texts that are copies of training texts, near copies first."""
    rows = run.read_table("Evaluate", "leaks.parquet").to_pylist()
    half, exact = _COPIES // 2, [row for row in rows if row["kind"] == "exact"]
    near = [row for row in rows if row["kind"] != "exact"]
    return [
        {**row, "clean": truncate(row["clean"]), "training_clean": truncate(row["training_clean"])}
        for row in [*near[:half], *exact[:half]]
    ]


def _unlabelled(run: Run) -> dict[str, Any] | None:
    """Count the predicted classes of rows without a label, and return some of these rows."""
    name = "predictions.parquet"
    parts = run.read_table("Evaluate", name, ["part"])["part"]
    unlabelled = np.flatnonzero(np.asarray(pc.equal(parts, "unlabelled")))
    if not len(unlabelled):
        return None
    table = run.read_table("Evaluate", name)
    predicted = table["decided"].take(pa.array(unlabelled))
    counts = {row["values"]: row["counts"] for row in predicted.value_counts().to_pylist()}
    drawn = pa.array(sample(unlabelled, _UNLABELLED, np.random.default_rng(0)))
    return {
        "rows": len(unlabelled),
        "counts": [(name, counts.get(name, 0)) for name in run.class_names],
        "sample": [
            {
                "raw": truncate(row["text"]),
                "decided": row["decided"],
                "probability": row[f"calibrated_{row['decided']}"],
            }
            for row in table.take(drawn).to_pylist()
        ],
    }
