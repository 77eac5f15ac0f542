"""``pipeline diff``: compare the settings, code, metrics and predictions of two runs."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, complete_run, open_store, with_paths
from pipeline.cli.output import Column, print_line, print_table
from pipeline.cli.settings_diff import changes, format_changes, format_value, shorten
from pipeline.store.code_hash import changed_parts
from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import run_row


def _with_interval(key: str, form: str = ".3f") -> Callable[[Mapping[str, Any]], str]:
    """Return the function that formats a metric of a row with its interval."""

    def text(row: Mapping[str, Any]) -> str:
        value, interval = row[key], row[f"{key}_interval"]
        if value is None or not math.isfinite(value):
            return "–"
        if interval is None or not all(map(math.isfinite, interval)):
            return f"{value:{form}}"
        return f"{value:{form}} [{interval[0]:{form}}, {interval[1]:{form}}]"

    return text


def _p_value(value: float | None) -> str:
    """Format a p-value."""
    return "<0.001" if value is not None and value < 0.001 else output.metric(value)


_SETTING_COLUMNS = (
    Column("step", "task", drop=1),
    Column("setting", "name"),
    Column("a", "from", format_value, least=8),
    Column("b", "to", format_value, least=8),
)
_METRIC_COLUMNS = (
    Column("test rows", lambda row: row["metric"].replace("_", " ")),
    Column("a", _with_interval("a"), is_number=True),
    Column("b", _with_interval("b"), is_number=True),
    Column("b - a", _with_interval("difference", "+.3f"), is_number=True),
    Column("p", "p_value", _p_value, is_number=True),
)
_EXAMPLE_COLUMNS = (
    Column("id", is_number=True),
    Column("part", drop=1),
    Column("label"),
    Column("a"),
    Column("b"),
    Column("text", least=20, drop=2),
)


def difference(store: Store, a: Artifact, b: Artifact) -> dict[str, Any]:
    """Compare two artifacts and the steps upstream that both have.

    Where both were evaluated, the result also has that of
    `pipeline.cli.predictions_diff.compare_evaluated`.
    """
    steps_a, steps_b = ({item.task: item for item in store.chain(side)} for side in (a, b))
    shared = [task for task in reversed(steps_a) if task in steps_b]
    pairs = [(task, steps_a[task].manifest, steps_b[task].manifest) for task in shared]
    settings, raw_files = (
        [
            {"task": task, **change}
            for task, old, new in pairs
            for change in changes(old[key], new[key])
        ]
        for key in ("settings", "outside")
    )
    code = {
        task: changed_parts(*(manifest.get("code", {}).get("parts", {}) for manifest in (old, new)))
        for task, old, new in pairs
    }
    result: dict[str, Any] = {
        "a": _side(store, a),
        "b": _side(store, b),
        "settings": settings,
        "raw_files": raw_files,
        "code": {task: parts for task, parts in code.items() if parts},
        "libraries": changes(a.manifest.get("libraries", {}), b.manifest.get("libraries", {})),
        "only_in_a": sorted(steps_a.keys() - steps_b.keys()),
        "only_in_b": sorted(steps_b.keys() - steps_a.keys()),
    }
    if "Evaluate" in shared:
        from pipeline.cli.predictions_diff import compare_evaluated

        is_same_data = not result["raw_files"] and a.dataset == b.dataset
        evaluated = (steps_a["Evaluate"], steps_b["Evaluate"])
        result |= compare_evaluated(store, evaluated, is_same_data)
    return result


def _side(store: Store, artifact: Artifact) -> dict[str, Any]:
    """Describe one of the two artifacts."""
    row = run_row(store, artifact) if artifact.task == "Report" else {}
    return {"task": artifact.task, "place": store.short(artifact.path), **row}


@click.command()
@as_json
@with_paths
@click.argument("a", metavar="PATH|RUN", shell_complete=complete_run)
@click.argument("b", metavar="PATH|RUN", shell_complete=complete_run)
def diff(as_json: bool, a: str, b: str) -> None:
    """Show how two runs differ: settings, metrics, predictions.

    Example: pipeline diff vader/bilstm vader/naive_bayes
    """
    store = open_store()
    result = difference(store, store.find(a), store.find(b))
    if as_json:
        output.print_json(result)
        return
    output.print_pairs([("a", result["a"]["place"]), ("b", result["b"]["place"])])
    changed = [*result["settings"], *result["raw_files"]]
    if changed:
        print_line()
        print_table("Settings", _SETTING_COLUMNS, changed)
    else:
        print_line("The settings are the same.")
    for task, parts in result["code"].items():
        print_line(f"Code of {task} differs: {shorten(parts)}")
    if result["libraries"]:
        print_line(f"Libraries differ: {format_changes(result['libraries'])}")
    if "metrics" in result:
        _print_metrics(result)
        _print_predictions(result["predictions"])


def _print_metrics(result: dict[str, Any]) -> None:
    """Print the metrics of both runs, and how they compare with other seeds."""
    print_line()
    print_table("Metrics, with 95 % bootstrap intervals", _METRIC_COLUMNS, result["metrics"])
    counts = result["test_rows"]
    if 0 < counts["in_common"] < max(counts["a"], counts["b"]):
        print_line(f"Differences are on the {counts['in_common']:,} test rows that both runs have.")
    if result["seeds"]:
        print_line(result["seeds"]["text"])


def _print_predictions(rows: dict[str, Any] | None) -> None:
    """Print the rows whose predicted class differs."""
    if rows is None:
        print_line("The raw files differ: predictions cannot be compared row by row.")
        return
    text = f"The predicted class differs in {rows['changed']:,} of {rows['rows']:,} rows"
    if rows["other_part"]:
        text += " of the same part in a and b"
    for part, counts in rows["by_part"].items():
        text += f"; {part}: {counts['changed']:,}"
        if part != "unlabelled":
            text += f", of which {counts['better']:,} are right in b and {counts['worse']:,} in a"
    print_line()
    print_line(text + ".", style="bold")
    if rows["other_part"]:
        print_line(_other_parts(rows["other_part"]))
    print_table("", _EXAMPLE_COLUMNS, rows["examples"])


def _other_parts(pairs: list[dict[str, Any]]) -> str:
    """Describe the rows that have another part in b than in a."""
    total = sum(pair["rows"] for pair in pairs)
    by_pair = "; ".join(
        f"{pair['a']} in a and {pair['b']} in b: {pair['rows']:,}, "
        f"of which {pair['changed']:,} have another predicted class"
        for pair in pairs
    )
    return (
        f"{total:,} rows have another part in b than in a; they are not counted above, because "
        f"one of the models may be trained on them. {by_pair}."
    )
