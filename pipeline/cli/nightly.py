"""``pipeline nightly``: run a night."""

import datetime

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, with_paths
from pipeline.nightly.night import Night

#: Exit code of each outcome; section [retcode] of luigi.cfg has those of failures.
EXIT_CODES = {
    "promoted": 0,
    "kept": 50,
    "unchanged": 51,
    "contract_broken": 52,
    "drift_stop": 53,
}
#: luigid cannot be reached; Luigi has no exit code of its own for this error.
UNREACHED = 41
_FAILED = 30


@click.command(context_settings={"ignore_unknown_options": True})
@as_json
@with_paths
@click.option(
    "--redo",
    is_flag=True,
    help="Decide a date again, for example after its file was corrected, or with another model.",
)
@click.option(
    "--asked",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
    help="With --redo: time of the request, such as 2026-11-22T02:30:00+0100. A date that was "
    "decided again since then is not decided once more; deploy/night.sh sets it for its tries.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def nightly(
    context: click.Context,
    as_json: bool,
    redo: bool,
    asked: datetime.datetime | None,
    arguments: tuple[str, ...],
) -> None:
    """Run a night, print its outcome, and end with its exit code.

    ARGUMENTS are those of the task Nightly: --dataset tickets --model bilstm --window 7. The
    default of --date is today. The outcome goes to standard output, Luigi's log to standard error.

    \b
    Exit codes: 0 promoted, 50 kept, 51 unchanged data, 52 contract broken,
    53 stopped by drift; 41 luigid cannot be reached. Other failures have Luigi's
    codes, section [retcode] of luigi.cfg: 30 the task failed, 35 it could not be
    scheduled or the date was decided with another model, 10 another process runs
    it, 40 wrong parameters.

    Example: pipeline nightly --dataset tickets --model bilstm
    """  # noqa: D301
    today = datetime.date.today().isoformat()
    for option in ("--date", "--today"):
        if not any(argument.split("=")[0] == option for argument in arguments):
            arguments = (option, today, *arguments)
    if redo:
        arguments = (*arguments, "--redo", str(_next_redo(arguments, asked)))
    code, night = _run(arguments)
    if night is None:
        context.exit(code)
    if as_json:
        output.print_json(night.as_json())
    else:
        click.echo(f"{night.date} {night.dataset}: {night.outcome}: {night.reason}")
    context.exit(EXIT_CODES[night.outcome])


def _run(arguments: tuple[str, ...]) -> tuple[int, Night | None]:
    """Run the night with luigi; return its exit code and, if it is recorded, the night."""
    from luigi.cmdline_parser import CmdlineParser
    from luigi.retcodes import retcode, run_with_retcodes
    from luigi.rpc import RPCError

    from pipeline.nightly import notifications, records
    from pipeline.tasks import interrupt

    command = _luigi_arguments(arguments)
    with CmdlineParser.global_instance(command):  # exits if a parameter is wrong
        already_running = retcode().already_running
    interrupt.end_cleanly_on_sigterm()
    code = 0
    try:
        run_with_retcodes(command)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
        # Luigi exits inside its handler of the error.
        code = UNREACHED if isinstance(end.__context__, RPCError) else code
    # Luigi also exits with "already running" after it waited for a task of another worker.
    if code not in (0, already_running):
        return code, None
    with CmdlineParser.global_instance(command) as parser:
        task = parser.get_task_obj()
        if task.complete():
            notifications.send_pending(task.name, task.folder_name)
            return 0, records.read_night(task.name, task.day)
        # Without [retcode] in luigi.cfg Luigi exits with 0 after failures.
        return code or _FAILED, None


def _next_redo(arguments: tuple[str, ...], asked: datetime.datetime | None) -> int:
    """Return the number of the next decision on a night."""
    from luigi.cmdline_parser import CmdlineParser

    from pipeline.nightly import attempts

    with CmdlineParser.global_instance(_luigi_arguments(arguments)) as parser:
        task = parser.get_task_obj()
    return attempts.next_number(task.name, task.day, asked)


def _luigi_arguments(arguments: tuple[str, ...]) -> list[str]:
    """Return the arguments of luigi, with the folders, which its parser would reset."""
    from pipeline.tasks.config import paths

    folders = ["--paths-data", str(paths().data), "--paths-outputs", str(paths().outputs)]
    return ["--module", "pipeline", "Nightly", *arguments, *folders]
