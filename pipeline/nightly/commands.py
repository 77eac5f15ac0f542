"""Nights: run one from cron, and freeze the rows that test the models of all nights."""

import datetime
from typing import Any

import click

from pipeline.cli.common import as_json, with_paths
from pipeline.nightly.night import METRICS

#: Exit code of each outcome; failures end with Luigi's own, section [retcode] of luigi.cfg.
EXIT_CODES = {
    "promoted": 0,
    "kept": 50,
    "unchanged": 51,
    "contract_broken": 52,
    "drift_stop": 53,
}
#: luigid cannot be reached, which Luigi itself tells from no other error.
UNREACHED = 41
_FAILED = 30


@click.command(context_settings={"ignore_unknown_options": True})
@as_json
@with_paths
@click.option(
    "--redo",
    is_flag=True,
    help="Decide a date again that is decided, such as with a mended file or another model.",
)
@click.option(
    "--asked",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
    help="With --redo: when that was asked for, such as 2026-11-22T02:30:00+0100. A date that was "
    "decided again since is not decided once more; deploy/night.sh sets it for its tries.",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def nightly(
    context: click.Context,
    as_json: bool,
    redo: bool,
    asked: datetime.datetime | None,
    words: tuple[str, ...],
) -> None:
    r"""Run a night, print its outcome, end with its exit code.

    WORDS are those of the task Nightly: --dataset tickets --model bilstm --window 7. The date is
    today where --date is left out. The line goes to standard output, Luigi's log to standard error.

    \b
    Exit codes: 0 promoted, 50 kept, 51 unchanged data, 52 contract broken,
    53 stopped by drift; 41 luigid cannot be reached. Another failure has Luigi's own,
    section [retcode] of luigi.cfg: 30 the task failed, 35 its scheduling or the date was
    decided with another model, 10 it is run already, 40 wrong parameters.
    """
    today = datetime.date.today().isoformat()
    for option in ("--date", "--today"):
        if not any(word == option or word.startswith(f"{option}=") for word in words):
            words = (option, today, *words)
    if redo:
        words = (*words, "--redo", str(_next_redo(words, asked)))
    code, night = _run(words)
    if night is None:
        context.exit(code)
    if as_json:
        from pipeline.cli import output

        output.print_json(night.as_json())
    else:
        click.echo(f"{night.date} {night.dataset}: {night.outcome}: {night.reason}")
    context.exit(EXIT_CODES[night.outcome])


def _run(words: tuple[str, ...]) -> tuple[int, Any]:
    """Run the night through luigi; return its exit code and, where it is recorded, the night."""
    from luigi.cmdline_parser import CmdlineParser
    from luigi.retcodes import retcode, run_with_retcodes
    from luigi.rpc import RPCError

    from pipeline.nightly import notifications, records
    from pipeline.tasks import process_setup

    argv = _luigis(words)
    process_setup.end_cleanly_on_sigterm()
    code = 0
    try:
        run_with_retcodes(argv)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
        # Luigi ends the process while it handles the error.
        code = UNREACHED if isinstance(end.__context__, RPCError) else code
    with CmdlineParser.global_instance(argv) as parser:
        # Luigi says "already running" too where a task was waited for that another worker ran.
        if code not in (0, retcode().already_running):
            return code, None
        task = parser.get_task_obj()
        if task.complete():
            notifications.tell(task.name, task.called)  # what could not be sent before
            return 0, records.read_night(task.name, task.day)
        # Without [retcode] in a luigi.cfg Luigi ends with 0 after failures.
        return code or _FAILED, None


def _next_redo(words: tuple[str, ...], asked: datetime.datetime | None) -> int:
    """Return which time a night that is decided would be decided."""
    from luigi.cmdline_parser import CmdlineParser

    from pipeline.nightly import attempts

    with CmdlineParser.global_instance(_luigis(words)) as parser:
        task = parser.get_task_obj()
    return attempts.next_number(task.name, task.day, asked)


def _luigis(words: tuple[str, ...]) -> list[str]:
    """Return what luigi is given; the folders too, which its own parser would forget."""
    from pipeline.tasks import paths

    folders = ["--paths-data", str(paths().data), "--paths-outputs", str(paths().outputs)]
    return ["--module", "pipeline", "Nightly", *words, *folders]


@click.command()
@as_json
@with_paths
@click.option("--dataset", required=True, help="The dataset.")
@click.option("--date", help="Day of the raw files; left out: those without a date.")
@click.option(
    "--share",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of the labelled rows.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of the draw."
)
@click.option(
    "--renew",
    is_flag=True,
    help="Draw new rows in place of frozen rows that many nights were compared on.",
)
@click.option(
    "--metric",
    default="macro_f1",
    show_default=True,
    type=click.Choice(tuple(METRICS)),
    help="With --renew: what the champion is scored by on the new rows.",
)
def freeze(
    as_json: bool,
    dataset: str,
    date: str | None,
    share: float,
    seed: int,
    renew: bool,
    metric: str,
) -> None:
    """Make the first set of frozen test rows from a day's rows.

    Rows are drawn as test rows are, and near copies go together. The set is grown by hand: add rows
    to its file, or files to its folder. It is never made again over one that is there, unless
    --renew is given: then the present set is moved to retired/ in the same folder, new rows are
    drawn from rows that were never frozen and that the champion was not trained on, and the
    champion is scored on them.
    """
    from pipeline.nightly.holdout_rows import freeze_rows

    found = freeze_rows(dataset, date, share, seed, renew, metric)
    if as_json:
        from pipeline.cli import output

        output.print_json(found)
        return
    counts = ", ".join(f"{name} {count:,}" for name, count in found["classes"].items())
    click.echo(f"Froze {found['rows']:,} of {found['of']:,} rows ({counts}): {found['path']}")
    if found["retired"]:
        click.echo(
            f"The rows before them are in {found['retired']}: nothing is compared on them any "
            "more, and nights may train on their texts."
        )
    scored = found["champion"]
    if scored:
        shown = "none, for want of rows of every class,"
        if scored["value"] is not None and scored["interval"]:
            shown = "{:.4f} ({:.4f} to {:.4f})".format(scored["value"], *scored["interval"])
        click.echo(
            f"The champion of {scored['date']} has {scored['metric']} {shown} on the new rows."
        )


COMMANDS = (nightly, freeze)
