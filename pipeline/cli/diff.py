"""How two artifacts or runs differ: settings, code, metrics, and predictions row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import PipelineError
from pipeline.settings.compare import changes
from pipeline.store.code_hash import changed_parts
from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import HEADLINES, figure, interval, run_row
from pipeline.store.seeds import compare_with_seeds

_SAMPLES = 1000  # bootstrap samples
_SHOWN = 20
_LEARNED = "validation, also trained on"


@dataclass(frozen=True)
class _Predictions:
    """The table of predictions of a run, by id.

    ``columns`` holds id, part, label and decided class; ``probabilities`` has one column for each
    of ``class_names``.
    """

    columns: Mapping[str, np.ndarray]
    probabilities: np.ndarray
    class_names: Sequence[str]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]


def difference(store: Store, a: Artifact, b: Artifact, seed: int = 0) -> dict[str, Any]:
    """Compare two artifacts, step by step above them.

    Parameters
    ----------
    store : Store
    a, b : Artifact
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        ``a`` and ``b`` (places), ``settings`` (changes with their task), ``raw_files``, ``code``
        and ``libraries`` that differ, and, where both were evaluated, ``metrics`` (those of the
        decided classes and probabilities of test rows, with 95 % bootstrap intervals; the paired
        difference with interval and p-value), ``test_rows`` (of a, of b, in common), ``seeds``
        (the spread of runs that differ only by seed, see
        `pipeline.store.seeds.compare_with_seeds`) and ``predictions`` (None where the raw
        files differ): among the ``rows`` that have the same part in both, those whose decided
        class changed, in all and ``by_part``; ``other_part`` counts the rows whose part differs,
        which may have trained one of the models, by their parts in ``a`` and ``b``.

    Raises
    ------
    PipelineError
        If a table or the metrics cannot be read.
    """
    above = [{item.task: item for item in store.chain(side)} for side in (a, b)]
    shared = [task for task in reversed(above[0]) if task in above[1]]
    pairs = [(task, above[0][task].manifest, above[1][task].manifest) for task in shared]
    result: dict[str, Any] = {
        "a": _side(store, a),
        "b": _side(store, b),
        "settings": [
            {"task": task, **change}
            for task, old, new in pairs
            for change in changes(old["settings"], new["settings"])
        ],
        "raw_files": [
            {"task": task, **change}
            for task, old, new in pairs
            for change in changes(old["outside"], new["outside"])
        ],
        "code": {
            task: parts
            for task, old, new in pairs
            if (parts := changed_parts(_parts(old), _parts(new)))
        },
        "libraries": changes(a.manifest.get("libraries", {}), b.manifest.get("libraries", {})),
        "only_in_a": sorted(above[0].keys() - above[1].keys()),
        "only_in_b": sorted(above[1].keys() - above[0].keys()),
    }
    if "Evaluate" in shared:
        old, new = above[0]["Evaluate"], above[1]["Evaluate"]
        tables = (_predictions(old), _predictions(new))
        is_same_data = not result["raw_files"] and a.place.parts[-3] == b.place.parts[-3]
        result |= _metrics(store, old, new, *tables, seed, is_same_data)
        by_name = {row["metric"]: row["difference"] for row in result["metrics"]}
        result["seeds"] = compare_with_seeds(store, old, new, by_name)
        # Ids number the records of the raw files: of other files they say nothing.
        result["predictions"] = _changed_rows(store, old, new, *tables) if is_same_data else None
    return result


def _side(store: Store, artifact: Artifact) -> dict[str, Any]:
    """Name one of the two."""
    row = run_row(store, artifact) if artifact.task == "Report" else {}
    return {"task": artifact.task, "place": store.short(artifact.place), **row}


def _parts(manifest: Mapping[str, Any]) -> Mapping[str, str]:
    return manifest.get("code", {}).get("parts", {})


def _predictions(evaluated: Artifact) -> _Predictions:
    """Read id, part, label, decided class and probabilities of every row, by id."""
    columns = ["id", "part", "label", "decided"]
    names = evaluated.summary("metrics.json").get("class_names")
    if not isinstance(names, list):
        raise _unreadable(evaluated.place / "metrics.json", "it holds no class names")
    of_classes = [f"p_{name}" for name in names]
    table = _table(evaluated.place / "predictions.parquet", [*columns, *of_classes])
    read = {
        name: table[name].to_numpy() if name == "id" else np.array(table[name].to_pylist(), object)
        for name in columns
    }
    order = np.argsort(read["id"], kind="stable")
    return _Predictions(
        {name: values[order] for name, values in read.items()},
        np.stack([table[name].to_numpy() for name in of_classes], axis=1)[order],
        names,
    )


def _table(path: Path, columns: Sequence[str]) -> Any:
    """Read columns of a table; raise, with what to do, where it is not what was written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, columns=list(columns)).select(columns)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise _unreadable(path, str(error)) from error


