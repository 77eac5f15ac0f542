"""Luigi parameters made from settings."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import luigi
from luigi.cmdline_parser import CmdlineParser
from luigi.task_register import Register

from pipeline.errors import PipelineError, SettingError
from pipeline.settings.setting import Setting

_Task = TypeVar("_Task", bound=type[luigi.Task])


class TextParameter(luigi.Parameter[Any]):
    """A Luigi parameter for which an empty text is an error.

    Luigi ignores an empty value of the command line, and the value of a shell variable that is not
    set is empty: the run would silently use the default. `check_options` rejects such values of
    the command line, this class those of luigi.cfg.
    """

    def parse(self, text: str) -> Any:
        """Read a value from the command line or from luigi.cfg."""
        if isinstance(text, str) and text and not text.strip():  # a flag is True
            raise _empty_value(self, self._attribute_name)
        return super().parse(text)  # type: ignore[no-untyped-call]

    def has_task_value(self, task_name: str, param_name: str) -> bool:
        """Return whether there is a value; errors are left to `task_value`.

        Luigi hides errors that are raised here behind an error of its own.
        """
        if self._default != luigi.parameter._no_value:
            return True
        try:
            return bool(super().has_task_value(task_name, param_name))  # type: ignore[no-untyped-call]
        except PipelineError:
            return True

    def _get_value_from_config(self, section: str, name: str) -> Any:
        """Read the value from luigi.cfg; raise if it is empty."""
        text = luigi.configuration.get_config().get(section, name, None)  # type: ignore[no-untyped-call]
        if text is None:
            return luigi.parameter._no_value
        if isinstance(text, str) and not text.strip():
            raise _empty_value(self, name, f" in section [{section}] of luigi.cfg")
        return self.parse(text)


class DateParameter(TextParameter, luigi.DateParameter):
    """A date that must not be empty."""


class ChoiceParameter(TextParameter, luigi.ChoiceParameter):
    """A choice that must not be empty."""


class FlagParameter(TextParameter, luigi.BoolParameter):
    """A flag without a value on the command line; true or false in luigi.cfg."""


class SettingParameter(TextParameter):
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
        """Read a value from the command line or from luigi.cfg; `serialize` writes None as ""."""
        return self.setting.parse(super().parse(text)) if text else None

    def normalize(self, value: Any) -> Any:
        """Check a value and return its normal form."""
        return None if value is None else self.setting.check(value)

    def serialize(self, value: Any) -> str:
        """Format a value for the command line."""
        return "" if value is None else self.setting.serialize(value)


def check_options() -> None:
    """Raise if an option of the command line is empty, which Luigi reads as not given.

    Raises
    ------
    SettingError
        With the name of the option and what is allowed.
    """
    parser = CmdlineParser.get_instance()  # type: ignore[no-untyped-call]
    if parser is not None:
        _check_options_of(parser)


@functools.lru_cache(maxsize=1)  # called for each of hundreds of tasks
def _check_options_of(parser: CmdlineParser) -> None:
    for name, value in vars(parser.known_args).items():
        if isinstance(value, str) and not value.strip():
            raise _empty_option(name, parser.known_args.root_task)


def _empty_option(attribute: str, root_task: str) -> SettingError:
    """Return the error for an empty option; its attribute has the task's name before its own."""
    for task, has_no_prefix, name, parameter in Register.get_all_params():  # type: ignore[no-untyped-call]
        if attribute == f"{task}_{name}":
            return _empty_value(parameter, name if has_no_prefix else attribute)
        if task == root_task and attribute == name:
            return _empty_value(parameter, name)
    return SettingError(f"{attribute} must not be empty; give a value, or leave it out.")


def _empty_value(parameter: luigi.Parameter[Any], name: str, place: str = "") -> SettingError:
    """Return the error for an empty value of a parameter."""
    is_required = parameter._default == luigi.parameter._no_value
    advice = "give a value" if is_required else f"give a value, or leave {name} out"
    if isinstance(parameter, SettingParameter):
        allowed = f"be {parameter.setting.allowed}"
    else:
        description = " ".join((parameter.description or "").split())
        allowed = "not be empty" + (f" ({description})" if description else "")
    return SettingError(f"{name} must {allowed}, got an empty value{place}; {advice}.")


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
