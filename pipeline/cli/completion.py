"""``pipeline completion``: print the script that completes this command in a shell."""

import click
from click.shell_completion import get_completion_class

from pipeline.cli import output
from pipeline.cli.common import as_json


@click.command()
@as_json
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, as_json: bool, shell: str) -> None:
    """Print the script that makes SHELL complete this command.

    Example: pipeline completion bash >> ~/.bashrc
    """
    complete = get_completion_class(shell)
    assert complete is not None  # click knows each of the choices
    script = complete(context.find_root().command, {}, "pipeline", "_PIPELINE_COMPLETE").source()
    if as_json:
        output.print_json({"shell": shell, "script": script})
    else:
        click.echo(script)
