"""The command ``pipeline``: one module per command, imported when the command is used."""

import copy
import gc as garbage_collector
import importlib
import sys
from typing import Any

import click

from pipeline.errors import SettingError, similar
from pipeline.tasks import command_line, config_file, user_errors

#: Each command is the function of the same name in its module.
_COMMANDS = (
    *("completion", "datasets", "diff", "freeze", "gc", "init", "ls", "models"),
    *("nightly", "plan", "rm", "show", "verify", "why"),
)


def _without_empty(kind: click.ParamType) -> click.ParamType:
    """Return a type that rejects empty values: that of a shell variable that is not set is one."""

    def convert(value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and not value.strip() and param is not None:
            is_option = isinstance(param, click.Option)
            name = param.opts[0] if is_option else str(param.human_readable_name).upper()
            advice = "see --help" if param.required else "or leave it out"
            raise SettingError(f"{name} must not be empty, got {value!r}; give a value, {advice}.")
        return kind.convert(value, param, ctx)

    strict = copy.copy(kind)  # help and completion need its class
    setattr(strict, "convert", convert)  # noqa: B010 - mypy rejects an assignment to a method
    return strict


class _LazyGroup(click.Group):
    """Import the module of a command on demand, so that each command starts fast."""

    def list_commands(self, ctx: click.Context | None) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context | None, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"pipeline.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        for parameter in command.params:
            if parameter.type is not click.UNPROCESSED:  # Luigi's arguments
                parameter.type = _without_empty(parameter.type)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = similar(args[0], _COMMANDS) or f"Known: {', '.join(sorted(_COMMANDS))}"
            ctx.fail(f"There is no command {args[0]!r}; {near.strip()}")
        return super().resolve_command(ctx, args)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="text-classification-pipeline")
def cli() -> None:
    """Inspect what the pipeline wrote, plan its next run, and clean up outputs/.

    Luigi runs the pipeline: luigi --module pipeline RunAll --model bilstm

    Example: pipeline ls
    """
    config_file.check()


def main() -> None:
    """Run the command line; print a user-facing error as one line with its code.

    An internal error keeps its traceback.
    """
    # A command reads many small objects and ends: the search for reference cycles only costs time.
    garbage_collector.disable()
    command_line.write_all_characters()
    try:
        cli(prog_name="pipeline")
    except Exception as error:
        user_error = user_errors.of(error)
        if user_error:
            print(f"Error {user_error.code}: {user_error}", file=sys.stderr)
            sys.exit(2)
        error.add_note("This is an internal error of the pipeline; report it with this traceback.")
        raise
