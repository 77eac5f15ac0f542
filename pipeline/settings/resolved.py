"""Values of settings with all defaults filled in."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import SettingError, nearest


class Settings(Mapping[str, Any]):
    """Read-only values by name, also as attributes; None if the model does not use the setting.

    Errors mention ``user``, which uses the settings, such as ``model 'bilstm'``.

    Examples
    --------
    >>> settings = Settings({"alpha": 1.0, "units": None}, "model 'naive_bayes'")
    >>> settings.alpha, settings["alpha"], settings["units"]
    (1.0, 1.0, None)
    >>> settings.units
    Traceback (most recent call last):
    pipeline.errors.SettingError: model 'naive_bayes' does not use units; it uses alpha.
    """

    __slots__ = ("_user", "_values")
    _values: Mapping[str, Any]
    _user: str

    def __init__(self, values: Mapping[str, Any], user: str = "this step") -> None:
        object.__setattr__(self, "_values", dict(values))
        object.__setattr__(self, "_user", user)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._values:
            raise AttributeError(f"there is no setting {name!r}; {nearest(name, self._used())}")
        value = self._values[name]
        if value is None:
            raise SettingError(
                f"{self._user} does not use {name}; it uses {', '.join(self._used())}."
            )
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"settings are read-only; cannot set {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return Settings, (self._values, self._user)

    def __repr__(self) -> str:
        return f"Settings({self._values!r})"

    def _used(self) -> list[str]:
        return sorted(name for name, value in self._values.items() if value is not None)
