"""Luigi parameters made from settings."""

from typing import Any

import luigi

from pipeline.settings.setting import Setting


class SettingParameter(luigi.Parameter[Any]):
    """A parameter that parses, checks and explains itself by a `Setting`.

    Its own default is None: not given, so that RunAll can tell what a user chose from what the
    model's default decides.

    Parameters
    ----------
    setting : Setting
    names_place : bool
        Whether it says where something lies and not what is in it: Luigi tells tasks apart by it,
        and no digest holds it.
    **options
        Of Luigi's parameter.
    """

    def __init__(self, setting: Setting, names_place: bool = False, **options: Any) -> None:
        super().__init__(default=None, description=setting.help, positional=False, **options)
        self.setting = setting
        self.changes_bytes = self.significant and not names_place

    def parse(self, text: str) -> Any:
        """Read a value from the command line or from luigi.cfg."""
        return self.setting.parse(text) if text else None

    def normalize(self, value: Any) -> Any:
        """Check a value and bring it to its one form."""
        return None if value is None else self.setting.check(value)

    def serialize(self, value: Any) -> str:
        """Write a value as it is typed."""
        return "" if value is None else self.setting.serialize(value)


def parameter(name: str, kind: str, default: Any, description: str, **limits: Any) -> Any:
    """Declare a parameter; the arguments are those of `Setting` and of `SettingParameter`."""
    options = {key: limits.pop(key) for key in ("significant", "names_place") if key in limits}
    return SettingParameter(Setting(name, kind, default, description, **limits), **options)
