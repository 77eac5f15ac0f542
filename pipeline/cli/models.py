"""``pipeline models``: list the models, or the settings of one model."""

from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json
from pipeline.errors import UnknownNameError, nearest
from pipeline.features import specs as features
from pipeline.models import specs


def model_rows() -> list[dict[str, Any]]:
    """Describe each model: ``model``, ``reads``, ``summary``, ``is_default``, ``parameters``."""
    return [
        {
            "model": spec.name,
            "reads": spec.reads,
            "summary": spec.summary,
            "is_default": spec.name == specs.DEFAULT,
            "parameters": parameter_rows(spec.name),
        }
        for spec in specs.MODELS.values()
    ]


def parameter_rows(model: str) -> list[dict[str, Any]]:
    """Describe the settings that a model adds to the shared ones, or has its own default of.

    Returns
    -------
    list of dict
        ``parameter``, ``default``, ``typed`` (the default as on a command line), ``unit``,
        ``allowed`` and ``description``.

    Raises
    ------
    UnknownNameError
        If there is no such model.

    Examples
    --------
    >>> [row["parameter"] for row in parameter_rows("naive_bayes")][-1]
    'alpha'
    """
    if model not in specs.MODELS:
        raise UnknownNameError(f"unknown model {model!r}; {nearest(model, specs.MODELS)}.")
    spec = specs.MODELS[model]
    settings = {**features.SETTINGS, **specs.HYPERPARAMETERS}
    names = [*features.REPRESENTATIONS[spec.reads].settings, *spec.uses]
    shared = [
        {
            "parameter": name,
            "default": value,
            "typed": str(value),
            "unit": "",
            "allowed": "",
            "description": "a parameter of every model; this model has its own default",
        }
        for name, value in spec.defaults.items()
        if name not in settings
    ]
    special = []
    for name in dict.fromkeys(names):
        setting = settings[name]
        default = setting.check(spec.defaults.get(name, setting.default))
        special.append(
            {
                "parameter": name,
                "default": default,
                "typed": setting.serialize(default),
                "unit": setting.unit,
                "allowed": setting.allowed,
                "description": setting.description,
            }
        )
    return shared + special


@click.command()
@as_json
@click.argument("model", required=False)
def models(as_json: bool, model: str | None) -> None:
    """List models, or the parameters of MODEL with defaults.

    Example: pipeline models bilstm
    """
    rows = model_rows() if model is None else parameter_rows(model)
    if as_json:
        output.print_json(rows)
    elif model is None:
        columns = [
            output.Column("model"),
            output.Column("reads", drop=1),
            output.Column("summary", least=20),
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
        output.print_table("", columns, cells)
    else:
        columns = [
            output.Column("parameter"),
            output.Column("default"),
            output.Column("unit", drop=1),
            output.Column("description", least=20, wraps=True),
        ]
        keys = ("parameter", "typed", "unit", "description")
        output.print_table("", columns, [[row[key] for key in keys] for row in rows])
