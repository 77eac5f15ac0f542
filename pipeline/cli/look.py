"""After a run: what there is, what is in it, what made it, and how two runs differ."""

import math
from collections.abc import Iterator
from typing import Any

import click

from pipeline.cli.common import as_json, data_folder, run_names, store, with_paths
from pipeline.store.outputs import Store


@click.command()
@as_json
@with_paths
@click.option("--dataset", default="*", help="Only this dataset.")
@click.option("--all", "show_all", is_flag=True, help="All runs, not the newest 20.")
def ls(as_json: bool, dataset: str, show_all: bool) -> None:
    """List datasets, newest models and runs with headline metrics."""
    from pipeline.cli import output
    from pipeline.store.overview import listing

    known = store()
    _check_dataset(dataset, known)
    found = listing(known, dataset)
    if as_json:
        output.print_json(found)
        return
    out = output.console()
    if not found["datasets"]:
        of, option = ("", "") if dataset == "*" else (f" of {dataset}", f" --dataset {dataset}")
        text = f"Nothing was run{of} yet. Try: luigi --module pipeline RunAll{option}"
        output.line(text, on=out)
        return
    columns = [
        output.Column("dataset"),
        output.Column("rows", is_number=True, drop=3),
        output.Column("labels", drop=2, least=16),
        output.Column("runs", is_number=True),
        output.Column("best run (validation)", drop=1),
        output.Column("model"),
        output.Column("macro F1 (validation)", is_number=True),
    ]
    rows = [
        (
            row["dataset"],
            output.count(row["rows"]),
            ", ".join(f"{name} {output.count(count)}" for name, count in row["labels"].items()),
            row["runs"],
            row["best_run"] or "",
            row["best_model"] or "",
            output.figure(row["best_validation_macro_f1"]),
        )
        for row in found["datasets"]
    ]
    output.table("Datasets", columns, rows, out)
    output.line(on=out)
    output.table("Newest models (outputs/latest)", *_runs_table(found["models"]), out)
    output.line(on=out)
    runs = found["runs"] if show_all else found["runs"][:20]
    output.table("Runs, newest first", *_runs_table(runs), out)
    if len(runs) < len(found["runs"]):
        output.line(f"{len(found['runs']) - len(runs)} more with --all.", on=out)


def _check_dataset(name: str, known: Store) -> None:
    """Raise where neither the catalogue, the data folder nor the outputs have a dataset."""
    from pipeline.data import catalogue
    from pipeline.errors import PipelineError, nearest

    if name == "*" or name in known.datasets():
        return
    names = {*known.datasets(), *catalogue.names(data_folder())}
    if name not in names:
        raise PipelineError(
            f"unknown dataset {name!r}; {nearest(name, names)}; `pipeline datasets` says more."
        )


