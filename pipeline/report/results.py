"""The section on results: metrics, mistakes, copies of training texts, and unlabelled rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.report import figures_results
from pipeline.report.data import sample, truncate
from pipeline.report.sources import Run

_MOST_WRONG, _COPIES, _UNLABELLED = 8, 8, 10  # rows on the page


def section(run: Run, folder: Path) -> dict[str, Any]:
    """Return the content of the section, and draw its figures into a folder."""
    figures_results.draw_results(run, folder)
    return {
        "most_wrong": _most_wrong(run),
        "leaks": _copies(run),
        "predictions": _unlabelled(run),
    }


def _most_wrong(run: Run) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the mistakes with the highest probability, by true class."""
    rows = run.read_table("Evaluate", "most_wrong.parquet").to_pylist()
    by_class = []
    for name in run.class_names:
        mistakes = [row for row in rows if row["label"] == name][:_MOST_WRONG]
        if mistakes:
            by_class.append((name, [{**row, "raw": truncate(row["raw"])} for row in mistakes]))
    return by_class


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
