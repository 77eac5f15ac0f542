"""Tests from predictions to the content of the files of Evaluate."""

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
GOALS = {
    "none": {},
    "f1": {"threshold_goal": "f1"},
    "recall": {"threshold_goal": "recall_at_precision", "threshold_floor": 0.3},
}
N_ROWS = 1200


def predictions(labels, share_right, seed):
    """Return probabilities of which a share predicts the right class."""
    rng = np.random.default_rng(seed)
    right = rng.random(len(labels)) < share_right
    predicted = np.where(right, labels, 1 - labels)
    second = np.where(predicted == 1, rng.uniform(0.3, 0.9, len(labels)), rng.uniform(0, 0.4))
    return np.stack([1 - second, second], axis=1)


def predicted_rows(near_group=None, **others):
    """Return predictions of 1,200 rows, a third of them for each part."""
    labels = np.random.default_rng(0).integers(0, 2, N_ROWS)
    words = [["good" if label else "bad", f"w{at}"] for at, label in enumerate(labels)]
    texts = [" ".join(text) for text in words]
    empty = pa.array([[]] * N_ROWS, pa.list_(pa.string()))
    groups = np.arange(N_ROWS)
    rows = pa.table(
        {
            "id": groups,
            "source_id": pa.nulls(N_ROWS, pa.string()),
            "file": pa.array(["a.csv"] * N_ROWS).dictionary_encode(),
            "line": groups + 2,
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
        name: Predictions(rows, rows.argmax(axis=1))
        for name, rows in ((name, predictions(labels, *how)) for name, how in others.items())
    }
    return Predicted(
        parts, predictions(labels, 0.8, 1), NAMES, rows, Tokens.from_lists(words), False, baselines
    )


@pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS.keys())
def test_decided_classes_are_scored_in_every_part(goal):
    result = assess(predicted_rows(), {**SETTINGS, **goal})
    table = result.predictions.to_pandas()
    for part in ("test", "validation", "train"):
        rows = table[table["part"] == part]
        accuracy = (rows["label"] == rows["decided"]).mean()
        assert result.metrics[part]["accuracy"] == pytest.approx(accuracy)
    if goal:
        assert (table["decided"] != table["predicted"]).any()
        assert result.metrics["threshold"]["test"]["accuracy"] == result.metrics["test"]["accuracy"]
    else:
        assert (table["decided"] == table["predicted"]).all()
        assert result.decision["threshold"] is None
        assert "test" not in result.metrics["threshold"]
    assert result.metrics["positive_label"] == "yes"
    (entry,) = (entry for entry in result.metrics["slices"] if entry["value"] == "with")
    rows = table[(table["part"] == "test") & (table["id"] % 4 > 0)]
    assert entry["accuracy"] == pytest.approx((rows["label"] == rows["decided"]).mean())
    wrong = result.most_wrong.to_pandas()
    decided = table.set_index("id").loc[wrong["id"]]["decided"]
    assert list(wrong["predicted"]) == list(decided)