def _runs_table(rows: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Lay runs out."""
    from pipeline.cli import output

    columns = [
        output.Column("run"),
        output.Column("dataset"),
        output.Column("model"),
        output.Column("accuracy", is_number=True, drop=1),
        output.Column("macro F1", is_number=True),
        output.Column("ROC AUC", is_number=True, drop=3),
        output.Column("log loss", is_number=True, drop=4),
        output.Column("test rows", is_number=True, drop=6),
        output.Column("training", is_number=True, drop=5),
        output.Column("finished", drop=2),
        output.Column("", drop=7),
    ]
    cells = [
        (
            row["run"],
            row["dataset"],
            row["model"],
            *(output.figure(row[name]) for name in ("accuracy", "macro_f1", "roc_auc", "log_loss")),
            output.count(row["test_rows"]),
            output.duration(row["training_seconds"]),
            row["finished"][:16].replace("T", " "),
            "newest" if row["is_latest"] else "",
        )
        if row["place"] is not None
        else ("gone", row["dataset"], row["model"], *[""] * 8)
        for row in rows
    ]
    return columns, cells


@click.command()
@as_json
@with_paths
@click.option("--rows", default=5, show_default=True, help="Rows of the data to show.")
@click.argument("name", metavar="PATH|RUN", shell_complete=run_names)
def show(as_json: bool, rows: int, name: str) -> None:
    """Show manifest, first rows and figures of an artifact or run."""
    from pipeline.cli import output
    from pipeline.cli.show import contents
    from pipeline.settings.compare import flat, shown

    known = store()
    found = contents(known, known.find(name), rows)
    if as_json:
        output.print_json(found)
        return
    out = output.console()
    manifest = found["manifest"]
    output.line(found["place"], style="bold", on=out)
    if not found["is_whole"]:
        output.line("This folder is not whole: run pipeline verify.", style="bold red", on=out)
    memory = output.figure(manifest["peak_memory_mib"], 1)
    facts = [
        ("task", f"{manifest['task']} (version {manifest['version']})"),
        ("finished", manifest["finished"]),
        ("took", f"{output.duration(manifest['seconds'])}, {memory} MiB"),
        (
            "rows",
            f"{output.count(manifest['rows_in'])} in, {output.count(manifest['rows_out'])} out",
        ),
        ("commit", manifest.get("git_commit") or "unknown"),
        ("code", manifest.get("code", {}).get("fingerprint", "unknown")),
        ("libraries", ", ".join(f"{key} {value}" for key, value in manifest["libraries"].items())),
    ]
    facts += [(key, shown(value)) for key, value in flat(manifest["settings"]).items()]
    _pairs("", facts)
    if "run" in found:
        row = found["run"]
        output.line(on=out)
        output.table("Test rows", *_runs_table([row]), out)
        output.line(on=out)
        steps = [
            (
                step["task"],
                output.duration(step["seconds"]),
                output.count(step["rows_out"]),
                step["place"],
            )
            for step in found["steps"]
        ]
        columns = [
            output.Column("step"),
            output.Column("took", is_number=True, drop=1),
            output.Column("rows out", is_number=True, drop=2),
            output.Column("place"),
        ]
        output.table("Steps", columns, steps, out)
        output.line(f"Report: {found['report']}", on=out)
    output.line(on=out)
    files = [(key, output.size(entry["size"])) for key, entry in manifest["files"].items()]
    output.table(
        "Files", [output.Column("file"), output.Column("size", is_number=True)], files, out
    )
    for table_name, head in found["head"].items():
        output.line(on=out)
        columns = [output.Column(output.plain(title), least=8) for title in head["columns"]]
        output.table(table_name, columns, head["rows"], out)
    if found["figures"]:
        output.line(on=out)
        output.line("Figures", style="bold", on=out)
        for path in found["figures"]:
            output.line(path, on=out)


@click.command()
@as_json
@with_paths
@click.argument("name", metavar="PATH|RUN", shell_complete=run_names)
def why(as_json: bool, name: str) -> None:
    """Show all that made an artifact or run, up to the raw bytes."""
    from pipeline.cli import output
    from pipeline.cli.show import lineage

    known = store()
    found = lineage(known, known.find(name))
    if as_json:
        output.print_json(found)
        return
    from rich.tree import Tree

    out = output.console()
    tree = Tree("")
    _grow(tree, found, set())
    for branch in tree.children:
        out.print(branch)


def _grow(tree: Any, step: dict[str, Any], shown_before: set[str]) -> None:
    """Add a step and what it was made from to a tree, what two ways lead to once only."""
    from rich.text import Text

    from pipeline.cli import output
    from pipeline.settings.compare import flat, shown

    title = Text(output.plain(f"{step['task']}  "), style="bold")
    title.append(output.plain(step["place"]), style="not bold cyan")
    if step["state"] != "whole":
        title.append(f"  ({step['state']})", style="bold red")
    branch = tree.add(title)
    if step["state"] in ("gone", "made from itself"):
        return
    if step["place"] in shown_before:
        branch.add(Text("as above", style="dim"))
        return
    shown_before.add(step["place"])
    settings = flat(step["settings"])
    if step["task"] != "DownloadData":  # its settings are the whole row of the catalogue
        words = ", ".join(f"{name} {shown(value)}" for name, value in settings.items())
        if words:
            branch.add(Text(output.plain(words)))
    words = (
        f"{step['finished']}, {output.duration(step['seconds'])}, "
        f"code {step['code'] or 'unknown'}, commit {(step['git_commit'] or 'unknown')[:12]}"
    )
    branch.add(Text(output.plain(words), style="dim"))
    for file in step["raw_files"]:
        words = f"{file['path']}, {output.size(file['size'])}, sha256 {file['sha256']}"
        raw = Text(output.plain(words) + ", ")
        raw.append(file["state"], style="green" if file["state"] == "unchanged" else "bold red")
        branch.add(raw)
    for other in step["made_from"]:
        _grow(branch, other, shown_before)


@click.command()
@as_json
@with_paths
@click.argument("a", metavar="PATH|RUN", shell_complete=run_names)
@click.argument("b", metavar="PATH|RUN", shell_complete=run_names)
def diff(as_json: bool, a: str, b: str) -> None:
    """Show how two runs differ: settings, metrics, predictions."""
    from pipeline.cli import output
    from pipeline.cli.diff import difference
    from pipeline.settings.compare import shown

    known = store()
    found = difference(known, known.find(a), known.find(b))
    if as_json:
        output.print_json(found)
        return
    out = output.console()
    _pairs("", [("a", found["a"]["place"]), ("b", found["b"]["place"])])
    changed = [
        (row["task"], row["name"], shown(row["from"]), shown(row["to"]))
        for row in [*found["settings"], *found["raw_files"]]
    ]
    if changed:
        columns = [
            output.Column("step", drop=1),
            output.Column("setting"),
            output.Column("a", least=8),
            output.Column("b", least=8),
        ]
        output.line(on=out)
        output.table("Settings", columns, changed, out)
    else:
        output.line("The settings are the same.", on=out)
    for title, differs in (("Code of", found["code"]), ("Libraries", found["libraries"])):
        for text in _differs(differs):
            output.line(f"{title} {text}", on=out)
    if "metrics" in found:
        columns = [
            output.Column("test rows"),
            output.Column("a", is_number=True),
            output.Column("b", is_number=True),
            output.Column("b - a", is_number=True),
            output.Column("p", is_number=True),
        ]
        cells = [
            (
                row["metric"].replace("_", " "),
                _with_interval(row["a"], row.get("a_interval")),
                _with_interval(row["b"], row.get("b_interval")),
                _with_interval(row["difference"], row.get("difference_interval"), sign=True),
                _p_value(row.get("p_value")),
            )
            for row in found["metrics"]
        ]
        output.line(on=out)
        output.table("Metrics, with 95 % bootstrap intervals", columns, cells, out)
        counts = found["test_rows"]
        if 0 < counts["in_common"] < max(counts["a"], counts["b"]):
            text = f"Differences are of the {counts['in_common']:,} test rows that both runs have."
            output.line(text, on=out)
        if found["seeds"]:
            output.line(found["seeds"]["text"], on=out)
    _changed_predictions(found, out)


def _changed_predictions(found: dict[str, Any], out: Any) -> None:
    """Show the rows whose predicted class changed."""
    from pipeline.cli import output

    if "predictions" not in found:
        return
    if found["predictions"] is None:
        output.line("The raw files differ: predictions cannot be compared row by row.", on=out)
        return
    changed = found["predictions"]
    output.line(on=out)
    text = f"{changed['changed']:,} of {changed['rows']:,} rows are predicted otherwise"
    if changed["other_part"]:
        text = text.replace(" rows ", " rows of the same part in a and b ")
    for part, counts in changed["by_part"].items():
        text += f"; {part}: {counts['changed']:,}"
        if part != "unlabelled":
            text += f", of which {counts['better']:,} are right in b and {counts['worse']:,} in a"
    output.line(text + ".", style="bold", on=out)
    if changed["other_part"]:
        output.line(_moved(changed["other_part"]), on=out)
    columns = [
        output.Column("id", is_number=True),
        output.Column("part", drop=1),
        output.Column("label"),
        output.Column("a"),
        output.Column("b"),
        output.Column("text", least=20, drop=2),
    ]
    keys = ("id", "part", "label", "a", "b", "text")
    cells = [["" if row[key] is None else row[key] for key in keys] for row in changed["examples"]]
    output.table("", columns, cells, out)


def _moved(pairs: list[dict[str, Any]]) -> str:
    """Write how many rows have another part in b than in a."""
    total = sum(pair["rows"] for pair in pairs)
    by_pair = "; ".join(
        f"{pair['a']} in a and {pair['b']} in b: {pair['rows']:,}, "
        f"of which {pair['changed']:,} are predicted otherwise"
        for pair in pairs
    )
    return (
        f"{total:,} rows have another part in b than in a and are not counted above, as one of the "
        f"models may be trained on them; {by_pair}."
    )


def _pairs(title: str, pairs: list[tuple[str, Any]]) -> None:
    """Print names and values."""
    from pipeline.cli import output

    columns = [output.Column(""), output.Column("", least=20, wraps=True)]
    output.table(title, columns, pairs)


def _differs(differs: Any) -> Iterator[str]:
    """Write what differs of code or libraries, a line each."""
    from pipeline.cli.explain import listed
    from pipeline.settings.compare import sentence

    if isinstance(differs, dict):
        yield from (f"{task} differs: {listed(parts)}" for task, parts in differs.items())
    elif differs:
        yield "differ: " + listed(map(sentence, differs))


def _with_interval(
    value: float | None, interval: list[float] | None = None, sign: bool = False
) -> str:
    """Write a figure with its interval."""
    if value is None or not math.isfinite(value):
        return "–"
    form = "+.3f" if sign else ".3f"
    if interval is None or not all(map(math.isfinite, interval)):
        return f"{value:{form}}"
    return f"{value:{form}} [{interval[0]:{form}}, {interval[1]:{form}}]"


def _p_value(value: float | None) -> str:
    """Write a p-value."""
    if value is None:
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


COMMANDS = (ls, show, why, diff)
