"""Compare the predictions of two runs: paired metrics, and rows with another predicted class."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import DamagedArtifactError
from pipeline.evaluation.groups import group_column
from pipeline.evaluation.metrics import replicate
from pipeline.evaluation.paired import differences
from pipeline.evaluation.scorer import Scorer
from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import HEADLINES, figure, interval
from pipeline.store.seeds import compare_with_seeds

_SAMPLES = 1000  # bootstrap samples
_EXAMPLES = 20  # rows
_ALSO_TRAINED = "validation, also trained on"


class _Predictions:
    """Id, part, label, predicted class and probabilities of every row of a run, ordered by id."""

    def __init__(self, evaluated: Artifact) -> None:
        self.class_names = _metrics_of(evaluated, "class_names")
        probabilities = [f"p_{name}" for name in self.class_names]
        texts = ["part", "label", "decided"]
        path = evaluated.place / "predictions.parquet"
        table = _read_table(path, ["id", *texts, *probabilities]).sort_by("id")
        self.id = table["id"].to_numpy()
        self.part, self.label, self.decided = (
            np.array(table[name].to_pylist(), object) for name in texts
        )
        self.probabilities = np.stack([table[name].to_numpy() for name in probabilities], axis=1)


def compare_evaluated(
    store: Store, evaluated: Sequence[Artifact], seed: int, is_same_data: bool
) -> dict[str, Any]:
    """Compare the metrics and the predictions of two evaluated runs.

    Parameters
    ----------
    store : Store
    evaluated : sequence of Artifact, length 2
        Artifacts of Evaluate, of a and of b.
    seed : int
        Seed of the bootstrap.
    is_same_data : bool
        Whether an id means the same row in both.

    Returns
    -------
    dict
        ``metrics``, ``test_rows``, ``seeds`` and ``predictions``, see
        `pipeline.cli.diff.difference`.

    Raises
    ------
    DamagedArtifactError
        If a table or the metrics cannot be read.
    """
    predictions = [_Predictions(item) for item in evaluated]
    result = _compare_metrics(store, evaluated, predictions, seed, is_same_data)
    by_name = {row["metric"]: row["difference"] for row in result["metrics"]}
    result["seeds"] = compare_with_seeds(store, evaluated[0], evaluated[1], by_name)
    result["predictions"] = _compare_rows(store, evaluated, predictions) if is_same_data else None
    return result


def _compare_metrics(
    store: Store,
    evaluated: Sequence[Artifact],
    predictions: Sequence[_Predictions],
    seed: int,
    is_same_data: bool,
) -> dict[str, Any]:
    """Compare the headline metrics of test rows, and test the differences on shared rows."""
    scores = [_metrics_of(item, "test") for item in evaluated]
    test_rows = [np.flatnonzero(table.part == "test") for table in predictions]
    shared = _shared_rows(predictions, test_rows) if is_same_data else None
    paired = _paired_differences(store, evaluated[0], predictions, shared, seed) if shared else {}
    n_shared = len(shared[0]) if shared else 0
    rows = []
    for name, path in HEADLINES.items():
        a, b = (figure(score, path) for score in scores)
        test = paired.get(name, {})
        difference = None if a is None or b is None else b - a
        if test and n_shared < max(map(len, test_rows)):
            difference = test["value"]  # on the shared rows only
        rows.append(
            {
                "metric": name,
                "a": a,
                "b": b,
                "a_interval": interval(scores[0], path),
                "b_interval": interval(scores[1], path),
                "difference": difference,
                "difference_interval": test.get("interval"),
                "p_value": test.get("p_value"),
            }
        )
    counts = {"a": len(test_rows[0]), "b": len(test_rows[1]), "in_common": n_shared}
    return {"metrics": rows, "test_rows": counts}


def _compare_rows(
    store: Store, evaluated: Sequence[Artifact], predictions: Sequence[_Predictions]
) -> dict[str, Any]:
    """Count and show the rows of the same part whose predicted class differs, test rows first.

    A row with different parts may have trained one of the models; such rows are counted apart.
    """
    old, new = predictions
    _, old_at, new_at = np.intersect1d(old.id, new.id, return_indices=True)
    old_parts, new_parts = _parts_with_training(store, evaluated, predictions)
    old_part, new_part = old_parts[old_at], new_parts[new_at]
    differs = old.decided[old_at] != new.decided[new_at]
    is_same = old_part == new_part
    old_at, new_at = old_at[is_same & differs], new_at[is_same & differs]
    labels, parts = new.label[new_at], new_parts[new_at]
    before, after = old.decided[old_at], new.decided[new_at]
    was_right, is_right = before == old.label[old_at], after == labels
    texts = _raw_texts(store, evaluated[1])
    return {
        "rows": int(is_same.sum()),
        "changed": len(new_at),
        "by_part": {
            str(part): {
                "changed": int((parts == part).sum()),
                "better": int(((parts == part) & is_right).sum()),
                "worse": int(((parts == part) & was_right).sum()),
            }
            for part in sorted(set(parts))
        },
        "other_part": _count_by_parts(old_part[~is_same], new_part[~is_same], differs[~is_same]),
        "examples": [
            {
                "id": int(new.id[new_at[at]]),
                "part": parts[at],
                "label": labels[at],
                "a": before[at],
                "b": after[at],
                "text": texts.get(int(new.id[new_at[at]]), ""),
            }
            for at in np.argsort(parts != "test", kind="stable")[:_EXAMPLES]
        ],
    }


def _metrics_of(evaluated: Artifact, key: str) -> Any:
    """Read one key of ``metrics.json``."""
    try:
        return evaluated.summary("metrics.json")[key]
    except KeyError as error:
        raise _damaged(evaluated.place / "metrics.json", f"it has no key {error}") from error


def _read_table(path: Path, columns: Sequence[str]) -> Any:
    """Read columns of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, columns=list(columns)).select(columns)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, problem: str) -> DamagedArtifactError:
    """Return the error of a file that cannot be read."""
    problem = problem.splitlines()[0] if path.exists() and problem else "it does not exist"
    return DamagedArtifactError(
        f"cannot read {path}: {problem}; `pipeline verify --repair {path.parent}` moves its folder "
        "aside and the next run builds it again."
    )


