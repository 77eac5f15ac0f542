"""The command ``pipeline``: look into outputs/, plan a run, keep things tidy."""

import gc as garbage_collector
import sys

import click

from pipeline.cli import before, look, tidy
from pipeline.errors import PipelineError
from pipeline.nightly import commands


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="text-classification-pipeline")
def cli() -> None:
    """Look into what the pipeline wrote, plan its next run, and keep outputs/ tidy.

    Runs are made by luigi: luigi --module pipeline RunAll --model bilstm
    """


for _command in (*before.COMMANDS, *look.COMMANDS, *tidy.COMMANDS, *commands.COMMANDS):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; errors that a user can act on are one line."""
    # A command reads thousands of small things and ends: cycles among them are not worth a search.
    garbage_collector.disable()
    try:
        cli(prog_name="pipeline")
    except PipelineError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
