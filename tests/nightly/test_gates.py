"""Measures and comparisons of a night's rows."""

import json

import numpy as np
import pytest
from nights import CLASSES, Nights, few, many

from pipeline.nightly import day_rows, gates
from pipeline.nightly.rules import Limits
from pipeline.nightly.trained_model import Evaluated


def test_models_are_compared_by_their_decided_classes(tmp_path):
    nights = Nights(tmp_path).prepare(nights=())
    nights.put_frozen([*many(9)[:150], *few(9)[:150]])
    nights.put("2024-11-16", few(2))
    settings = {"positive_label": "good", "threshold_goal": "recall_at_precision"}
    evaluate = nights.run(
        "Evaluate",
        dataset="toy",
        date="2024-11-16",
        model="naive_bayes",
        threshold_floor=0.9,
        **settings,
    )
    mine = Evaluated(evaluate.path())
    holdout = mine.holdout_rows()
    predictions = mine.predictions_of(holdout)
    most_probable = holdout.probabilities.argmax(axis=1)
    assert (predictions.decided != most_probable).any()
    assert len(holdout.groups) == len(holdout.raw)
    found = gates.decide(evaluate, None, Limits(metric="accuracy", samples=100))
    right = np.mean(predictions.decided == holdout.labels)
    assert found.figures["values"]["challenger"] == pytest.approx(right)
    assert right != pytest.approx(np.mean(most_probable == holdout.labels))
    assert found.figures["comparison_number"] is None
    assert 0 < len(found.figures["holdout"]) <= 64


@pytest.mark.processes
def test_score_drift_excludes_texts_that_the_champion_was_trained_on(tmp_path):
    nights = Nights(tmp_path).prepare(nights=())
    first = many(2)
    more = few(7) + first[:100]
    nights.put("2024-11-16", first)
    nights.put("2024-11-17", more)
    for date in ("2024-11-16", "2024-11-17"):
        done = nights.nightly(date, "--window", "0")
        assert done.returncode in (0, 50), done.stderr
    place = nights.outputs / "toy" / "nights" / "2024-11-17" / "night.json"
    drift = {one["name"]: one for one in json.loads(place.read_text())["drift"]["distributions"]}
    everything, scored = (sum(drift[name]["current"]) for name in ("classes", "scores"))
    assert everything == len(more)
    # The others are those that the champion learned, and repeats of them.
    assert 0 < scored <= len(more) - 100


@pytest.mark.parametrize("duplicates", ["keep", "drop"])
def test_measures_of_a_day_do_not_depend_on_the_window(tmp_path, duplicates):
    nights = Nights(tmp_path).prepare(nights=())
    nights.put_frozen([many(2)[0], ("nobody says this", "bad")])
    nights.put("2024-11-16", many(2))
    nights.put("2024-11-17", many(2)[:100] + few(7) + [(" ", "bad")])
    found = []
    for window in (1, 2):
        settings = {"dataset": "toy", "date": "2024-11-17", "duplicates": duplicates}
        clean = nights.run("CleanText", **settings, window=window)
        found.append(gates.measure(*day_rows.tables_of_day(clean), CLASSES))
    assert found[0] == found[1]
    assert 300 < found[0].rows < 341
    assert 0 < found[0].repeated_share < 0.2
