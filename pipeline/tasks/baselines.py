"""The baselines that a model is compared with: cheap models on the same rows."""

from collections.abc import Mapping
from typing import Any

from pipeline.features import specs as features
from pipeline.models import specs as models
from pipeline.settings.setting import Setting

NAME = "naive_bayes"
#: Models that take seconds to train, which `baselines` may list.
CHEAP = ("naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
AUTO, NONE = "auto", "none"
#: Training rows of a linear baseline: logistic regression on word and character n-grams of as many
#: tweets is fitted in less than 30 s on two cores.
MOST_TRAIN_ROWS = 150_000


def names_of(model: str, choice: Any) -> tuple[str, ...]:
    """Return the baselines of a model, by name.

    Parameters
    ----------
    model : str
    choice : str or sequence of str
        Value of ``baselines``. ``auto``: none for naive Bayes, naive Bayes for the other cheap
        models, naive Bayes and logistic regression for all others.

    Returns
    -------
    tuple of str
        Each once, the model itself left out.
    """
    if choice == NONE:
        return ()
    if choice == AUTO:
        choice = (NAME,) if model in CHEAP else (NAME, "logistic_regression")
    return tuple(name for name in dict.fromkeys(choice) if name != model)


def settings_of_baseline(
    name: str, given: Mapping[str, Any], settings: Mapping[str, Setting], of_tokens: set[str]
) -> dict[str, Any]:
    """Resolve the settings of a baseline of a model.

    Rows, cleaning, split and evaluation are the model's, since both are scored on the same rows.
    How texts are tokenized is the model's where it differs from the model's own default. What the
    baseline reads and learns, and its own baselines, are its defaults.

    Parameters
    ----------
    name : str
        Of the baseline.
    given : mapping
        Value of every setting of the model's run, resolved; None where it uses none.
    settings : mapping
        The settings, by name.
    of_tokens : set of str
        Names of the settings of Tokenize.

    Returns
    -------
    dict
        A plain value for each setting, as `pipeline.models.specs.resolve` gives them.
    """
    row = models.MODELS[given["model"]]
    own = {"model", "preset", "representation", "baselines"}
    own |= {*models.HYPERPARAMETERS, *features.SETTINGS}
    shared: dict[str, Any] = {}
    for setting_name, setting in settings.items():
        value = given[setting_name]
        default = setting.check(row.defaults.get(setting_name, setting.default))
        is_default = setting_name in of_tokens and value == default
        shared[setting_name] = None if setting_name in own or is_default else value
    if "max_train_rows" in models.MODELS[name].hyperparameters:
        shared["max_train_rows"] = MOST_TRAIN_ROWS
    return models.resolve({**shared, "model": name}, settings)
