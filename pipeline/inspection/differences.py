"""How two artifacts or runs differ: settings, code, metrics, and predictions row by row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import PipelineError
from pipeline.fingerprint import changed_parts
from pipeline.inspection.listing import HEADLINES, figure, interval, run_row
from pipeline.inspection.settings import changes
from pipeline.inspection.store import Artifact, Store

_SAMPLES = 1000  # bootstrap resamples
_SHOWN = 20


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
        and ``libraries`` that differ, and, where both were evaluated, ``metrics`` (figures of the
        test rows with 95 % bootstrap intervals) and ``predictions`` (rows whose predicted class
        changed; None where the raw files differ).

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
        result["metrics"] = _metrics(old, new, *tables, seed, is_same_data)
        # Ids number the records of the raw files: of other files they say nothing.
        result["predictions"] = _changed_rows(store, new, *tables) if is_same_data else None
    return result


def _side(store: Store, artifact: Artifact) -> dict[str, Any]:
    """Name one of the two."""
    row = run_row(store, artifact) if artifact.task == "Report" else {}
    return {"task": artifact.task, "place": store.short(artifact.place), **row}


def _parts(manifest: Mapping[str, Any]) -> Mapping[str, str]:
    return manifest.get("code", {}).get("parts", {})


def _predictions(evaluated: Artifact) -> dict[str, np.ndarray]:
    """Read id, part, label and predicted class of every row, by id."""
    columns = ["id", "part", "label", "predicted"]
    table = _table(evaluated.place / "predictions.parquet", columns)
    read = {
        name: table[name].to_numpy() if name == "id" else np.array(table[name].to_pylist(), object)
        for name in columns
    }
    order = np.argsort(read["id"], kind="stable")
    return {name: values[order] for name, values in read.items()}


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
    old: Artifact,
    new: Artifact,
    before: dict[str, np.ndarray],
    now: dict[str, np.ndarray],
    seed: int,
    is_same_data: bool,
) -> list[dict[str, Any]]:
    """Compare the headline metrics; where classes alone decide, the difference has an interval."""
    scores = [_scores(item) for item in (old, new)]
    rows = []
    tests = [table["part"] == "test" for table in (before, now)]
    same = is_same_data and np.array_equal(before["id"][tests[0]], now["id"][tests[1]])
    resampled = [
        _resampled(table["label"][test], table["predicted"][test], seed)
        for table, test in zip((before, now), tests, strict=True)
    ]
    for name, path in HEADLINES.items():
        a, b = (figure(score, path) for score in scores)
        row: dict[str, Any] = {"metric": name, "a": a, "b": b}
        row["difference"] = None if a is None or b is None else b - a
        for side, score in zip("ab", scores, strict=True):
            row[f"{side}_interval"] = interval(score, path)
        if name in resampled[0]:
            # The same rows are drawn for both, so that the difference is paired.
            pair = resampled[1][name] - resampled[0][name]
            row["difference_interval"] = _interval(pair) if same else None
        rows.append(row)
    return rows


def _resampled(labels: np.ndarray, predicted: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Draw rows with replacement and score each draw; the draws depend on seed and rows alone."""
    names = sorted({*labels, *predicted})
    n_classes = len(names)
    index = {name: number for number, name in enumerate(names)}
    cells = np.array(
        [index[a] * n_classes + index[b] for a, b in zip(labels, predicted, strict=True)], int
    )
    rng = np.random.default_rng(seed)
    accuracy, macro = np.empty(_SAMPLES), np.empty(_SAMPLES)
    for draw in range(_SAMPLES):
        drawn = cells[rng.integers(0, len(cells), len(cells))]
        matrix = np.bincount(drawn, minlength=n_classes**2).reshape(n_classes, n_classes)
        right, both = np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1)
        accuracy[draw] = right.sum() / max(len(cells), 1)
        macro[draw] = (2 * right / np.maximum(both, 1))[both > 0].mean()
    return {"accuracy": accuracy, "macro_f1": macro}


def _interval(draws: np.ndarray) -> list[float]:
    """Return the 2.5th and the 97.5th percentile."""
    return [float(bound) for bound in np.percentile(draws, [2.5, 97.5])]


def _changed_rows(
    store: Store, new: Artifact, before: dict[str, np.ndarray], now: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Count and show the rows that are predicted otherwise, test rows first."""
    _, old_at, new_at = np.intersect1d(before["id"], now["id"], return_indices=True)
    differs = before["predicted"][old_at] != now["predicted"][new_at]
    changed = new_at[differs]
    was = before["predicted"][old_at][differs]
    labels, parts, is_now = (now[name][changed] for name in ("label", "part", "predicted"))
    texts = _texts(store, new)
    order = np.argsort(parts != "test", kind="stable")[:_SHOWN]
    return {
        "rows": len(old_at),
        "changed": int(differs.sum()),
        "by_part": {
            str(part): {
                "changed": int((parts == part).sum()),
                "better": int(((parts == part) & (is_now == labels)).sum()),
                "worse": int(((parts == part) & (was == labels)).sum()),
            }
            for part in sorted(set(parts))
        },
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


def _texts(store: Store, evaluated: Artifact) -> dict[int, str]:
    """Read the raw texts by id, none where the rows are gone."""
    cleaned = store.of(evaluated, "CleanText")
    if cleaned is None or not (cleaned.place / "rows.parquet").is_file():
        return {}
    table = _table(cleaned.place / "rows.parquet", ["id", "raw"])
    return dict(zip(table["id"].to_pylist(), table["raw"].to_pylist(), strict=True))
