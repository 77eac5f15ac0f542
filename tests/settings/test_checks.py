"""Settings that other settings make irrelevant are reported, and are no error."""

import pytest

from pipeline import RunAll
from pipeline.models import presets, specs
from pipeline.settings import checks

# Settings of the user, and those of them that have no effect.
CASES = {
    "patience without a reduction": ({"reduce_patience": 5}, ["reduce_patience"]),
    "patience of a reduction": ({"reduce_patience": 5, "reduce_factor": 0.5}, []),
    "unused monitor": (
        {"patience": 0, "monitor": "f1", "min_change": 0.1},
        ["monitor", "min_change"],
    ),
    "monitor of the reduction": (
        {"patience": 0, "monitor": "f1", "min_change": 0.1, "reduce_factor": 0.5},
        [],
    ),
    "no dense layers": (
        {"dense_units": "none", "l2": (0.1,), "activations": ("relu",)},
        ["activations", "l2"],
    ),
    "dense layers": ({"dense_units": (8,), "l2": (0.1,)}, []),
    "model without dense_units": ({"model": "bag_dense", "activations": ("tanh",)}, []),
    "unused language": ({"language": "german"}, ["language"]),
    "language of stems": ({"language": "german", "word_form": "snowball"}, []),
    "case of tokenizer words": ({"tokenizer": "words", "token_case": "lower"}, ["token_case"]),
    "case of tokenizer tweet": ({"tokenizer": "tweet", "token_case": "keep"}, []),
    "no n-grams to hash": (
        {"model": "fasttext", "buckets": 9, "longest_run": 1, "subwords": "none"},
        ["buckets"],
    ),
    "word n-grams to hash": ({"model": "fasttext", "buckets": 9, "subwords": "none"}, []),
    "no bootstrap samples": (
        {"model": "naive_bayes", "bootstrap_seed": 1, "bootstrap_samples": 0},
        ["bootstrap_seed"],
    ),
    "nothing": ({}, []),
}


def without_effect(values):
    settings = RunAll.declared()
    everything = dict.fromkeys(settings) | {"model": "bilstm"} | values
    return checks.without_effect(everything, specs.resolve(everything, settings))


@pytest.mark.parametrize(("values", "expected"), CASES.values(), ids=CASES)
def test_settings_without_effect_are_reported(values, expected):
    lines = without_effect(values)
    assert sorted(line.split(" has no effect: ")[0] for line in lines) == sorted(expected)
    assert all(line.endswith(".") and "\n" not in line for line in lines)


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_settings_of_a_preset_are_not_reported(preset):
    for model in presets.PRESETS[preset]:
        assert without_effect({"preset": preset, "model": model}) == []


@pytest.mark.parametrize("model", specs.MODELS)
def test_settings_without_effect_are_reported_for_every_model(model):
    assert without_effect({"model": model, "language": "german"}) == [
        "language has no effect: only stop_words nltk, a word_form, and the letter case of Turkish "
        "and Azerbaijani need it."
    ]


def test_a_run_warns_and_goes_on(chain, caplog):
    chain.add("toy")
    chain.run(dataset="toy", model="naive_bayes", language="german")
    assert "language has no effect" in caplog.text
