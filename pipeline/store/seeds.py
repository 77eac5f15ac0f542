"""Runs that differ only by seed: how much the metrics change when a model is trained again."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import HEADLINES, headline

_SEED = "seed"


def seed_spread(store: Store, evaluated: Artifact) -> dict[str, Any] | None:
    """Return the headline metrics of the runs that differ from an Evaluate artifact only by seed.

    The result has ``seeds`` (ascending), ``places`` of their Evaluate artifacts, and ``metrics``
    of test rows (see `_spread`); it is None for a model without a seed.
    """
    shared = identity(store, evaluated)
    if shared is None:
        return None
    by_seed: dict[int, Artifact] = {}
    # The code may have changed between two runs with the same seed: the newest counts.
    for other in sorted(store.all(evaluated.dataset, "7_*"), key=lambda item: item.finished):
        if other.task == evaluated.task and identity(store, other) == shared:
            by_seed[_seed(store, other)] = other
    by_seed[_seed(store, evaluated)] = evaluated
    runs = [by_seed[seed] for seed in sorted(by_seed)]
    metrics = [headline(run.summary("metrics.json").get("test")) for run in runs]
    return {
        "seeds": sorted(by_seed),
        "places": [store.short(run.path) for run in runs],
        "metrics": {name: _spread([row[name] for row in metrics]) for name in HEADLINES},
    }


def compare_with_seeds(
    store: Store, a: Artifact, b: Artifact, differences: Mapping[str, float | None]
) -> dict[str, Any] | None:
    """Compare the differences of two runs with the spread of runs that differ only by seed.

    Parameters
    ----------
    store : Store
    a, b : Artifact
        Artifacts of Evaluate.
    differences : mapping of str to float or None
        b minus a of each headline metric.

    Returns
    -------
    dict or None
        ``a`` and ``b`` (see `seed_spread`), ``metrics``: for each headline metric ``difference``,
        ``sd`` (standard deviation over seeds, pooled over both models; None without such runs)
        and ``runs``; and ``text``. None where neither model has a seed.
    """
    sides = [seed_spread(store, side) for side in (a, b)]
    spreads = [side for side in sides if side is not None]
    if not spreads:
        return None
    if spreads[0]["places"] == spreads[-1]["places"]:
        spreads = spreads[:1]  # a and b themselves differ only by seed
    metrics = {
        name: {
            "difference": differences.get(name),
            **_pooled([side["metrics"][name] for side in spreads]),
        }
        for name in HEADLINES
    }
    return {"a": sides[0], "b": sides[1], "metrics": metrics, "text": _text(metrics["accuracy"])}


def identity(store: Store, evaluated: Artifact) -> Any:
    """Return a key that is equal for runs that differ only by seed; None for a model without."""
    trained = store.of(evaluated, "TrainModel")
    if trained is None or _SEED not in trained.manifest["settings"]:
        return None
    settings = {key: v for key, v in trained.manifest["settings"].items() if key != _SEED}
    above = trained.manifest["upstream"] or {}
    versions = trained.manifest["version"], evaluated.manifest["version"]
    return settings, versions, above.get("digest"), evaluated.manifest["settings"]


def _seed(store: Store, evaluated: Artifact) -> int:
    """Return the seed that a model was trained with."""
    trained = store.of(evaluated, "TrainModel")
    return trained.manifest["settings"][_SEED] if trained else 0


def _spread(values: Sequence[float | None]) -> dict[str, Any]:
    """Return number, mean, standard deviation (None for fewer than two) and values of a metric."""
    numbers = [value for value in values if value is not None]
    return {
        "n": len(numbers),
        "mean": statistics.fmean(numbers) if numbers else None,
        "sd": statistics.stdev(numbers) if len(numbers) > 1 else None,
        "values": list(values),
    }


def _pooled(spreads: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the pooled standard deviation within models, and the number of runs."""
    spreads = [spread for spread in spreads if spread["sd"] is not None]
    if not spreads:
        return {"sd": None, "runs": 0}
    squares = sum(spread["sd"] ** 2 * (spread["n"] - 1) for spread in spreads)
    runs = sum(spread["n"] for spread in spreads)
    return {"sd": math.sqrt(squares / (runs - len(spreads))), "runs": runs}


def _text(accuracy: Mapping[str, Any]) -> str:
    """Return one sentence about the spread of accuracy over seeds."""
    if accuracy["sd"] is None:
        return (
            "Intervals and p-values cover the sampling of test rows only; training again with "
            "another --seed would also change the metrics."
        )
    text = (
        f"runs that differ only by seed have a standard deviation of {100 * accuracy['sd']:.1f} "
        f"points ({accuracy['runs']} runs)."
    )
    if accuracy["difference"] is None:
        return text.capitalize()
    return f"Accuracy differs by {100 * abs(accuracy['difference']):.1f} points; {text}"
