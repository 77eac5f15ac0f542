"""Defaults: the value of the user, else of the preset, the model, the setting."""

from types import SimpleNamespace

import pytest

from pipeline.errors import PipelineError
from pipeline.settings.resolve import default, resolve
from pipeline.settings.setting import Setting

ALPHA = Setting("alpha", "float", 1, "smoothing")
UNITS = Setting("units", "ints", (64,), "width")
DECLARED = {"alpha": ALPHA, "units": UNITS}
MODEL = SimpleNamespace(
    name="linear", defaults={"alpha": 2}, used=frozenset({"alpha"}), unused=frozenset({"units"})
)


@pytest.mark.parametrize(
    ("values", "model", "preset", "alpha"),
    [
        ({"alpha": 5.0}, MODEL, {"alpha": 3}, 5.0),
        ({"alpha": None}, MODEL, {"alpha": 3}, 3.0),
        ({}, MODEL, {}, 2.0),
        ({}, None, None, 1.0),
    ],
    ids=["user", "preset", "model", "setting"],
)
def test_first_source_with_a_value_wins(values, model, preset, alpha):
    settings = resolve(values, DECLARED, model, preset)
    assert repr(settings.alpha) == repr(alpha)


def test_unused_setting_is_none():
    assert resolve({}, DECLARED, MODEL)["units"] is None


def test_unused_setting_of_the_user_is_an_error():
    with pytest.raises(PipelineError, match="model 'linear' does not use units.*It uses alpha"):
        resolve({"units": (8,)}, DECLARED, MODEL)


def test_seed_is_allowed_for_every_model():
    seed = Setting("seed", "int", 0, "seed")
    model = SimpleNamespace(name="linear", defaults={}, used=frozenset(), unused={"seed"})
    assert resolve({"seed": 3}, {"seed": seed}, model)["seed"] is None


def test_default_of_a_list_has_its_normal_form():
    assert default(UNITS, preset={"units": [8, 4]}) == (8, 4)