def _scores(evaluated: Artifact) -> Mapping[str, Any]:
    """Read the metrics of test rows."""
    scores = evaluated.summary("metrics.json").get("test")
    if not isinstance(scores, Mapping):
        raise _unreadable(evaluated.place / "metrics.json", "it holds no metrics of test rows")
    return scores


def _unreadable(path: Path, why: str) -> PipelineError:
    """Say which file cannot be compared and what to do."""
    problem = why.splitlines()[0] if path.exists() and why else "it is not there"
    return PipelineError(
        f"cannot read {path}: {problem}; `pipeline verify --repair {path.parent}` moves its folder "
        "aside and the next run builds it again."
    )


def _metrics(
    store: Store,
    old: Artifact,
    new: Artifact,
    before: _Predictions,
    now: _Predictions,
    seed: int,
    is_same_data: bool,
) -> dict[str, Any]:
    """Compare the headline metrics, and test the differences on the test rows of both."""
    scores = [_scores(item) for item in (old, new)]
    tests = [np.flatnonzero(table["part"] == "test") for table in (before, now)]
    shared = _shared(before, now, *tests) if is_same_data else None
    paired = _paired(store, old, before, now, *shared, seed) if shared else {}
    common = len(shared[0]) if shared else 0
    rows = []
    for name, path in HEADLINES.items():
        a, b = (figure(score, path) for score in scores)
        row: dict[str, Any] = {"metric": name, "a": a, "b": b}
        for side, score in zip("ab", scores, strict=True):
            row[f"{side}_interval"] = interval(score, path)
        found = paired.get(name, {})
        row["difference"] = None if a is None or b is None else b - a
        if found and common < max(map(len, tests)):
            row["difference"] = found["value"]  # of the rows that both have
        row["difference_interval"] = found.get("interval")
        row["p_value"] = found.get("p_value")
        rows.append(row)
    return {
        "metrics": rows,
        "test_rows": {"a": len(tests[0]), "b": len(tests[1]), "in_common": common},
    }


