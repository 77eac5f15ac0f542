"""``pipeline models``: list the models, or the settings of one model."""

from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json
from pipeline.cli.output import Column
from pipeline.errors import UnknownNameError, nearest
from pipeline.features import specs as features
from pipeline.models import specs


def _assignments(rows: list[dict[str, Any]]) -> str:
    """Format parameters with their defaults."""
    return ", ".join(f"{row['parameter']}={row['typed']}" for row in rows)


_MODEL_COLUMNS = (
    Column("model", lambda row: row["model"] + (" (default)" if row["is_default"] else "")),
    Column("reads", drop=1),
    Column("summary", least=20),
    Column("parameters", form=_assignments, least=20, drop=2),
)
_PARAMETER_COLUMNS = (
    Column("parameter"),
    Column("default", "typed"),
    Column("unit", drop=1),
    Column("description", least=20, wraps=True),
)


def _parameter_rows(model: str) -> list[dict[str, Any]]:
    """Describe the parameters that a model adds to the shared ones, and its other defaults."""
    if model not in specs.MODELS:
        raise UnknownNameError(f"unknown model {model!r}; {nearest(model, specs.MODELS)}.")
    spec = specs.MODELS[model]
    settings = {**features.SETTINGS, **specs.HYPERPARAMETERS}
    text = "a parameter of every model, here with another default"
    keys = ("parameter", "default", "typed", "unit", "allowed", "description")
    rows = [
        (name, value, str(value), "", "", text)
        for name, value in spec.defaults.items()
        if name not in settings
    ]
    for name in dict.fromkeys([*features.REPRESENTATIONS[spec.reads].settings, *spec.uses]):
        setting = settings[name]
        default = setting.check(spec.defaults.get(name, setting.default))
        typed = setting.serialize(default)  # as on a command line
        rows.append((name, default, typed, setting.unit, setting.allowed, setting.description))
    return [dict(zip(keys, row, strict=True)) for row in rows]


@click.command()
@as_json
@click.argument("model", required=False)
def models(as_json: bool, model: str | None) -> None:
    """List models, or the parameters of MODEL with defaults.

    Example: pipeline models bilstm
    """
    if model is not None:
        columns, rows = _PARAMETER_COLUMNS, _parameter_rows(model)
    else:
        columns = _MODEL_COLUMNS
        rows = [
            {
                "model": spec.name,
                "reads": spec.reads,
                "summary": spec.summary,
                "is_default": spec.name == specs.DEFAULT,
                "parameters": _parameter_rows(spec.name),
            }
            for spec in specs.MODELS.values()
        ]
    if as_json:
        output.print_json(rows)
    else:
        output.print_table("", columns, rows)
