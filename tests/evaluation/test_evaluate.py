"""What Evaluate finds: decided classes are scored everywhere, duplicate groups are drawn whole."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score

from pipeline.data.split import Parts
from pipeline.evaluation.evaluate import Predicted, assess
from pipeline.evaluation.predictions import Predictions
from pipeline.text.tokens import Tokens

NAMES = ("no", "yes")
SETTINGS = {
    "positive_label": "auto",
    "threshold_goal": "none",
    "bootstrap_samples": 200,
    "bootstrap_seed": 0,
}
ASKED = {
    "nothing": {},
    "f1": {"threshold_goal": "f1"},
    "recall": {"threshold_goal": "recall_at_precision", "threshold_floor": 0.3},
}
N_ROWS = 1200


def predictions(labels, share_right, seed):
    """Return probabilities that name the right class in a share of the rows."""
    rng = np.random.default_rng(seed)
    right = rng.random(len(labels)) < share_right
    named = np.where(right, labels, 1 - labels)
    second = np.where(named == 1, rng.uniform(0.3, 0.9, len(labels)), rng.uniform(0, 0.4))
    return np.stack([1 - second, second], axis=1)


def predicted(near_group=None, **others):
    """Return predictions of 1,200 rows, a third of them for each part."""
    labels = np.random.default_rng(0).integers(0, 2, N_ROWS)
    words = [["good" if label else "bad", f"w{at}"] for at, label in enumerate(labels)]
    texts = [" ".join(text) for text in words]
    empty = pa.array([[]] * N_ROWS, pa.list_(pa.string()))
    groups = np.arange(N_ROWS)
    rows = pa.table(
        {
            "id": groups,
            "raw": texts,
            "clean": texts,
            "group": groups,
            "near_group": groups if near_group is None else near_group,
            "urls": pa.array([["u"] if at % 4 else [] for at in range(N_ROWS)]),
            **dict.fromkeys(("mentions", "hashtags"), empty),
        }
    )
    parts = Parts(groups, labels.astype(np.int32), (groups % 3).astype(np.int8))
    baselines = {
        name: Predictions(found, found.argmax(axis=1))
        for name, found in ((name, predictions(labels, *how)) for name, how in others.items())
    }
    return Predicted(
        parts, predictions(labels, 0.8, 1), NAMES, rows, Tokens.from_lists(words), False, baselines
    )


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_decided_classes_are_scored_in_every_part(asked):
    found = assess(predicted(), {**SETTINGS, **asked})
    table = found.predictions.to_pandas()
    for part in ("test", "validation", "train"):
        rows = table[table["part"] == part]
        accuracy = (rows["label"] == rows["decided"]).mean()
        assert found.metrics[part]["accuracy"] == pytest.approx(accuracy)
    if asked:
        assert (table["decided"] != table["predicted"]).any()
        assert found.metrics["threshold"]["test"]["accuracy"] == found.metrics["test"]["accuracy"]
    else:
        assert (table["decided"] == table["predicted"]).all()
        assert found.decision["threshold"] is None
        assert "test" not in found.metrics["threshold"]
    assert found.metrics["positive_label"] == "yes"
    (entry,) = (entry for entry in found.metrics["slices"] if entry["value"] == "with")
    rows = table[(table["part"] == "test") & (table["id"] % 4 > 0)]
    assert entry["accuracy"] == pytest.approx((rows["label"] == rows["decided"]).mean())
    wrong = found.most_wrong.to_pandas()
    decided = table.set_index("id").loc[wrong["id"]]["decided"]
    assert list(wrong["predicted"]) == list(decided)


def test_intervals_and_tests_draw_near_groups_whole():
    other = {"other": (0.7, 2)}
    alone = assess(predicted(**other), SETTINGS).metrics
    together = assess(predicted(np.arange(N_ROWS) // 60, **other), SETTINGS).metrics

    def width(metrics, *path):
        for key in path:
            metrics = metrics[key]
        return metrics[1] - metrics[0]

    # Twenty groups of independent rows: about as wide, but not the same numbers.
    for path in (
        ("test", "intervals", "accuracy"),
        ("baselines", "other", "difference", "accuracy", "interval"),
    ):
        assert width(together, *path) != width(alone, *path)
        assert width(together, *path) == pytest.approx(width(alone, *path), rel=0.6)
    name, key = "other", "p_value"
    assert alone["baselines"][name]["mcnemar"][key] != together["baselines"][name]["mcnemar"][key]
    for metrics in (alone, together):
        compared = metrics["baselines"][name]
        assert compared["mcnemar"][key] == compared["difference"]["accuracy"][key]


def test_copies_of_rows_make_intervals_no_narrower():
    given = predicted()
    once = assess(given, SETTINGS).metrics
    rows = np.repeat(np.arange(N_ROWS), 3)
    tokens = given.tokens.take(rows)
    table = given.rows.take(pa.array(rows))
    table = table.set_column(0, "id", pa.array(np.arange(len(rows))))
    parts = Parts(np.arange(len(rows)), given.parts.labels[rows], given.parts.parts[rows])
    copied = Predicted(parts, given.probabilities[rows], NAMES, table, tokens, False, {})
    thrice = assess(copied, SETTINGS).metrics
    for path in (("accuracy",), ("macro", "f1"), ("roc_auc",)):
        widths = []
        for metrics in (once, thrice):
            bounds = metrics["test"]["intervals"]
            for key in path:
                bounds = bounds[key]
            widths.append(bounds[1] - bounds[0])
        assert widths[1] == pytest.approx(widths[0], rel=0.02)
    slices = [metrics["slices"] for metrics in (once, thrice)]
    spread = [np.ptp([entry["accuracy_interval"] for entry in found], axis=1) for found in slices]
    np.testing.assert_allclose(spread[1], spread[0], rtol=0.05)
    chance = [metrics["calibration"]["raw"]["by_chance"]["upper"] for metrics in (once, thrice)]
    assert chance[1] == pytest.approx(chance[0], rel=0.05)
    assert [entry["rows"] * 3 for entry in slices[0]] == [entry["rows"] for entry in slices[1]]


def test_without_leaked_rows_decided_classes_and_groups_are_scored_too():
    given = predicted()
    test, train = given.parts.rows("test"), given.parts.rows("train")
    groups = np.arange(N_ROWS)
    groups[test[:100]] = groups[train[:100]]
    at = given.rows.column_names.index("group")
    rows = given.rows.set_column(at, "group", pa.array(groups))
    near = np.arange(N_ROWS) // 60
    at = rows.column_names.index("near_group")
    settings = {**SETTINGS, **ASKED["recall"]}
    found = [
        assess(Predicted(**{**given.__dict__, "rows": table}), settings)
        for table in (rows, rows.set_column(at, "near_group", pa.array(near)))
    ]
    alone, together = (one.metrics["leaks"]["without_exact"] for one in found)
    assert alone["rows"] == len(test) - 100
    decided = found[0].predictions.to_pandas().iloc[test[100:]]
    assert alone["accuracy"] == pytest.approx((decided["label"] == decided["decided"]).mean())
    assert alone["accuracy"] == together["accuracy"]
    assert alone["intervals"]["accuracy"] != together["intervals"]["accuracy"]


def test_verdict_is_about_the_baseline_that_is_best_on_validation_rows():
    given = predicted(weak=(0.6, 2), strong=(0.85, 3))
    found = assess(given, SETTINGS).metrics
    assert set(found["baselines"]) == {"weak", "strong", "majority"}
    verdict = found["verdict"]
    values = verdict["chosen_by"]["values"]
    assert verdict["baseline"] == max(values, key=values.get) == "strong"
    difference = found["baselines"]["strong"]["difference"]
    assert verdict["p_value"] == difference[verdict["metric"]]["p_value"]
    assert verdict["level"] in ("no better", "worse")


def test_verdict_with_a_threshold_is_led_by_macro_f1_and_never_about_the_largest_class():
    given = predicted(weak=(0.3, 2))
    plain, asked = (
        assess(given, {**SETTINGS, **keys}).metrics["verdict"] for keys in ({}, ASKED["f1"])
    )
    assert plain["baseline"] == asked["baseline"] == "weak"
    assert plain["chosen_by"]["values"]["majority"] > plain["chosen_by"]["values"]["weak"]
    assert plain["chosen_by"]["metric"] == plain["metric"] == "accuracy"
    assert asked["chosen_by"]["metric"] == asked["metric"] == "macro_f1"
    rows = given.parts.rows("validation")
    f1 = f1_score(given.parts.labels[rows], given.baselines["weak"].decided[rows], average="macro")
    assert asked["chosen_by"]["values"]["weak"] == pytest.approx(f1)


def test_baselines_are_compared_by_their_own_decided_classes():
    given = predicted(other=(0.8, 1))
    probabilities = given.baselines["other"].probabilities
    all_second = Predictions(probabilities, np.ones(N_ROWS, int))
    found = assess(
        Predicted(**{**given.__dict__, "baselines": {"other": all_second}}), SETTINGS
    ).metrics["baselines"]["other"]
    labels = given.parts.labels_of("test")
    assert found["accuracy"] == pytest.approx(labels.mean())
    assert found["confusion_matrix"] == [[0, int((labels == 0).sum())], [0, int(labels.sum())]]


def test_baseline_that_was_trained_on_a_sample_says_so():
    given = predicted(other=(0.8, 1))
    cut = Predictions(given.baselines["other"].probabilities, np.ones(N_ROWS, int), 100, 400)
    found = assess(Predicted(**{**given.__dict__, "baselines": {"other": cut}}), SETTINGS)
    entry = found.metrics["baselines"]["other"]
    assert (entry["trained_on_rows"], entry["of_rows"]) == (100, 400)
    assert "of_rows" not in found.metrics["baselines"]["majority"]


def test_error_of_probabilities_has_what_a_calibrated_model_shows_by_chance():
    found = assess(predicted(), SETTINGS)
    for kind in ("raw", "calibrated"):
        chance = found.metrics["calibration"][kind]["by_chance"]
        assert 0 < chance["mean"] < chance["upper"]
    assert "temperature_not_used_because" in found.decision


def test_rows_that_were_trained_on_choose_nothing():
    given = predicted()
    refitted = Predicted(**{**given.__dict__, "trained_on_validation": True})
    found = assess(refitted, {**SETTINGS, "threshold_goal": "f1"})
    assert found.decision["threshold"] is None
    assert found.decision["temperature"] == 1.0
    assert "not trained on" in found.decision["temperature_not_used_because"]
    assert "not trained on" in found.decision["not_chosen_because"]
