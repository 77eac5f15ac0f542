"""Compare the predictions of two runs: paired metrics, and rows with another predicted class."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import DamagedArtifactError
from pipeline.evaluation.groups import group_column
from pipeline.evaluation.metrics import replicate
from pipeline.evaluation.paired import differences
from pipeline.evaluation.scorer import Scorer
from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import HEADLINES, interval, metric_at
from pipeline.store.seeds import compare_with_seeds

_SAMPLES, _SEED = 1000, 0  # bootstrap samples
_EXAMPLES = 20  # rows
_Columns = Mapping[str, np.ndarray]


def compare_evaluated(
    store: Store, evaluated: Sequence[Artifact], is_same_data: bool
) -> dict[str, Any]:
    """Compare two Evaluate artifacts; ``is_same_data``: the same id is the same row in both.

    The result has ``metrics`` of test rows (95 % bootstrap intervals, paired difference with
    interval and p-value), ``test_rows`` (numbers), ``seeds`` (see `compare_with_seeds`) and
    ``predictions`` (see `_compare_rows`; None if the raw files differ).
    """
    class_names = [_metrics_of(item, "class_names") for item in evaluated]
    old, new = map(_read_predictions, evaluated, class_names)
    counts = {
        side: int((columns["part"] == "test").sum()) for side, columns in (("a", old), ("b", new))
    }
    n_shared = 0
    paired: Mapping[str, Mapping[str, Any]] = {}
    if is_same_data:
        _, old_at, new_at = np.intersect1d(old["id"], new["id"], return_indices=True)
        old, new = _take(old, old_at), _take(new, new_at)
        is_shared = (old["part"] == "test") & (new["part"] == "test")
        is_shared &= old["label"] == new["label"]
        if class_names[0] == class_names[1] and is_shared.any():
            n_shared = int(is_shared.sum())
            groups = _cleaned_column(store, evaluated[0], None, old["id"][is_shared])
            sides = (_take(old, is_shared), _take(new, is_shared))
            paired = _paired_differences(*sides, groups, class_names[0])
    scores = [_metrics_of(item, "test") for item in evaluated]
    rows = _metric_rows(scores, paired, is_partial=0 < n_shared < max(counts.values()))
    by_name = {row["metric"]: row["difference"] for row in rows}
    return {
        "metrics": rows,
        "test_rows": {**counts, "in_common": n_shared},
        "seeds": compare_with_seeds(store, evaluated[0], evaluated[1], by_name),
        "predictions": _compare_rows(store, evaluated, old, new) if is_same_data else None,
    }


def _read_predictions(evaluated: Artifact, class_names: Sequence[str]) -> _Columns:
    """Read id, part, label, predicted class and probabilities of every row, ordered by id."""
    texts = ("part", "label", "decided")
    probabilities = [f"p_{name}" for name in class_names]
    path = evaluated.path / "predictions.parquet"
    table = _read_table(path, ["id", *texts, *probabilities])
    columns = {
        "id": table["id"].to_numpy(),
        **{name: np.array(table[name].to_pylist(), object) for name in texts},
        "probabilities": np.stack([table[name].to_numpy() for name in probabilities], axis=1),
    }
    return _take(columns, np.argsort(columns["id"], kind="stable"))


def _take(columns: _Columns, rows: np.ndarray) -> _Columns:
    """Select rows by index or by mask."""
    return {name: values[rows] for name, values in columns.items()}


def _metrics_of(evaluated: Artifact, key: str) -> Any:
    """Read one key of ``metrics.json``."""
    try:
        return evaluated.summary("metrics.json")[key]
    except KeyError as error:
        raise _damaged(evaluated.path / "metrics.json", f"it has no key {error}") from error


def _read_table(path: Path, columns: Sequence[str]) -> pa.Table:
    """Read columns of a Parquet file."""
    try:
        return pq.read_table(path, columns=list(columns)).select(columns)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, problem: str) -> DamagedArtifactError:
    """Return the error of a file that cannot be read."""
    problem = problem.splitlines()[0] if path.exists() and problem else "it does not exist"
    return DamagedArtifactError(
        f"cannot read {path}: {problem}; `pipeline verify --repair {path.parent}` moves its folder "
        "aside and the next run rebuilds it."
    )


def _cleaned_column(
    store: Store, evaluated: Artifact, name: str | None, ids: np.ndarray
) -> np.ndarray | None:
    """Return a column of cleaned rows by id (no name: duplicate groups), None if it is missing."""
    cleaned = store.of(evaluated, "CleanText")
    path = cleaned.path / "rows.parquet" if cleaned else None
    if path is None or not path.is_file():
        return None
    name = name or group_column(path)
    table = _read_table(path, ["id", name])
    rows = pc.index_in(pa.array(ids), value_set=table["id"])
    return None if rows.null_count else table[name].take(rows).to_numpy()


def _paired_differences(
    old: _Columns,
    new: _Columns,
    groups: np.ndarray | None,
    class_names: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """Compare two runs on the same rows: b minus a, with interval and p-value."""
    index = {name: at for at, name in enumerate(class_names)}
    before, after = (
        Scorer(
            np.array([index[name] for name in rows["label"]]),
            rows["probabilities"],
            np.array([index[name] for name in rows["decided"]]),
            groups,
        )
        for rows in (old, new)
    )
    samples, other_samples = (replicate(scorer, _SAMPLES, _SEED) for scorer in (after, before))
    return differences(after, before, samples, other_samples, HEADLINES)


def _metric_rows(
    scores: Sequence[Any], paired: Mapping[str, Mapping[str, Any]], is_partial: bool
) -> list[dict[str, Any]]:
    """Return the headline metrics of test rows; a partial difference is on shared rows only."""
    rows = []
    for name, path in HEADLINES.items():
        a, b = (metric_at(score, path) for score in scores)
        test = paired.get(name, {})
        difference = None if a is None or b is None else b - a
        rows.append(
            {
                "metric": name,
                "a": a,
                "b": b,
                "a_interval": interval(scores[0], path),
                "b_interval": interval(scores[1], path),
                "difference": test["value"] if is_partial and test else difference,
                "difference_interval": test.get("interval"),
                "p_value": test.get("p_value"),
            }
        )
    return rows


def _compare_rows(
    store: Store, evaluated: Sequence[Artifact], old: _Columns, new: _Columns
) -> dict[str, Any]:
    """Count and show the rows of the same part whose predicted class differs, test rows first.

    A row with different parts may have trained one of the models; such rows are counted apart.
    """
    old_part, new_part = _parts_with_training(store, evaluated, old["part"], new["part"])
    is_same, differs = old_part == new_part, old["decided"] != new["decided"]
    other = Counter(zip(old_part[~is_same], new_part[~is_same], strict=True))
    is_other = ~is_same & differs
    other_changed = Counter(zip(old_part[is_other], new_part[is_other], strict=True))
    changed = is_same & differs
    by_part, better, worse = (
        Counter(new_part[rows])
        for rows in (
            changed,
            changed & (new["decided"] == new["label"]),
            changed & (old["decided"] == old["label"]),
        )
    )
    rows = np.flatnonzero(changed)
    rows = rows[np.argsort(new_part[rows] != "test", kind="stable")][:_EXAMPLES]
    texts = _cleaned_column(store, evaluated[1], "raw", new["id"][rows])
    return {
        "rows": int(is_same.sum()),
        "changed": int(changed.sum()),
        "by_part": {
            part: {"changed": count, "better": better[part], "worse": worse[part]}
            for part, count in sorted(by_part.items())
        },
        "other_part": [
            {"a": a, "b": b, "rows": count, "changed": other_changed[a, b]}
            for (a, b), count in sorted(other.items())
        ],
        "examples": [
            {
                "id": int(new["id"][row]),
                "part": new_part[row],
                "label": new["label"][row],
                "a": old["decided"][row],
                "b": new["decided"][row],
                "text": "" if texts is None else texts[at],
            }
            for at, row in enumerate(rows)
        ],
    }


def _parts_with_training(
    store: Store, evaluated: Sequence[Artifact], *parts: np.ndarray
) -> Sequence[np.ndarray]:
    """Return the part of each row; where only one model trained on validation rows, mark them."""
    trained = [store.of(item, "TrainModel") for item in evaluated]
    is_refitted = [
        item is not None and "refitted_on_validation" in item.summary("training.json")
        for item in trained
    ]
    if is_refitted[0] == is_refitted[1]:
        return parts
    return [
        np.where(marks & (part == "validation"), "validation, also trained on", part)
        for part, marks in zip(parts, is_refitted, strict=True)
    ]
