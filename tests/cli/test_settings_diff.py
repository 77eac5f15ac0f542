"""Differences between nested settings."""

import pytest

from pipeline.cli.settings_diff import changes, distance, flatten, format_value, shorten


@pytest.mark.parametrize(
    ("settings", "flat"),
    [
        ({"a": {"b": {"c": 1}}}, {"a.b.c": 1}),
        ({"units": (64, 32)}, {"units": [64, 32]}),
        ({"files": [{"name": "x"}, {"name": "y"}]}, {"files.0.name": "x", "files.1.name": "y"}),
        ({"none": None, "empty": []}, {"none": None, "empty": []}),
    ],
    ids=["nested", "tuple", "list of objects", "empty values"],
)
def test_settings_are_flattened(settings, flat):
    assert flatten(settings) == flat


def test_setting_of_another_model_is_no_change():
    old = {"model": "naive_bayes", "alpha": 1.0, "seed": 0}
    new = {"model": "bilstm", "units": [64], "seed": 1}
    assert [change["name"] for change in changes(old, new)] == ["model", "seed"]
    assert distance(old, new) == 4


def test_setting_that_only_one_side_has_is_a_change():
    assert changes({}, {"alpha": None}) == [{"name": "alpha", "from": None, "to": None}]


def test_values_and_long_lists_of_names_are_formatted():
    assert format_value((True, None, 3)) == "[true, none, 3]"
    assert shorten("abcde") == "a, b, c and 2 more"