def test_intervals_and_tests_treat_near_groups_as_one_observation():
    other = {"other": (0.7, 2)}
    alone = assess(predicted_rows(**other), SETTINGS).metrics
    together = assess(predicted_rows(np.arange(N_ROWS) // 60, **other), SETTINGS).metrics

    def width(metrics, *path):
        for key in path:
            metrics = metrics[key]
        return metrics[1] - metrics[0]

    # Groups of independent rows: intervals are about as wide, but not equal.
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


def test_copied_rows_do_not_narrow_intervals_of_evaluate():
    predicted = predicted_rows()
    once = assess(predicted, SETTINGS).metrics
    rows = np.repeat(np.arange(N_ROWS), 3)
    tokens = predicted.tokens.take(rows)
    table = predicted.rows.take(pa.array(rows))
    table = table.set_column(0, "id", pa.array(np.arange(len(rows))))
    parts = Parts(np.arange(len(rows)), predicted.parts.labels[rows], predicted.parts.parts[rows])
    copied = Predicted(parts, predicted.probabilities[rows], NAMES, table, tokens, False, {})
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
    spread = [np.ptp([entry["accuracy_interval"] for entry in result], axis=1) for result in slices]
    np.testing.assert_allclose(spread[1], spread[0], rtol=0.05)
    chance = [metrics["calibration"]["raw"]["by_chance"]["upper"] for metrics in (once, thrice)]
    assert chance[1] == pytest.approx(chance[0], rel=0.05)
    assert [entry["rows"] * 3 for entry in slices[0]] == [entry["rows"] for entry in slices[1]]


def test_metrics_without_leaked_rows_score_decided_classes():
    predicted = predicted_rows()
    test, train = predicted.parts.rows("test"), predicted.parts.rows("train")
    groups = np.arange(N_ROWS)
    groups[test[:100]] = groups[train[:100]]
    at = predicted.rows.column_names.index("group")
    rows = predicted.rows.set_column(at, "group", pa.array(groups))
    near = np.arange(N_ROWS) // 60
    at = rows.column_names.index("near_group")
    settings = {**SETTINGS, **GOALS["recall"]}
    result = [
        assess(Predicted(**{**predicted.__dict__, "rows": table}), settings)
        for table in (rows, rows.set_column(at, "near_group", pa.array(near)))
    ]
    alone, together = (one.metrics["leaks"]["without_exact"] for one in result)
    assert alone["rows"] == len(test) - 100
    decided = result[0].predictions.to_pandas().set_index("id").loc[test[100:]]
    assert alone["accuracy"] == pytest.approx((decided["label"] == decided["decided"]).mean())
    assert alone["accuracy"] == together["accuracy"]
    assert alone["intervals"]["accuracy"] != together["intervals"]["accuracy"]


def test_verdict_is_about_the_best_baseline_on_validation_rows():
    predicted = predicted_rows(weak=(0.6, 2), strong=(0.85, 3))
    result = assess(predicted, SETTINGS).metrics
    assert set(result["baselines"]) == {"weak", "strong", "majority"}
    verdict = result["verdict"]
    values = verdict["chosen_by"]["values"]
    assert verdict["baseline"] == max(values, key=values.get) == "strong"
    difference = result["baselines"]["strong"]["difference"]
    assert verdict["p_value"] == difference[verdict["metric"]]["p_value"]
    assert verdict["level"] in ("no better", "worse")


def test_verdict_with_a_threshold_is_by_macro_f1_and_not_about_the_majority():
    predicted = predicted_rows(weak=(0.3, 2))
    plain, with_threshold = (
        assess(predicted, {**SETTINGS, **keys}).metrics["verdict"] for keys in ({}, GOALS["f1"])
    )
    assert plain["baseline"] == with_threshold["baseline"] == "weak"
    assert plain["chosen_by"]["values"]["majority"] > plain["chosen_by"]["values"]["weak"]
    assert plain["chosen_by"]["metric"] == plain["metric"] == "accuracy"
    assert with_threshold["chosen_by"]["metric"] == with_threshold["metric"] == "macro_f1"
    rows = predicted.parts.rows("validation")
    f1 = f1_score(
        predicted.parts.labels[rows], predicted.baselines["weak"].decided[rows], average="macro"
    )
    assert with_threshold["chosen_by"]["values"]["weak"] == pytest.approx(f1)


def test_baselines_are_compared_by_their_decided_classes():
    predicted = predicted_rows(other=(0.8, 1))
    probabilities = predicted.baselines["other"].probabilities
    all_second = Predictions(probabilities, np.ones(N_ROWS, int))
    result = assess(
        Predicted(**{**predicted.__dict__, "baselines": {"other": all_second}}), SETTINGS
    ).metrics["baselines"]["other"]
    labels = predicted.parts.labels_of("test")
    assert result["accuracy"] == pytest.approx(labels.mean())
    assert result["confusion_matrix"] == [[0, int((labels == 0).sum())], [0, int(labels.sum())]]


def test_baseline_trained_on_a_sample_has_its_number_of_rows():
    predicted = predicted_rows(other=(0.8, 1))
    sampled = Predictions(
        predicted.baselines["other"].probabilities, np.ones(N_ROWS, int), 100, 400
    )
    result = assess(Predicted(**{**predicted.__dict__, "baselines": {"other": sampled}}), SETTINGS)
    entry = result.metrics["baselines"]["other"]
    assert (entry["trained_on_rows"], entry["of_rows"]) == (100, 400)
    assert "of_rows" not in result.metrics["baselines"]["majority"]


def test_calibration_error_has_its_size_by_chance():
    result = assess(predicted_rows(), SETTINGS)
    for kind in ("raw", "calibrated"):
        chance = result.metrics["calibration"][kind]["by_chance"]
        assert 0 < chance["mean"] < chance["upper"]
    assert "temperature_not_used_because" in result.decision


def test_validation_rows_of_a_refitted_model_choose_nothing():
    predicted = predicted_rows()
    refitted = Predicted(**{**predicted.__dict__, "trained_on_validation": True})
    result = assess(refitted, {**SETTINGS, "threshold_goal": "f1"})
    assert result.decision["threshold"] is None
    assert result.decision["temperature"] == 1.0
    assert "not trained on" in result.decision["temperature_not_used_because"]
    assert "not trained on" in result.decision["not_chosen_because"]
