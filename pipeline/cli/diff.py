"""``pipeline diff``: compare the settings, code, metrics and predictions of two runs."""

import math
from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, complete_run, open_store, with_paths
from pipeline.cli.settings_diff import changes, format_changes, format_value, shorten
from pipeline.store.code_hash import changed_parts
from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import run_row
from pipeline.store.seeds import compare_with_seeds


def difference(store: Store, a: Artifact, b: Artifact, seed: int = 0) -> dict[str, Any]:
    """Compare two artifacts and the steps upstream that both have.

    Parameters
    ----------
    store : Store
    a, b : Artifact
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict
        ``a`` and ``b`` (task, place and, for a report, the row of the run), ``settings`` and
        ``raw_files`` (changes with their task), ``code``, ``libraries``, ``only_in_a`` and
        ``only_in_b`` (tasks). Where both were evaluated, also

        - ``metrics``: the headline metrics of test rows with 95 % bootstrap intervals, and the
          paired difference with interval and p-value;
        - ``test_rows``: number of test rows of a, of b, and in common;
        - ``seeds``: the spread of runs that differ only by seed, see
          `pipeline.store.seeds.compare_with_seeds`;
        - ``predictions``: see `pipeline.cli.predictions_diff.compare_rows`; None where the raw
          files differ, as ids number the records of the raw files.

    Raises
    ------
    DamagedArtifactError
        If a table or the metrics cannot be read.
    """
    steps_a, steps_b = ({item.task: item for item in store.chain(side)} for side in (a, b))
    shared = [task for task in reversed(steps_a) if task in steps_b]
    pairs = [(task, steps_a[task].manifest, steps_b[task].manifest) for task in shared]
    result: dict[str, Any] = {"a": _side(store, a), "b": _side(store, b)}
    for name, key in (("settings", "settings"), ("raw_files", "outside")):
        result[name] = [
            {"task": task, **change}
            for task, old, new in pairs
            for change in changes(old[key], new[key])
        ]
    code = {task: changed_parts(_code_parts(old), _code_parts(new)) for task, old, new in pairs}
    result |= {
        "code": {task: parts for task, parts in code.items() if parts},
        "libraries": changes(a.manifest.get("libraries", {}), b.manifest.get("libraries", {})),
        "only_in_a": sorted(steps_a.keys() - steps_b.keys()),
        "only_in_b": sorted(steps_b.keys() - steps_a.keys()),
    }
    if "Evaluate" in shared:
        is_same_data = not result["raw_files"] and a.place.parts[-3] == b.place.parts[-3]
        evaluated = (steps_a["Evaluate"], steps_b["Evaluate"])
        result |= _compare_evaluated(store, evaluated, seed, is_same_data)
    return result


def _side(store: Store, artifact: Artifact) -> dict[str, Any]:
    """Describe one of the two artifacts."""
    row = run_row(store, artifact) if artifact.task == "Report" else {}
    return {"task": artifact.task, "place": store.short(artifact.place), **row}


def _code_parts(manifest: dict[str, Any]) -> dict[str, str]:
    """Return the hash of each function and file that a step ran."""
    parts: dict[str, str] = manifest.get("code", {}).get("parts", {})
    return parts


def _compare_evaluated(
    store: Store, evaluated: tuple[Artifact, Artifact], seed: int, is_same_data: bool
) -> dict[str, Any]:
    """Compare metrics and predictions."""
    from pipeline.cli.predictions_diff import Predictions, compare_metrics, compare_rows

    predictions = [Predictions.read(item) for item in evaluated]
    result = compare_metrics(store, evaluated, predictions, seed, is_same_data)
    by_name = {row["metric"]: row["difference"] for row in result["metrics"]}
    result["seeds"] = compare_with_seeds(store, *evaluated, by_name)
    rows = compare_rows(store, evaluated, predictions) if is_same_data else None
    return {**result, "predictions": rows}


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
    _print_settings([*result["settings"], *result["raw_files"]])
    for task, parts in result["code"].items():
        output.print_line(f"Code of {task} differs: {shorten(parts)}")
    if result["libraries"]:
        output.print_line(f"Libraries differ: {format_changes(result['libraries'])}")
    if "metrics" in result:
        _print_metrics(result)
        _print_predictions(result["predictions"])


def _print_settings(changed: list[dict[str, Any]]) -> None:
    """Print the settings and checksums that differ."""
    if not changed:
        output.print_line("The settings are the same.")
        return
    columns = [
        output.Column("step", drop=1),
        output.Column("setting"),
        output.Column("a", least=8),
        output.Column("b", least=8),
    ]
    cells = [
        (row["task"], row["name"], format_value(row["from"]), format_value(row["to"]))
        for row in changed
    ]
    output.print_line()
    output.print_table("Settings", columns, cells)


def _print_metrics(result: dict[str, Any]) -> None:
    """Print the metrics of both runs, and how they compare with other seeds."""
    columns = [
        output.Column("test rows"),
        *(output.Column(title, is_number=True) for title in ("a", "b", "b - a", "p")),
    ]
    cells = [
        (
            row["metric"].replace("_", " "),
            _with_interval(row["a"], row["a_interval"]),
            _with_interval(row["b"], row["b_interval"]),
            _with_interval(row["difference"], row["difference_interval"], "+.3f"),
            _p_value(row["p_value"]),
        )
        for row in result["metrics"]
    ]
    output.print_line()
    output.print_table("Metrics, with 95 % bootstrap intervals", columns, cells)
    counts = result["test_rows"]
    if 0 < counts["in_common"] < max(counts["a"], counts["b"]):
        output.print_line(
            f"Differences are on the {counts['in_common']:,} test rows that both runs have."
        )
    if result["seeds"]:
        output.print_line(result["seeds"]["text"])


def _print_predictions(rows: dict[str, Any] | None) -> None:
    """Print the rows whose predicted class differs."""
    if rows is None:
        output.print_line("The raw files differ: predictions cannot be compared row by row.")
        return
    of_same_part = " of the same part in a and b" if rows["other_part"] else ""
    text = (
        f"The predicted class differs in {rows['changed']:,} of {rows['rows']:,} rows{of_same_part}"
    )
    for part, counts in rows["by_part"].items():
        text += f"; {part}: {counts['changed']:,}"
        if part != "unlabelled":
            text += f", of which {counts['better']:,} are right in b and {counts['worse']:,} in a"
    output.print_line()
    output.print_line(text + ".", style="bold")
    if rows["other_part"]:
        output.print_line(_other_parts(rows["other_part"]))
    columns = [
        output.Column("id", is_number=True),
        output.Column("part", drop=1),
        output.Column("label"),
        output.Column("a"),
        output.Column("b"),
        output.Column("text", least=20, drop=2),
    ]
    keys = ("id", "part", "label", "a", "b", "text")
    cells = [["" if row[key] is None else row[key] for key in keys] for row in rows["examples"]]
    output.print_table("", columns, cells)


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


def _with_interval(value: float | None, bounds: list[float] | None, form: str = ".3f") -> str:
    """Format a metric with its interval."""
    if value is None or not math.isfinite(value):
        return "–"
    if bounds is None or not all(map(math.isfinite, bounds)):
        return f"{value:{form}}"
    return f"{value:{form}} [{bounds[0]:{form}}, {bounds[1]:{form}}]"


def _p_value(value: float | None) -> str:
    """Format a p-value."""
    if value is None:
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
