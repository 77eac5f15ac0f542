"""Fill in the defaults of settings: the only place that does so."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from pipeline.errors import SettingConflictError
from pipeline.settings.resolved import Settings
from pipeline.settings.setting import Setting


class ModelSpec(Protocol):
    """The part of a model's row that decides defaults."""

    @property
    def name(self) -> str:
        """Name of the model."""

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Defaults of the model, where they differ from those of the settings."""

    @property
    def used(self) -> Collection[str]:
        """Names of the hyper-parameters and representation settings that the model uses."""

    @property
    def unused(self) -> Collection[str]:
        """Names of those that it does not use."""


#: luigi.cfg sets the seed for all models; a model without randomness ignores it.
_ALWAYS_ALLOWED = {"seed"}


def resolve(
    values: Mapping[str, Any],
    declared: Mapping[str, Setting],
    model: ModelSpec | None = None,
    preset: Mapping[str, Any] | None = None,
) -> Settings:
    """Fill in defaults: the user's value, else the preset's, the model's, the setting's.

    Parameters
    ----------
    values : mapping
        Values of the user by name; None or absent without one.
    model : ModelSpec, optional
        The model that is trained; None for steps that do not depend on one.

    Returns
    -------
    Settings
        A value for each declared setting; None if the model does not use it.

    Raises
    ------
    SettingConflictError
        If the user set a setting that the model does not use.

    Examples
    --------
    >>> declared = {"alpha": Setting("alpha", "float", 1, "smoothing")}
    >>> resolve({}, declared).alpha, resolve({"alpha": 0.5}, declared).alpha
    (1.0, 0.5)
    """
    unused = model.unused if model else ()
    resolved: dict[str, Any] = {}
    for name, setting in declared.items():
        value = values.get(name)
        if name not in unused:
            resolved[name] = default(setting, model, preset) if value is None else value
        elif value is None or name in _ALWAYS_ALLOWED:
            resolved[name] = None
        else:
            assert model is not None
            raise SettingConflictError(
                f"model {model.name!r} does not use {name}; remove it. "
                f"It uses {', '.join(sorted(model.used))}."
            )
    return Settings(resolved, f"model {model.name!r}" if model else "this step")


def default(
    setting: Setting, model: ModelSpec | None = None, preset: Mapping[str, Any] | None = None
) -> Any:
    """Return the value that a setting has if the user gives none.

    Examples
    --------
    >>> default(Setting("alpha", "float", 1, "smoothing"), preset={"alpha": 2})
    2.0
    """
    for source in (preset, model.defaults if model else None):
        if source and setting.name in source:
            return setting.check(source[setting.name])
    return setting.check(setting.default)
