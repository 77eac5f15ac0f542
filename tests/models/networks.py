"""Builds networks for the tests of models."""

from pipeline.models import specs


def build(model, problem, **changes):
    """Build a network with the defaults of a model and some changes."""
    row = specs.MODELS[model]
    settings = {
        name: specs.HYPERPARAMETERS[name].check(
            changes.pop(name, row.defaults.get(name, specs.HYPERPARAMETERS[name].default))
        )
        for name in row.uses
    }
    assert not changes, f"{model} does not use {list(changes)}"
    return row.load_builder()(problem, settings)
