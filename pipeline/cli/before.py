"""Before a run: what it will do, which datasets and models there are, shell completion."""

from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from pipeline.cli.common import as_json, data_folder, store, with_paths
from pipeline.errors import PipelineError

_SHELLS = ("bash", "zsh", "fish")
_STYLES = {"run": "bold yellow", "fetch": "yellow", "fail": "bold red", "wait": "red"}


class _Plan(click.Command):
    """Complete the task's parameters, which are luigi's to parse."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        import pipeline

        task: Any = getattr(pipeline, "RunAll")  # noqa: B009 - mypy would follow it into luigi
        known = [
            CompletionItem(f"--{name.replace('_', '-')}", help=parameter.description)
            for name, parameter in task.get_params()
        ]
        return [
            item
            for item in [*super().shell_complete(ctx, incomplete), *known]
            if item.value.startswith(incomplete)
        ]


def _words(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete what follows ``--model`` and ``--dataset``, and the task's name."""
    from pipeline.data import catalogue
    from pipeline.models import specs

    before = [*context.params.get("words", ()), *context.args]
    last = before[-1] if before else ""
    choices: Sequence[str] = ()
    if last == "--model":
        choices = list(specs.MODELS)
    elif last == "--dataset":
        choices = catalogue.names(data_folder())
    elif not before:
        choices = ["RunAll"]
    return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]


@click.command(
    cls=_Plan,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
)
@as_json
@with_paths
@click.argument("words", nargs=-1, type=click.UNPROCESSED, shell_complete=_words)
def plan(as_json: bool, words: tuple[str, ...]) -> None:
    """Say what a luigi command would do, and why.

    WORDS are those of the command: RunAll --model bilstm --units '[128]'
    """
    from pipeline.cli.planning import plan_of

    result = plan_of(words)
    from pipeline.cli import output

    if as_json:
        output.print_json(result)
        return
    from rich.text import Text

    rows = []
    names = [step["task"] for step in result["steps"]]
    for step in result["steps"]:
        # Where a baseline stands beside the model, some tasks are there twice.
        label = step["place"].rsplit("/", 1)[-1].rsplit("-", 1)[0] if step["place"] else ""
        name = step["task"] + (f" {label}" if names.count(step["task"]) > 1 else "")
        action = Text(step["action"], style=_STYLES.get(step["action"], "green"))
        is_timed = step["action"] == "run" and step["task"] != "RunAll"
        seconds = output.duration(step["seconds"]) if is_timed else ""
        kind = step["kind"].replace("parameter", "setting")
        why = ": ".join(filter(None, (kind, step["why"])))
        rows.append((name, action, seconds, "; ".join(filter(None, (why, step["note"])))))
    out = output.console()
    columns = [
        output.Column("step"),
        output.Column("does"),
        output.Column("expected", is_number=True, drop=1),
        output.Column("why", least=24, wraps=True),
    ]
    output.table("", columns, rows, out)
    for step in result["steps"]:
        if step["action"] == "fail":
            output.line(f"{step['task']} cannot run: {step['why']}", on=out)
    output.line(_summary(result), style="bold", on=out)


def _summary(result: dict[str, Any]) -> str:
    """Say the plan in a sentence."""
    from pipeline.cli import output

    if not result["runs"]:
        return "Nothing to do."
    text = f"{result['runs']} of {len(result['steps'])} run"
    if result["seconds"]:
        text += f", about {output.duration(result['seconds'])}"
    if result["unknown"]:
        names = ", ".join(result["unknown"])
        text += f"; not known yet, since nothing like it has run: {names}"
    return text + "."


@click.command()
@as_json
@with_paths
def datasets(as_json: bool) -> None:
    """List datasets: what is on disk, how to get the rest."""
    from pipeline.cli import catalog, output

    rows = catalog.datasets(data_folder(), store())
    if as_json:
        output.print_json(rows)
        return
    columns = [
        output.Column("dataset"),
        output.Column("state"),
        output.Column("size", is_number=True, drop=2),
        output.Column("runs", is_number=True, drop=1),
        output.Column("labels", drop=4, least=12),
        output.Column("licence", drop=5, least=8),
        output.Column("title", drop=3, least=16),
    ]
    out = output.console()
    cells = [
        (
            row["dataset"],
            row["state"],
            output.size(sum(file["size"] or 0 for file in row["files"])),
            row["runs"],
            ", ".join(row.get("labels", ())),
            row.get("licence", ""),
            row.get("title", ""),
        )
        for row in rows
    ]
    output.table("", columns, cells, out)
    for row in rows:
        if row["get"]:
            output.line(f"{row['dataset']}: {row['get']}", on=out)


@click.command()
@as_json
@click.argument("model", required=False)
def models(as_json: bool, model: str | None) -> None:
    """List models, or the parameters of MODEL with defaults."""
    from pipeline.cli import catalog, output

    if model is not None:
        known = catalog.parameters(model)
        if as_json:
            output.print_json(known)
            return
        columns = [
            output.Column("parameter"),
            output.Column("default"),
            output.Column("unit", drop=1),
            output.Column("description", least=20, wraps=True),
        ]
        keys = ("parameter", "typed", "unit", "description")
        output.table("", columns, [[row[key] for key in keys] for row in known])
        return
    rows = catalog.model_rows()
    if as_json:
        output.print_json(rows)
        return
    columns = [
        output.Column("model"),
        output.Column("reads", drop=1),
        output.Column("what it is", least=20),
        output.Column("parameters", least=20, drop=2),
    ]
    cells = [
        (
            row["model"] + (" (default)" if row["is_default"] else ""),
            row["reads"],
            row["summary"],
            ", ".join(f"{one['parameter']}={one['typed']}" for one in row["parameters"]),
        )
        for row in rows
    ]
    output.table("", columns, cells)


@click.command()
@as_json
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, as_json: bool, shell: str) -> None:
    """Print the script by which SHELL completes this command.

    For bash: pipeline completion bash >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:
        raise PipelineError(f"shell must be one of {', '.join(_SHELLS)}, got {shell}.")
    script = made(context.find_root().command, {}, "pipeline", "_PIPELINE_COMPLETE").source()
    if as_json:
        from pipeline.cli import output

        output.print_json({"shell": shell, "script": script})
    else:
        click.echo(script)


COMMANDS = (plan, datasets, models, completion)
