"""``pipeline freeze``: draw holdout rows for nights."""

from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, with_paths
from pipeline.nightly.night import METRICS


@click.command()
@as_json
@with_paths
@click.option("--dataset", required=True, help="Name of the dataset.")
@click.option("--date", help="Day of the raw files; not for files without a date.")
@click.option(
    "--share",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of the labelled rows to draw.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Seed of the draw."
)
@click.option("--renew", is_flag=True, help="Replace holdout rows that nights were compared on.")
@click.option(
    "--metric",
    default="macro_f1",
    show_default=True,
    type=click.Choice(tuple(METRICS)),
    help="With --renew: metric of the champion on the new rows.",
)
def freeze(as_json: bool, **options: Any) -> None:
    """Draw the first set of holdout rows from the rows of a day.

    Rows are drawn as test rows are, and near copies stay together. To enlarge the set, add rows to
    its file, or files to its folder. An existing set is replaced only with --renew: it is moved to
    retired/ in the same folder, new rows are drawn from rows that were never holdout rows and that
    the champion was not trained on, and the champion is scored on them.

    Example: pipeline freeze --dataset tickets --date 2026-11-22
    """
    from pipeline.nightly.holdout_rows import freeze_rows

    result = freeze_rows(**options)
    if as_json:
        output.print_json(result)
        return
    counts = ", ".join(f"{name} {count:,}" for name, count in result["classes"].items())
    click.echo(f"Drew {result['rows']:,} of {result['of']:,} rows ({counts}): {result['path']}")
    if result["retired"]:
        click.echo(
            f"The earlier holdout rows are in {result['retired']}: nothing is compared on them any "
            "more, and nights may train on their texts."
        )
    if result["champion"]:
        click.echo(_score_line(result["champion"]))


def _score_line(score: dict[str, Any]) -> str:
    """Return the sentence about the champion's metric on new holdout rows."""
    value = "no value, because a class has no rows,"
    if score["value"] is not None and score["interval"]:
        value = "{:.4f} ({:.4f} to {:.4f})".format(score["value"], *score["interval"])
    return f"The champion of {score['date']} has {score['metric']} {value} on the new rows."
