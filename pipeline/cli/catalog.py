"""What can be chosen: the datasets of the catalogue and the models of the registry."""

from pathlib import Path
from typing import Any

from pipeline.data import catalogue, daily, raw_files
from pipeline.errors import PipelineError, nearest
from pipeline.features import specs as features
from pipeline.models import specs as models
from pipeline.store.outputs import Store


def datasets(data: Path, store: Store) -> list[dict[str, Any]]:
    """Describe each dataset: what of it is on disk, and how to get the rest.

    Parameters
    ----------
    data : Path
        The data folder.
    store : Store

    Returns
    -------
    list of dict
        ``dataset``, ``title``, ``labels``, ``licence``, ``homepage``, ``files`` (name, path or
        None, size), ``state`` (ready, download, by hand, broken), ``get`` (what to do) and
        ``runs``.
    """
    return [_dataset(name, data, store) for name in catalogue.names(data)]


def model_rows() -> list[dict[str, Any]]:
    """Describe each model of the registry in one row."""
    return [
        {
            "model": row.name,
            "reads": row.reads,
            "summary": row.summary,
            "is_default": row.name == models.DEFAULT,
            "parameters": parameters(row.name),
        }
        for row in models.MODELS.values()
    ]


def parameters(model: str) -> list[dict[str, Any]]:
    """List the parameters that a model uses besides those that all share, with its defaults.

    Raises
    ------
    PipelineError
        If there is no such model.
    """
    if model not in models.MODELS:
        raise PipelineError(f"unknown model {model!r}; {nearest(model, models.MODELS)}.")
    row = models.MODELS[model]
    known = {**features.SETTINGS, **models.HYPERPARAMETERS}
    names = [*features.REPRESENTATIONS[row.reads].settings, *row.uses]
    of_others = [
        {
            "parameter": name,
            "default": value,
            "typed": str(value),
            "unit": "",
            "allowed": "",
            "description": "a parameter of every model, with this one's own default",
        }
        for name, value in row.defaults.items()
        if name not in known
    ]
    return of_others + [
        {
            "parameter": name,
            "default": setting.check(row.defaults.get(name, setting.default)),
            "typed": setting.serialize(setting.check(row.defaults.get(name, setting.default))),
            "unit": setting.unit,
            "allowed": setting.allowed,
            "description": setting.description,
        }
        for name, setting in ((name, known[name]) for name in dict.fromkeys(names))
    ]


def _dataset(name: str, data: Path, store: Store) -> dict[str, Any]:
    """Describe one dataset."""
    runs = len(store.runs(name))
    try:
        row = catalogue.load(name, data)
    except PipelineError as error:
        return {"dataset": name, "state": "broken", "get": str(error), "files": [], "runs": runs}
    folder = data / name
    day = None
    if daily.is_daily(row):
        # The newest of its days stands for all; without one, a name shows where the date goes.
        day = next(reversed(daily.days(row, folder)), "{date}")
    missing = [file for file, _ in daily.missing(row, folder, day)]
    by_hand = [file for file in missing if file.source.kind == "by_hand"]
    files = []
    for file, place in daily.expected_files(row, folder, day):
        path = raw_files.locate(file, place)
        size = path.stat().st_size if path else None
        there = str(path) if path else None
        files.append({"name": file.name, "path": there, "size": size, "is_optional": file.optional})
    if not missing:
        state, get = "ready", ""
    elif by_hand:
        state, get = "by hand", raw_files.manual_instructions(by_hand[0], row, folder)
    else:
        state = "download"
        get = f"fetched by the first run from {missing[0].source.address}"
    return {
        "dataset": name,
        "title": row.title or name,
        "labels": [label.name for label in row.labels],
        "licence": row.licence,
        "homepage": row.homepage,
        "files": files,
        "state": state,
        "get": get,
        "runs": runs,
    }
