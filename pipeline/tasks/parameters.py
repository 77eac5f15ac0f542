"""Luigi parameters made from settings."""

from typing import Any

import luigi

from pipeline.settings import Setting


class SettingParameter(luigi.Parameter[Any]):
    """A parameter that parses, checks and explains itself by a `Setting`.

    Its own default is None: not given, so that RunAll can tell what a user chose from what the
    model's default decides.
    """

    def __init__(self, setting: Setting, **options: Any) -> None:
        super().__init__(default=None, description=setting.help, positional=False, **options)
        self.setting = setting

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
    """Declare a parameter; the arguments are those of `Setting`."""
    significant = limits.pop("significant", True)
    return SettingParameter(
        Setting(name, kind, default, description, **limits), significant=significant
    )
