"""Luigi parameters made from settings."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import luigi

from pipeline.settings.setting import Setting

_Task = TypeVar("_Task", bound=type[luigi.Task])


class SettingParameter(luigi.Parameter[Any]):
    """A Luigi parameter that parses, checks and documents itself by a `Setting`.

    Its default is None, which means "not set by the user": RunAll must distinguish values of the
    user from defaults of the model. A value that ``selects_files`` distinguishes tasks, but is not
    part of the digest, since the content of the files is. The name of the setting is that of the
    attribute.
    """

    def __init__(self, setting: Setting, selects_files: bool = False, **options: Any) -> None:
        super().__init__(default=None, description=setting.help, positional=False, **options)
        self.setting = setting
        self.changes_bytes: bool = self.significant and not selects_files

    def __set_name__(self, owner: type[luigi.Task], name: str) -> None:
        super().__set_name__(owner, name)  # type: ignore[no-untyped-call]
        self.setting = dataclasses.replace(self.setting, name=name)

    def _parser_kwargs(  # type: ignore[override]
        self, param_name: str, task_name: str | None = None
    ) -> dict[str, Any]:
        """Return the options of argparse: a flag without a value is true."""
        options: dict[str, Any] = super()._parser_kwargs(  # type: ignore[no-untyped-call]
            param_name, task_name
        )
        is_flag = self.setting.kind == "flag"
        return {**options, "nargs": "?", "const": "true"} if is_flag else options

    def parse(self, text: str) -> Any:
        """Read a value from the command line or from luigi.cfg."""
        return self.setting.parse(text) if text else None

    def normalize(self, value: Any) -> Any:
        """Check a value and return its normal form."""
        return None if value is None else self.setting.check(value)

    def serialize(self, value: Any) -> str:
        """Format a value for the command line."""
        return "" if value is None else self.setting.serialize(value)


def parameter(kind: str, default: Any, description: str, **limits: Any) -> Any:
    """Declare a parameter; the arguments are those of `Setting` and `SettingParameter`."""
    options = {key: limits.pop(key) for key in ("significant", "selects_files") if key in limits}
    return SettingParameter(Setting("", kind, default, description, **limits), **options)


def with_parameters(settings: Mapping[str, Setting]) -> Callable[[_Task], _Task]:
    """Return a class decorator that gives a task a parameter for each setting."""

    def decorate(task: _Task) -> _Task:
        for name, setting in settings.items():
            declared = SettingParameter(setting)
            # A parameter is a descriptor; Python names it only inside a class body.
            declared.__set_name__(task, name)
            setattr(task, name, declared)
        return task

    return decorate
