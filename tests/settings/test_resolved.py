import copy
import pickle

import pytest

from pipeline.errors import PipelineError
from pipeline.settings.resolved import Settings

SETTINGS = Settings({"alpha": 1.0, "units": None}, "model 'naive_bayes'")


def test_settings_are_a_mapping_with_attributes():
    assert dict(SETTINGS) == {"alpha": 1.0, "units": None}
    assert {**SETTINGS} == SETTINGS
    assert SETTINGS.alpha == SETTINGS["alpha"] == 1.0
    assert SETTINGS.get("beta", 2) == 2


def test_unused_setting_is_an_error_with_the_model():
    with pytest.raises(PipelineError, match="does not use units; it uses alpha"):
        SETTINGS.units  # noqa: B018


def test_unknown_setting_is_an_attribute_error_with_similar_names():
    with pytest.raises(AttributeError, match="'alpa'; did you mean 'alpha'"):
        SETTINGS.alpa  # noqa: B018
    assert not hasattr(SETTINGS, "beta")


def test_settings_are_read_only():
    with pytest.raises(AttributeError, match="read-only"):
        SETTINGS.alpha = 2
    with pytest.raises(TypeError):
        SETTINGS["alpha"] = 2


def test_settings_can_be_copied_and_sent_to_another_process():
    assert copy.deepcopy(SETTINGS) == SETTINGS
    assert pickle.loads(pickle.dumps(SETTINGS)) == SETTINGS  # noqa: S301
