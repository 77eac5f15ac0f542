"""``pipeline rm``: delete artifacts and runs by name."""

import os
import shutil
from pathlib import Path

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, complete_run, open_store, with_paths
from pipeline.nightly import champions
from pipeline.store import files
from pipeline.store.outputs import Artifact, Store


def needed_alone(store: Store, run: Artifact) -> list[Artifact]:
    """List a run and the artifacts that were made for it alone, and for no champion."""
    others = [
        other
        for other in store.all(run.dataset)
        if other != run
        and not champions.is_gate(other.path)
        and run not in store.lineage(other)
        and other not in store.lineage(run)
    ]
    if any(map(store.missing_inputs, others)):
        # A missing artifact may have been made from any of these.
        return [run]
    needed = {item.path for other in others for item in store.lineage(other)}
    needed |= champions.needs(store).keys()
    return [item for item in store.lineage(run) if item.path not in needed]


def remove(path: Path) -> None:
    """Delete a folder; rename it first, so that no process sees a part of it."""
    with files.explained(path):
        renamed = files.temporary_sibling(path)
        os.replace(path, renamed)
        if renamed.is_dir() and not renamed.is_symlink():
            shutil.rmtree(renamed)
        else:
            renamed.unlink(missing_ok=True)


def dangling_links(store: Store) -> list[Path]:
    """List the links in ``latest`` whose target does not exist."""
    links = sorted((store.outputs / "latest").glob("*/*"))
    return [link for link in links if link.is_symlink() and not link.exists()]


def remove_dangling(store: Store) -> list[Path]:
    """Remove the links in ``latest`` whose target does not exist, and return them."""
    links = dangling_links(store)
    for link in links:
        link.unlink(missing_ok=True)
    return links


@click.command()
@as_json
@with_paths
@click.option("--yes", is_flag=True, help="Delete without a question.")
@click.option("--below", is_flag=True, help="Also delete what was made from it.")
@click.argument(
    "names", metavar="PATH|RUN...", nargs=-1, required=True, shell_complete=complete_run
)
def rm(as_json: bool, yes: bool, below: bool, names: tuple[str, ...]) -> None:
    """Delete artifacts or runs.

    A RUN is deleted with the artifacts that were made for it alone, except those that a champion
    was made from. The next run that needs a deleted artifact rebuilds it.

    Example: pipeline rm --yes vader/naive_bayes
    """
    store = open_store()
    selected: list[Artifact] = []
    for artifact in map(store.find, names):
        if artifact.task == "Report":
            selected += needed_alone(store, artifact)
        else:
            selected += [artifact, *(store.below(artifact) if below else ())]
    folders = list(dict.fromkeys(item.path for item in selected))
    champions.refuse(store, folders)
    if not yes:
        if as_json:
            raise click.UsageError("--json asks no question; add --yes to delete.")
        for folder in folders:
            output.print_line(store.short(folder))
        click.confirm(f"Delete {len(folders)} folders?", abort=True)
    for folder in folders:
        remove(folder)
    links = remove_dangling(store)
    if as_json:
        removed = [str(folder) for folder in folders]
        output.print_json({"removed": removed, "removed_links": [str(link) for link in links]})
    else:
        output.print_line(f"Deleted {len(folders)} folders and {len(links)} links in latest/.")
