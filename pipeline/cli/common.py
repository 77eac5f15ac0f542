"""What the commands share: options, the outputs folder, and names of runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import luigi
from click.shell_completion import CompletionItem

from pipeline.store.outputs import Store
from pipeline.tasks import paths

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for other programs.")


def with_paths(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say where files lie, by luigi's names for them."""
    for name, what in (("outputs", "artifacts"), ("data", "raw files")):
        command = click.option(
            f"--paths-{name}",
            f"--{name}",
            metavar="DIR",
            expose_value=False,
            callback=_set_path,
            help=f"Folder of {what}; luigi.cfg says it otherwise.",
        )(command)
    return command


def store() -> Store:
    """Return the outputs folder."""
    return Store(Path(paths().outputs))


def data_folder() -> Path:
    """Return the data folder."""
    return Path(paths().data)


def run_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a run: ``dataset/model`` or the beginning of a digest."""
    known = store()
    found = [CompletionItem(name, help="newest") for name in known.latest]
    if incomplete and not found:
        found = []
    found += [
        CompletionItem(run.digest[:8], help=known.short(run.place)) for run in known.runs()[:50]
    ]
    return [item for item in found if item.value.startswith(incomplete)]


def _set_path(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        name = str(parameter.name).removeprefix("paths_")
        luigi.configuration.get_config().set("paths", name, value)
