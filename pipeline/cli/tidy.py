"""Keep outputs/ sound and small: verify, repair, remove."""

from pathlib import Path
from typing import Any

import click

from pipeline.cli.common import as_json, run_names, store, with_paths

_HOUR = 3600.0


@click.command()
@as_json
@with_paths
@click.option("--repair", is_flag=True, help="Move damaged artifacts aside.")
@click.argument("names", metavar="[PATH|RUN]...", nargs=-1, shell_complete=run_names)
@click.pass_context
def verify(context: click.Context, as_json: bool, repair: bool, names: tuple[str, ...]) -> None:
    """Check every file against its sha256.

    A RUN is checked with all that it was made from. What --repair moves aside is built again by
    the next run, alone. Without it the command ends with 1 when something is damaged, or when
    something that RUN was made from is gone. Files that file managers leave (.DS_Store, ._*,
    Thumbs.db, ehthumbs.db, desktop.ini, .directory) are no damage.
    """
    from pipeline.cli import gc, output, verify

    known = store()
    places, gone = None, []
    if names:
        chosen = [_places(known, name) for name in names]
        places = list(dict.fromkeys(place for some, _ in chosen for place in some))
        gone = list({entry["place"]: entry for _, some in chosen for entry in some}.values())
    found = {**verify.verify(known, places), "gone": gone}
    if repair:
        for entry in found["damaged"]:
            entry["moved_to"] = str(verify.move_aside(known, Path(entry["place"])))
        found["removed_links"] = [str(link) for link in gc.remove_dangling(known)]
    if as_json:
        output.print_json(found)
    else:
        _tell(found)
    if not repair and (found["damaged"] or found["dangling"] or gone):
        context.exit(1)


def _tell(found: dict[str, Any]) -> None:
    """Say what was checked and what was found."""
    from pipeline.cli import output

    out = output.console()
    for entry in found["damaged"]:
        output.line(entry["place"], style="bold red", on=out)
        for problem in entry["problems"]:
            output.line(f"  {problem}", on=out)
        if "moved_to" in entry:
            output.line(f"  moved to {entry['moved_to']}; the next run builds it again", on=out)
    for entry in found["gone"]:
        output.line(f"{entry['place']} is gone", style="bold red", on=out)
        output.line(f"  {entry['needed_by']} was made from it", on=out)
        output.line("  the next run builds it again; what it was made from cannot be told:", on=out)
        output.line("  all steps of the dataset before it were checked", on=out)
    for link in found["dangling"]:
        output.line(f"{link} leads nowhere", style="bold red", on=out)
    checked = f"{found['artifacts']:,} artifacts, {found['files']:,} files"
    text = f"Checked {checked}, {output.size(found['bytes'])}: "
    damaged = len(found["damaged"])
    text += f"{damaged} damaged" if damaged else "all as they were written"
    text += f", {len(found['gone'])} gone." if found["gone"] else "."
    output.line(text, style="bold", on=out)
    if damaged and "removed_links" not in found:
        output.line("pipeline verify --repair moves them aside.", on=out)


def _places(known: Any, name: str) -> tuple[list[Path], list[dict[str, str]]]:
    """Return the places that a name stands for, of a run also what it was made from or lacks."""
    from pipeline.cli import verify
    from pipeline.errors import PipelineError

    try:
        artifact = known.find(name)
    except PipelineError:
        # A folder without a readable manifest has no name, but it can be damaged.
        by_real = {place.resolve(): place for place in known.places()}
        for place in (Path(name), known.outputs / name, known.outputs / "latest" / name):
            if place.resolve() in by_real:
                return [by_real[place.resolve()]], []
        raise
    if artifact.task == "Report":
        return verify.made_from(known, artifact)
    return [artifact.place], []


@click.command()
@as_json
@with_paths
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--below", is_flag=True, help="Also what was made from it.")
@click.argument("names", metavar="PATH|RUN...", nargs=-1, required=True, shell_complete=run_names)
@click.pass_context
def rm(
    context: click.Context, as_json: bool, yes: bool, below: bool, names: tuple[str, ...]
) -> None:
    """Delete artifacts or runs.

    Of a RUN goes what was made for it alone; what a champion is made of stays. A deleted artifact
    is built again by the next run that needs it.
    """
    from pipeline.cli import gc, output
    from pipeline.nightly import champions

    known = store()
    places: list[Path] = []
    for name in names:
        artifact = known.find(name)
        group = [artifact]
        if artifact.task == "Report":
            group = gc.needed_alone(known, artifact)
        elif below:
            group += known.below(artifact)
        places += [item.place for item in group if item.place not in places]
    champions.refuse(known, places)
    if not yes:
        if as_json:
            raise click.UsageError("--json asks nothing: add --yes to delete.")
        for place in places:
            output.line(known.short(place))
        click.confirm(f"Delete {len(places)} folders?", abort=True)
    for place in places:
        gc.remove(place)
    links = gc.remove_dangling(known)
    if as_json:
        removed = [str(place) for place in places]
        output.print_json({"removed": removed, "removed_links": [str(link) for link in links]})
    else:
        output.line(f"Deleted {len(places)} folders and {len(links)} links of outputs/latest.")


@click.command()
@as_json
@with_paths
@click.option("--delete", is_flag=True, help="Delete; without it, only say what would go.")
@click.option(
    "--keep",
    default=10,
    show_default=True,
    type=click.IntRange(min=0),
    help="Newest runs of each dataset to keep.",
)
@click.option(
    "--champions",
    default=10,
    show_default=True,
    type=click.IntRange(min=0),
    help="Earlier champions of each dataset to keep, besides the one in place.",
)
@click.option(
    "--hours",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Keep what is younger: a run under way may need it.",
)
def gc(as_json: bool, delete: bool, keep: int, champions: int, hours: float) -> None:
    """Find what nothing refers to any more; delete it if told.

    Kept are the newest runs, what outputs/latest refers to, champions, and all that these were
    made from. Temporary folders of dead processes go, those of living ones stay.
    """
    from pipeline.cli import gc, output

    known = store()
    found = gc.unreferenced(known, keep, hours * _HOUR, champions)
    if delete:
        for entry in found:
            gc.remove(Path(entry["place"]))
    if as_json:
        output.print_json({"deleted": delete, "found": found})
        return
    out = output.console()
    columns = [
        output.Column("folder"),
        output.Column("size", is_number=True),
        output.Column("why", drop=1),
    ]
    if found:
        cells = [
            (known.short(Path(entry["place"])), output.size(entry["bytes"]), entry["reason"])
            for entry in found
        ]
        output.table("", columns, cells, out)
    total = output.size(sum(entry["bytes"] for entry in found))
    text = f"{len(found)} folders, {total}: "
    if not found:
        text = "Nothing to delete."
    elif delete:
        text += "deleted."
    else:
        text += "nothing was deleted; pipeline gc --delete does it."
    output.line(text, style="bold", on=out)


COMMANDS = (verify, rm, gc)
