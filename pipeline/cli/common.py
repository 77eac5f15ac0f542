"""Options and arguments that several commands share, and the folders that they work on."""

import os
import shlex
from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from pipeline.errors import StorageError
from pipeline.store.outputs import Store
from pipeline.tasks.config import outputs_folder, paths, set_option

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for other programs.")


def with_paths(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options ``--paths-outputs`` and ``--paths-data``, which override luigi.cfg."""
    for name, content in (("outputs", "artifacts"), ("data", "raw files")):
        command = click.option(
            f"--paths-{name}",
            f"--{name}",
            metavar="DIR",
            expose_value=False,
            callback=_set_path,
            help=f"Folder of {content}; default: the one in luigi.cfg.",
        )(command)
    return command


def given_folders(context: click.Context) -> list[str]:
    """Return the options of `with_paths` as the user gave them, to repeat in another command."""
    words = []
    for name in ("data", "outputs"):
        value = context.meta.get(f"paths_{name}")
        if value is not None:
            words += [f"--paths-{name}", shlex.quote(value)]
    return words


def open_store() -> Store:
    """Return the store of the outputs folder."""
    return Store(outputs_folder())


def complete_run(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete ``dataset/model`` of a newest model, or the digest of one of the newest runs."""
    store = open_store()
    items = [CompletionItem(name, help="newest") for name in store.latest]
    runs = store.runs()[:50]
    items += [CompletionItem(run.digest[:8], help=store.short(run.path)) for run in runs]
    return [item for item in items if item.value.startswith(incomplete)]


def _set_path(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Override a folder in Luigi's configuration, and check that it can be read."""
    name = str(parameter.name).removeprefix("paths_")
    if value is not None:
        set_option("paths", name, value)
        context.meta[f"paths_{name}"] = value
    if context.resilient_parsing:  # the shell completes a word
        return
    folder = getattr(paths(), name)
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise StorageError(f"{folder} is a file, not a folder; choose a folder with --{name} DIR.")
    if os.path.exists(folder) and not os.access(folder, os.R_OK | os.X_OK):
        raise StorageError(
            f"{folder} cannot be read; change its permissions or choose another folder with "
            f"--{name} DIR."
        )
