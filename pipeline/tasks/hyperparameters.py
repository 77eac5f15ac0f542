"""The settings of tasks: those of every model as parameters, and plain values for all."""

from typing import TYPE_CHECKING, Any

import luigi

from pipeline.models import specs as models
from pipeline.settings.parameter import SettingParameter
from pipeline.tasks.base import Step

if TYPE_CHECKING:
    from pipeline.settings.setting import Setting


def plain_settings(task: luigi.Task) -> "dict[str, Setting]":
    """Return the settings behind a task's parameters that can change bytes, by name."""
    return {
        name: known.setting
        for name, known in task.get_params()
        if isinstance(known, SettingParameter) and known.changes_bytes
    }


def resolved(task: luigi.Task) -> dict[str, Any]:
    """Return a plain value for every setting of a task, the model's defaults filled in."""
    settings = plain_settings(task)
    given = {name: getattr(task, name) for name in settings}
    return models.resolve(given, settings)


def with_hyperparameters(task: type[Step]) -> type[Step]:
    """Give a task a parameter for every hyper-parameter of the registry."""
    for name, setting in models.HYPERPARAMETERS.items():
        known = SettingParameter(setting)
        # A parameter is a descriptor; Python names it only inside a class body.
        known.__set_name__(task, name)
        setattr(task, name, known)
    return task
