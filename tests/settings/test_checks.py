"""Settings that other settings make irrelevant are reported, and are no error."""

import pytest

from pipeline.models import presets, specs
from pipeline.settings import checks
from pipeline.tasks import RunAll

# Settings of the user, and those of them that have no effect.
CASES = {
    "patience of a reduction that never comes": ({"reduce_patience": 5}, ["reduce_patience"]),
    "patience of a reduction": ({"reduce_patience": 5, "reduce_factor": 0.5}, []),
    "figure that nothing follows": (
        {"patience": 0, "monitor": "f1", "min_change": 0.1},
        ["monitor", "min_change"],
    ),
    "figure that the reduction follows": (
        {"patience": 0, "monitor": "f1", "min_change": 0.1, "reduce_factor": 0.5},
        [],
    ),
    "layers that are not there": (
        {"dense_units": "none", "l2": (0.1,), "activations": ("relu",)},
        ["activations", "l2"],
    ),
    "layers that are there": ({"dense_units": (8,), "l2": (0.1,)}, []),
    "layers of another kind": ({"model": "bag_dense", "activations": ("tanh",)}, []),
    "language of nothing": ({"language": "german"}, ["language"]),
    "language of stems": ({"language": "german", "word_form": "snowball"}, []),
    "case of lowered words": ({"tokenizer": "words", "token_case": "lower"}, ["token_case"]),
    "case of tweets": ({"tokenizer": "tweet", "token_case": "keep"}, []),
    "buckets of nothing": (
        {"model": "fasttext", "buckets": 9, "longest_run": 1, "subwords": "none"},
        ["buckets"],
    ),
    "buckets of runs": ({"model": "fasttext", "buckets": 9, "subwords": "none"}, []),
    "seed of no samples": (
        {"model": "naive_bayes", "bootstrap_seed": 1, "bootstrap_samples": 0},
        ["bootstrap_seed"],
    ),
    "nothing": ({}, []),
}


def without_effect(given):
    settings = RunAll.declared()
    everything = dict.fromkeys(settings) | {"model": "bilstm"} | given
    return checks.without_effect(everything, specs.resolve(everything, settings))


@pytest.mark.parametrize(("given", "named"), CASES.values(), ids=CASES)
def test_settings_without_effect_are_reported(given, named):
    lines = without_effect(given)
    assert sorted(line.split(" has no effect: ")[0] for line in lines) == sorted(named)
    assert all(line.endswith(".") and "\n" not in line for line in lines)


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_settings_of_a_preset_are_not_reported(preset):
    for model in presets.PRESETS[preset]:
        assert without_effect({"preset": preset, "model": model}) == []


@pytest.mark.parametrize("model", specs.MODELS)
def test_settings_without_effect_are_reported_for_every_model(model):
    assert without_effect({"model": model, "language": "german"}) == [
        "language has no effect: only stop_words nltk and a word_form need it."
    ]


def test_a_run_warns_and_goes_on(chain, caplog):
    chain.add("toy")
    chain.run(dataset="toy", model="naive_bayes", language="german")
    assert "language has no effect" in caplog.text