def _shared(
    before: _Predictions, now: _Predictions, old_test: np.ndarray, new_test: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return where the test rows of both runs are, None without any or with other classes."""
    if list(before.class_names) != list(now.class_names):
        return None
    _, old_at, new_at = np.intersect1d(
        before["id"][old_test], now["id"][new_test], return_indices=True
    )
    old_at, new_at = old_test[old_at], new_test[new_at]
    same = before["label"][old_at] == now["label"][new_at]
    return (old_at[same], new_at[same]) if same.any() else None


def _paired(
    store: Store,
    old: Artifact,
    before: _Predictions,
    now: _Predictions,
    old_at: np.ndarray,
    new_at: np.ndarray,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Compare two runs on the same test rows: b minus a, with interval and p-value."""
    from pipeline.evaluation.metrics import replicate
    from pipeline.evaluation.paired import differences
    from pipeline.evaluation.scorer import Scorer

    groups = _groups(store, old, before["id"][old_at])
    index = {name: at for at, name in enumerate(before.class_names)}
    scorers = [
        Scorer(
            np.array([index[name] for name in table["label"][rows]]),
            table.probabilities[rows],
            np.array([index[name] for name in table["decided"][rows]]),
            groups,
        )
        for table, rows in ((now, new_at), (before, old_at))
    ]
    first, second = (replicate(scorer, _SAMPLES, seed) for scorer in scorers)
    return differences(scorers[0], scorers[1], first, second, HEADLINES)


def _groups(store: Store, evaluated: Artifact, ids: np.ndarray) -> np.ndarray | None:
    """Return the duplicate group of each id, None where the cleaned rows are gone."""
    from pipeline.evaluation.groups import group_column

    cleaned = store.of(evaluated, "CleanText")
    path = cleaned.place / "rows.parquet" if cleaned else None
    if path is None or not path.is_file():
        return None
    column = group_column(path)
    table = _table(path, ["id", column])
    known = table["id"].to_numpy()
    order = np.argsort(known, kind="stable")
    at = order[np.minimum(np.searchsorted(known, ids, sorter=order), len(known) - 1)]
    return table[column].to_numpy()[at] if np.array_equal(known[at], ids) else None


def _changed_rows(
    store: Store, old: Artifact, new: Artifact, before: _Predictions, now: _Predictions
) -> dict[str, Any]:
    """Count and show the rows of the same part whose decided class differs, test rows first.

    A row in different parts may have trained one of the models: such rows are counted separately.
    """
    _, old_at, new_at = np.intersect1d(before["id"], now["id"], return_indices=True)
    parts_before, parts = _learned_parts(store, (old, new), (before, now))
    pairs = (parts_before[old_at], parts[new_at])
    differs = before["decided"][old_at] != now["decided"][new_at]
    same_part = pairs[0] == pairs[1]
    moved = _counted_by_pair(pairs[0][~same_part], pairs[1][~same_part], differs[~same_part])
    old_at, new_at = old_at[same_part], new_at[same_part]
    is_changed = differs[same_part]
    changed, was_at = new_at[is_changed], old_at[is_changed]
    was, is_now, labels = before["decided"][was_at], now["decided"][changed], now["label"][changed]
    parts, was_right = parts[changed], was == before["label"][was_at]
    texts = _texts(store, new)
    order = np.argsort(parts != "test", kind="stable")[:_SHOWN]
    return {
        "rows": len(old_at),
        "changed": len(changed),
        "by_part": {
            str(part): {
                "changed": int((parts == part).sum()),
                "better": int(((parts == part) & (is_now == labels)).sum()),
                "worse": int(((parts == part) & was_right).sum()),
            }
            for part in sorted(set(parts))
        },
        "other_part": moved,
        "examples": [
            {
                "id": int(now["id"][changed[at]]),
                "part": parts[at],
                "label": labels[at],
                "a": was[at],
                "b": is_now[at],
                "text": texts.get(int(now["id"][changed[at]]), ""),
            }
            for at in order
        ],
    }


def _learned_parts(
    store: Store, evaluated: Sequence[Artifact], tables: Sequence[_Predictions]
) -> list[np.ndarray]:
    """Return the part of each row; where one model alone learned from validation rows, say so."""
    trained = [store.of(item, "TrainModel") for item in evaluated]
    learned = [
        item is not None and "refitted_on_validation" in item.summary("training.json")
        for item in trained
    ]
    if learned[0] == learned[1]:
        return [table["part"] for table in tables]
    return [
        np.where(is_learned & (table["part"] == "validation"), _LEARNED, table["part"])
        for table, is_learned in zip(tables, learned, strict=True)
    ]


def _counted_by_pair(
    before: np.ndarray, now: np.ndarray, differs: np.ndarray
) -> list[dict[str, Any]]:
    """Count rows, and those with another decided class, by their parts in a and in b."""
    return [
        {
            "a": old,
            "b": new,
            "rows": int(found.sum()),
            "changed": int((found & differs).sum()),
        }
        for old, new in sorted(set(zip(before, now, strict=True)))
        for found in [(before == old) & (now == new)]
    ]


def _texts(store: Store, evaluated: Artifact) -> dict[int, str]:
    """Read the raw texts by id, none where the rows are gone."""
    cleaned = store.of(evaluated, "CleanText")
    if cleaned is None or not (cleaned.place / "rows.parquet").is_file():
        return {}
    table = _table(cleaned.place / "rows.parquet", ["id", "raw"])
    return dict(zip(table["id"].to_pylist(), table["raw"].to_pylist(), strict=True))
