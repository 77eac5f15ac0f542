"""The baselines of a model: cheap models on the same rows."""

from collections.abc import Collection, Mapping
from typing import Any

from pipeline.models import specs
from pipeline.settings.resolve import default
from pipeline.settings.resolved import Settings
from pipeline.settings.setting import Setting

NAME = "naive_bayes"
#: Models that train in seconds.
CHEAP = ("naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
AUTO, NONE = "auto", "none"
#: Limit of training rows: logistic regression on word and character n-grams of as many tweets is
#: fitted in less than 30 s on two cores.
MOST_TRAIN_ROWS = 150_000


def names_of(model: str, choice: Any) -> tuple[str, ...]:
    """Return the names of the baselines of a model, without the model itself.

    ``choice`` is the value of the setting ``baselines``; ``auto``: none for naive Bayes, naive
    Bayes for the other cheap models, naive Bayes and logistic regression for all others.
    """
    if choice == NONE:
        return ()
    if choice == AUTO:
        choice = (NAME,) if model in CHEAP else (NAME, "logistic_regression")
    return tuple(name for name in dict.fromkeys(choice) if name != model)


def settings_of_baseline(
    name: str,
    values: Mapping[str, Any],
    declared: Mapping[str, Setting],
    of_tokenize: Collection[str],
) -> Settings:
    """Return the settings of a baseline of a model.

    Rows, cleaning, split and evaluation are those of the model, since both are scored on the same
    rows. So are settings of Tokenize that differ from the defaults of the model. All other
    settings have the defaults of the baseline. ``values`` are all settings of the run, resolved.
    """
    model, baseline = specs.MODELS[values["model"]], specs.MODELS[name]
    of_model = {"model", "preset", "representation", "baselines"} | specs.PER_MODEL
    shared: dict[str, Any] = {
        other: values[other]
        for other, setting in declared.items()
        if other not in of_model
        and not (other in of_tokenize and values[other] == default(setting, model))
    }
    if "max_train_rows" in baseline.hyperparameters:
        shared["max_train_rows"] = MOST_TRAIN_ROWS
    return specs.resolve({**shared, "model": name}, declared)
