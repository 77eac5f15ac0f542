"""Compare the run with other runs on the same split, by the metric that ranks them.

Only validation rows are used: a choice by test metrics would make these too good.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.evaluation.paired import SIGNIFICANT, exact_test, sign_flip_test
from pipeline.models.specs import MODELS
from pipeline.report.headline import headline
from pipeline.report.render import p_value
from pipeline.report.sources import OtherRun, Run
from pipeline.report.suggestion import Suggestion
from pipeline.store.run import metric_at

_NETWORK = "pipeline.models.network:Network"
_LINEAR = ("pipeline.models.linear:Linear", "pipeline.models.naive_bayes:NaiveBayes")


def best_other(run: Run) -> OtherRun | None:
    """Return the run with the best headline metric, None if no run is better than this one."""
    return _best(run, _comparable(run))


def better_linear(run: Run) -> OtherRun | None:
    """Return the best linear model that is better than this network, None if there is none."""
    if _family(run.model) != _NETWORK:
        return None
    return _best(run, [other for other in _comparable(run) if _family(other.model) in _LINEAR])


def validation_metric(run: Run | OtherRun, keys: Sequence[str]) -> float | None:
    """Return a metric of the validation rows, None if it is not defined."""
    return metric_at(run.metrics.get("validation"), keys)


def suggest_best(run: Run, best: OtherRun) -> Suggestion:
    """Suggest the best other run, with a paired test of the metric that ranks runs."""
    name, keys = headline(run)
    rows, n_compared = run.metrics["validation"]["rows"], len(_comparable(run))
    label = best.model if best.model != run.model else f"{best.model} with other settings"
    # The best of several runs is tested: its p-value is multiplied by their number (Bonferroni).
    chance = min(paired_p_value(run, best, run) * n_compared, 1.0)
    test = f"paired test of {name}, {p_value(chance)}"
    if n_compared > 1:
        test += f" for the best of {n_compared} runs"
    sentence = (
        f"On the {rows:,} validation rows, {label} has {name} {validation_metric(best, keys):.3f} "
        f"and this run {validation_metric(run, keys):.3f}"
    )
    if chance < SIGNIFICANT:
        sentence += f" ({test}): prefer {label}."
    else:
        sentence += f". This can be chance ({test}), but {label} is worth comparing."
    if _family(best.model) == _NETWORK != _family(run.model):
        sentence += " Its number of epochs was chosen on these rows, which favours it."
    return Suggestion(sentence, run.command_of(best.settings))


def suggest_baseline(run: Run, suggested: Sequence[OtherRun | None]) -> Iterator[Suggestion]:
    """Suggest the linear baseline if a costlier model is not better on validation rows.

    Nothing is suggested if the run is a linear model, or a linear model was suggested already.
    """
    name, keys = headline(run)
    baseline = run.metrics["verdict"]["baseline"]
    others = [other for other in _comparable(run) if other.model == baseline]
    models = [run.model, *(other.model for other in suggested if other is not None)]
    is_needed = not any(_family(model) in _LINEAR for model in models)
    if not (is_needed and others and _family(baseline) in _LINEAR):
        return
    best = max(others, key=lambda other: validation_metric(other, keys) or 0.0)
    chance = paired_p_value(run, run, best)
    if chance < SIGNIFICANT or _gives_up_accuracy(run, best):
        return
    yield Suggestion(
        f"Use {baseline}: it is cheaper, and on the {run.metrics['validation']['rows']:,} "
        f"validation rows {run.model} has no higher {name} beyond chance (paired test, "
        f"{p_value(chance)}).",
        run.command_of(best.settings),
    )


def paired_p_value(run: Run, first: Run | OtherRun, second: Run | OtherRun) -> float:
    """Return the one-sided p-value of the first run's gain in the headline metric.

    Both are compared on the validation rows, whose duplicate groups count as one observation each.
    Accuracy has an exact test; for F1 of a class, the signs of contributions to it are flipped
    (see `pipeline.evaluation.paired`).
    """
    pair = first.validation_predictions.assign(other=second.validation_predictions["decided"])
    groups = run.duplicate_groups.loc[pair.index].to_numpy()
    if headline(run)[0] == "accuracy":
        right = (pair["decided"] == pair["label"], pair["other"] == pair["label"])
        return exact_test(right[0].to_numpy(), right[1].to_numpy(), groups).first_better
    is_positive = (pair == run.metrics["positive_label"]).to_numpy(float).T
    return sign_flip_test(f1_gains(*is_positive), groups)


def f1_gains(true: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the contribution of each row to the gain in F1 of the first model over the second.

    Let F be the F1 at the mean of both models' counts. A row contributes F(+d/2) - F(-d/2), where d
    is the change of the counts if the row has the first model's class instead of the second's, as
    in `pipeline.evaluation.paired.contributions`. The arguments are 1 if a row is of the class,
    or is predicted to be, else 0: ndarray of float64, shape (n_rows,), as the result.

    Examples
    --------
    >>> true, first, second = np.array([[1.0, 1, 0], [1, 1, 0], [1, 0, 1]])
    >>> f1_gains(true, first, second).round(3).tolist()
    [0.0, 0.317, 0.19]
    """
    hits = (true @ first + true @ second) / 2
    total = true.sum() + (first.sum() + second.sum()) / 2
    change = (first - second) / 2
    above = 2 * (hits + true * change) / (total + change)
    below = 2 * (hits - true * change) / (total - change)
    return above - below


def _comparable(run: Run) -> list[OtherRun]:
    """Return the other runs whose headline metric on validation rows is that of unseen rows."""
    if run.trained_on_validation:
        return []
    _, keys = headline(run)
    return [
        other
        for other in run.other_runs
        if not other.trained_on_validation
        and not other.differs_by_seed
        and validation_metric(other, keys) is not None
    ]


def _best(run: Run, others: Sequence[OtherRun]) -> OtherRun | None:
    """Return the best of comparable runs if it is better than the run, else None."""
    _, keys = headline(run)
    value = validation_metric(run, keys)
    best = max(others, key=lambda other: validation_metric(other, keys) or 0.0, default=None)
    if value is None or best is None or (validation_metric(best, keys) or 0.0) <= value:
        return None
    return best


def _gives_up_accuracy(run: Run, other: OtherRun) -> bool:
    """Return whether a threshold for a class gives the run less accuracy but a higher macro F1."""
    if run.decision["threshold"] is None or run.positive_named:
        return False
    value, other_value = (validation_metric(compared, ("macro", "f1")) for compared in (run, other))
    return value is not None and other_value is not None and value > other_value


def _family(model: str) -> str:
    """Return the family of a model, empty for a model of an extension that is not loaded."""
    return MODELS[model].family if model in MODELS else ""