def _shared_rows(
    predictions: Sequence[_Predictions], test_rows: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return where the shared test rows are in a and in b; None for other classes or no rows."""
    old, new = predictions
    if list(old.class_names) != list(new.class_names):
        return None
    ids = [table.id[rows] for table, rows in zip(predictions, test_rows, strict=True)]
    _, old_at, new_at = np.intersect1d(*ids, return_indices=True)
    old_at, new_at = test_rows[0][old_at], test_rows[1][new_at]
    is_same = old.label[old_at] == new.label[new_at]
    return (old_at[is_same], new_at[is_same]) if is_same.any() else None


def _paired_differences(
    store: Store,
    evaluated: Artifact,
    predictions: Sequence[_Predictions],
    rows: Sequence[np.ndarray],
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Compare two runs on the same test rows: b minus a, with interval and p-value."""
    groups = _duplicate_groups(store, evaluated, predictions[0].id[rows[0]])
    index = {name: at for at, name in enumerate(predictions[0].class_names)}
    old, new = (
        Scorer(
            np.array([index[name] for name in table.label[at]]),
            table.probabilities[at],
            np.array([index[name] for name in table.decided[at]]),
            groups,
        )
        for table, at in zip(predictions, rows, strict=True)
    )
    new_samples, old_samples = (replicate(scorer, _SAMPLES, seed) for scorer in (new, old))
    return differences(new, old, new_samples, old_samples, HEADLINES)


def _duplicate_groups(store: Store, evaluated: Artifact, ids: np.ndarray) -> np.ndarray | None:
    """Return the duplicate group of each id; None where the cleaned rows are gone."""
    path = _cleaned_rows(store, evaluated)
    if path is None:
        return None
    column = group_column(path)
    table = _read_table(path, ["id", column])
    all_ids = table["id"].to_numpy()
    order = np.argsort(all_ids, kind="stable")
    at = order[np.minimum(np.searchsorted(all_ids, ids, sorter=order), len(all_ids) - 1)]
    return table[column].to_numpy()[at] if np.array_equal(all_ids[at], ids) else None


def _raw_texts(store: Store, evaluated: Artifact) -> dict[int, str]:
    """Read the raw texts by id; empty where the cleaned rows are gone."""
    path = _cleaned_rows(store, evaluated)
    if path is None:
        return {}
    table = _read_table(path, ["id", "raw"])
    return dict(zip(table["id"].to_pylist(), table["raw"].to_pylist(), strict=True))


def _cleaned_rows(store: Store, evaluated: Artifact) -> Path | None:
    """Return the path of the cleaned rows of a run, None where they are gone."""
    cleaned = store.of(evaluated, "CleanText")
    path = cleaned.place / "rows.parquet" if cleaned else None
    return path if path is not None and path.is_file() else None


def _parts_with_training(
    store: Store, evaluated: Sequence[Artifact], predictions: Sequence[_Predictions]
) -> list[np.ndarray]:
    """Return the part of each row; where only one model trained on validation rows, mark them."""
    trained = [store.of(item, "TrainModel") for item in evaluated]
    is_refitted = [
        item is not None and "refitted_on_validation" in item.summary("training.json")
        for item in trained
    ]
    if is_refitted[0] == is_refitted[1]:
        return [table.part for table in predictions]
    return [
        np.where(marks & (table.part == "validation"), _ALSO_TRAINED, table.part)
        for table, marks in zip(predictions, is_refitted, strict=True)
    ]


def _count_by_parts(
    old_part: np.ndarray, new_part: np.ndarray, differs: np.ndarray
) -> list[dict[str, Any]]:
    """Count rows, and those with another predicted class, by their parts in a and in b."""
    counts = []
    for a, b in sorted(set(zip(old_part, new_part, strict=True))):
        is_pair = (old_part == a) & (new_part == b)
        changed = int((is_pair & differs).sum())
        counts.append({"a": a, "b": b, "rows": int(is_pair.sum()), "changed": changed})
    return counts
