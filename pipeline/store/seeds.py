"""Runs that differ only by seed: how much training again changes the metrics."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import HEADLINES, headline

_SEED = "seed"


def seed_spread(store: Store, evaluated: Artifact) -> dict[str, Any] | None:
    """Return the headline metrics of the finished runs that differ from one only by its seed.

    Parameters
    ----------
    store : Store
    evaluated : Artifact
        Of Evaluate.

    Returns
    -------
    dict or None
        ``seeds`` (ascending, its own among them), ``places`` of their Evaluate artifacts, and
        ``metrics``: for each headline metric of test rows ``n`` (runs), ``mean``, ``sd`` (standard
        deviation over runs; None for fewer than two) and ``values``. None for a model without a
        seed.
    """
    shared = identity(store, evaluated)
    if shared is None:
        return None
    by_seed: dict[int, Artifact] = {}
    for other in store.all(evaluated.place.parent.parent.name, "7_*"):
        if other.task == evaluated.task and identity(store, other) == shared:
            # Where code changed in between, the same seed is there twice: the newest counts.
            known = by_seed.get(_seed(store, other))
            if known is None or other.finished > known.finished:
                by_seed[_seed(store, other)] = other
    by_seed[_seed(store, evaluated)] = evaluated
    seeds = sorted(by_seed)
    found = [headline(by_seed[seed].summary("metrics.json").get("test") or {}) for seed in seeds]
    return {
        "seeds": seeds,
        "places": [store.short(by_seed[seed].place) for seed in seeds],
        "metrics": {name: _spread([metrics[name] for metrics in found]) for name in HEADLINES},
    }


def compare_with_seeds(
    store: Store, a: Artifact, b: Artifact, differences: Mapping[str, float | None]
) -> dict[str, Any] | None:
    """Compare differences of two runs with the spread of runs that differ only by seed.

    Parameters
    ----------
    store : Store
    a, b : Artifact
        Of Evaluate.
    differences : mapping of str to float or None
        b minus a of each headline metric.

    Returns
    -------
    dict or None
        ``a`` and ``b`` (of `seed_spread`), ``metrics``: for each headline metric ``difference``,
        ``sd`` (standard deviation of a run over seeds, pooled over both sides; None where there
        are no such runs) and ``runs``; and ``text``. None where neither model has a seed.
    """
    sides = [seed_spread(store, side) for side in (a, b)]
    if sides == [None, None]:
        return None
    known = [side for side in sides if side is not None]
    if len(known) == 2 and known[0]["places"] == known[1]["places"]:
        known = known[:1]  # a and b themselves differ only by seed
    metrics = {
        name: {
            "difference": differences.get(name),
            **_pooled([side["metrics"][name] for side in known]),
        }
        for name in HEADLINES
    }
    return {"a": sides[0], "b": sides[1], "metrics": metrics, "text": _text(metrics)}


def identity(store: Store, evaluated: Artifact) -> Any:
    """Return what runs that differ only by seed share, None for a model without a seed."""
    trained = store.of(evaluated, "TrainModel")
    if trained is None or _SEED not in trained.manifest["settings"]:
        return None
    settings = {key: v for key, v in trained.manifest["settings"].items() if key != _SEED}
    above = trained.manifest.get("upstream") or {}
    return (
        settings,
        trained.manifest.get("version"),
        above.get("digest"),
        evaluated.manifest["settings"],
        evaluated.manifest.get("version"),
    )


def _seed(store: Store, evaluated: Artifact) -> int:
    """Return the seed that a model was trained with."""
    trained = store.of(evaluated, "TrainModel")
    return trained.manifest["settings"][_SEED] if trained else 0


def _spread(values: Sequence[float | None]) -> dict[str, Any]:
    """Return mean and standard deviation of the values that are there."""
    known = [value for value in values if value is not None]
    mean = math.fsum(known) / len(known) if known else None
    sd = None
    if mean is not None and len(known) > 1:
        sd = math.sqrt(math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1))
    return {"n": len(known), "mean": mean, "sd": sd, "values": list(values)}


def _pooled(spreads: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the standard deviation within sides, and how many runs it is of."""
    known = [spread for spread in spreads if spread["sd"] is not None]
    if not known:
        return {"sd": None, "runs": 0}
    squares = sum(spread["sd"] ** 2 * (spread["n"] - 1) for spread in known)
    freedom = sum(spread["n"] - 1 for spread in known)
    return {"sd": math.sqrt(squares / freedom), "runs": sum(spread["n"] for spread in known)}


def _text(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the comparison as a sentence."""
    entry = metrics["accuracy"]
    if entry["sd"] is None:
        return (
            "Intervals and p-values cover the sampling of test rows only; training again with "
            "another --seed would also change the metrics."
        )
    difference = entry["difference"]
    begin = (
        "" if difference is None else f"Accuracy differs by {100 * abs(difference):.1f} points; "
    )
    text = (
        f"{begin}runs that differ only by seed have a standard deviation of "
        f"{100 * entry['sd']:.1f} points ({entry['runs']} runs)."
    )
    return text[0].upper() + text[1:]
