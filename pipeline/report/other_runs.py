"""Whether another run on the same split is to be preferred, by validation rows alone."""

from collections.abc import Iterator, Sequence

import pandas as pd

from pipeline.evaluation.paired import SIGNIFICANT, exact_test
from pipeline.models.specs import MODELS
from pipeline.report.headline import headline, value_at
from pipeline.report.render import p_value
from pipeline.report.siblings import Sibling
from pipeline.report.sources import Run
from pipeline.report.suggestion import Suggestion

_NETWORK = "pipeline.models.network:Network"
_LINEAR = ("pipeline.models.linear:Linear", "pipeline.models.naive_bayes:NaiveBayes")


def best_other(run: Run) -> Sibling | None:
    """Return the run with the best headline metric on validation rows, if better than this one.

    Test metrics choose nothing here. Runs that validation rows trained are not compared.
    """
    mine = value_at(run.metrics.get("validation"), headline(run)[1])
    others = _compared(run)
    if mine is None or not others:
        return None
    value, best = max(others, key=lambda pair: pair[0])
    return best if value > mine else None


def _compared(run: Run) -> list[tuple[float, Sibling]]:
    """Return the other runs with their headline metric on validation rows that trained neither."""
    if "refitted_on_validation" in run.training:
        return []
    _, path = headline(run)
    return [
        (value, sibling)
        for sibling in run.siblings
        if sibling.chose_on_validation and not sibling.differs_by_seed
        for value in [value_at(sibling.metrics.get("validation"), path)]
        if value is not None
    ]


def about_best(run: Run, best: Sibling) -> Suggestion:
    """Name the model that is best on validation rows, and whether that is more than chance."""
    name, path = headline(run)
    validation = run.metrics["validation"]
    theirs, mine = value_at(best.metrics["validation"], path), value_at(validation, path)
    called = best.model if best.model != run.model else f"{best.model} with other settings"
    sentence = (
        f"On the {validation['rows']:,} validation rows, {called} has {name} {theirs:.3f} and this "
        f"run {mine:.3f}"
    )
    chance, n_compared = _chance_on_validation(run, best.right, run.right), len(_compared(run))
    if chance is None:
        sentence += f": {called} is worth comparing."
    else:
        # The best of several runs is looked at: its p-value is multiplied (Bonferroni).
        chance = min(chance * n_compared, 1.0)
        tested = f"paired test of accuracy, {p_value(chance)}"
        if n_compared > 1:
            tested += f" for the best of {n_compared} runs"
        if chance < SIGNIFICANT:
            sentence += f" ({tested}): prefer {called}."
        elif name == "accuracy":
            sentence += f". This can be chance ({tested}), but {called} is worth comparing."
        else:
            sentence += (
                f". {called} is worth comparing, though not more accurate beyond chance ({tested})."
            )
    if _is_network(best.model) and not _is_network(run.model):
        sentence += " Its number of epochs was chosen on these rows, which favours it."
    return Suggestion(sentence, run.command_of(best.settings))


def about_baseline(run: Run, others: Sequence[Sibling | None]) -> Iterator[Suggestion]:
    """Yield the linear baseline, where a costlier model is not more accurate on validation rows.

    A linear model is as cheap as its baseline. Test rows choose nothing: what they show is said by
    the verdict.
    """
    name = run.metrics["verdict"]["baseline"]
    found = [pair for pair in _compared(run) if pair[1].model == name]
    is_named = any(other is not None and _is_linear(other.model) for other in others)
    if _is_linear(run.model) or is_named or not found or not _is_linear(name):
        return
    _, baseline = max(found, key=lambda pair: pair[0])
    chance = _chance_on_validation(run, run.right, baseline.right)
    if chance is None or chance < SIGNIFICANT or _is_better_for_goal(run, baseline):
        return
    yield Suggestion(
        f"Use {name}: it is cheaper, and on the {run.metrics['validation']['rows']:,} validation "
        f"rows {run.model} is not more accurate beyond chance (paired test, {p_value(chance)}).",
        run.command_of(baseline.settings),
    )


def _is_better_for_goal(run: Run, other: Sibling) -> bool:
    """Return whether a run that gives up accuracy for a class is better by its F1 or macro F1."""
    if run.decision["threshold"] is None and not run.positive_named:
        return False
    path = headline(run)[1] if run.positive_named else ("macro", "f1")
    mine, theirs = (
        value_at(metrics["validation"], path) for metrics in (run.metrics, other.metrics)
    )
    return mine is not None and theirs is not None and mine > theirs


def _chance_on_validation(
    run: Run, first: pd.Series | None, second: pd.Series | None
) -> float | None:
    """Return the one-sided p-value that the first run is not more accurate on the same rows.

    Parameters
    ----------
    run : Run
        Whose duplicate groups count as one observation each.
    first, second : Series of bool or None
        Whether each validation row's decided class is right, by id.

    Returns
    -------
    float or None
        Of `pipeline.evaluation.paired.exact_test`; None where predictions cannot be read.
    """
    if first is None or second is None:
        return None
    ids = first.index.intersection(second.index)
    if not len(ids):
        return None
    groups = run.duplicate_groups.loc[ids].to_numpy()
    return exact_test(first.loc[ids].to_numpy(), second.loc[ids].to_numpy(), groups).first_better


def better_linear(run: Run) -> Sibling | None:
    """Return the best linear model on validation rows, if this is a network that is not better."""
    mine = value_at(run.metrics.get("validation"), headline(run)[1])
    if mine is None or not _is_network(run.model):
        return None
    scored = [pair for pair in _compared(run) if _is_linear(pair[1].model) and pair[0] > mine]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None


def _is_network(model: str) -> bool:
    return MODELS[model].family == _NETWORK


def _is_linear(model: str) -> bool:
    return model in MODELS and MODELS[model].family in _LINEAR
