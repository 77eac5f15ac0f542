"""The baseline that stands beside every other model: naive Bayes on the same rows."""

from collections.abc import Mapping
from typing import Any

from pipeline.features import registry as features
from pipeline.models import registry as models
from pipeline.settings import Setting

NAME = "naive_bayes"


def settings_of_baseline(
    given: Mapping[str, Any], settings: Mapping[str, Setting], of_tokens: set[str]
) -> dict[str, Any]:
    """Resolve the settings of the baseline beside a model.

    Rows, cleaning, split and evaluation are the model's, since both are scored on the same rows.
    How texts are cut into tokens is the model's where it differs from the model's own default.
    What the baseline reads and learns is its own.

    Parameters
    ----------
    given : mapping
        Value of every setting of the model's run, resolved; None where it uses none.
    settings : mapping
        The settings, by name.
    of_tokens : set of str
        Names of the settings of Tokenize.

    Returns
    -------
    dict
        A plain value for each setting, as `pipeline.models.registry.resolve` gives them.
    """
    row = models.MODELS[given["model"]]
    own = {"model", "preset", "representation", *models.HYPERPARAMETERS, *features.SETTINGS}
    shared: dict[str, Any] = {}
    for name, setting in settings.items():
        value = given[name]
        default = setting.check(row.defaults.get(name, setting.default))
        is_default = name in of_tokens and value == default
        shared[name] = None if name in own or is_default else value
    return models.resolve({**shared, "model": NAME}, settings)
