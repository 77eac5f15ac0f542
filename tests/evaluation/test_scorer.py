import numpy as np
import pytest
from sklearn import metrics as sk

from pipeline.evaluation.metrics import evaluate
from pipeline.evaluation.scorer import Scorer


def random_predictions(n_rows, n_classes, seed=0, decimals=2):
    """Return labels and rounded probabilities, which have ties."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n_rows)
    logits = rng.normal(size=(n_rows, n_classes))
    logits[np.arange(n_rows), labels] += 1
    probabilities = np.round(np.exp(logits), decimals) + 0.01
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def sklearn_metrics(labels, probabilities, weights):
    """Return the metrics of scikit-learn by the names of `Scorer`."""
    n_classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    w = {"sample_weight": weights}
    truth = np.eye(n_classes)[labels]
    score = probabilities[:, 1] if n_classes == 2 else probabilities
    areas = [
        sk.average_precision_score(truth[:, k], probabilities[:, k], **w) for k in range(n_classes)
    ]
    expected = {
        "accuracy": sk.accuracy_score(labels, predicted, **w),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, predicted, **w),
        "matthews": sk.matthews_corrcoef(labels, predicted, **w),
        "kappa": sk.cohen_kappa_score(labels, predicted, **w),
        "log_loss": sk.log_loss(labels, probabilities, labels=range(n_classes), **w),
        "roc_auc": sk.roc_auc_score(labels, score, multi_class="ovr", **w),
        "roc_auc_micro": sk.roc_auc_score(
            truth.ravel(), probabilities.ravel(), sample_weight=np.repeat(weights, n_classes)
        ),
        "average_precision": areas[1] if n_classes == 2 else np.mean(areas),
        "brier": np.average(((probabilities - truth) ** 2).sum(axis=1), weights=weights)
        / (2 if n_classes == 2 else 1),
    }
    for mean in ("macro", "weighted"):
        options = {"average": mean, "zero_division": 0, **w}
        expected[f"{mean}_precision"] = sk.precision_score(labels, predicted, **options)
        expected[f"{mean}_recall"] = sk.recall_score(labels, predicted, **options)
        expected[f"{mean}_f1"] = sk.f1_score(labels, predicted, **options)
    return expected


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("weighted", [False, True], ids=["each row once", "weighted rows"])
def test_metrics_of_weighted_rows_equal_those_of_scikit_learn(n_classes, weighted):
    labels, probabilities = random_predictions(300, n_classes)
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 4, 300).astype(float) if weighted else np.ones(300)
    result = Scorer(labels, probabilities).score(weights[None])
    for name, value in sklearn_metrics(labels, probabilities, weights).items():
        assert result[name][0] == pytest.approx(value, abs=1e-12), name


def test_brier_score_of_two_classes_equals_that_of_scikit_learn():
    labels, probabilities = random_predictions(200, 2)
    expected = sk.brier_score_loss(labels, probabilities[:, 1])
    assert evaluate(labels, probabilities, ["a", "b"])["brier"] == pytest.approx(expected)


def test_metrics_equal_a_calculation_by_hand():
    labels = np.array([0, 0, 0, 0, 1, 1])
    second = np.array([0.1, 0.2, 0.6, 0.3, 0.7, 0.4])
    result = evaluate(labels, np.stack([1 - second, second], axis=1), ["no", "yes"])
    assert result["confusion_matrix"] == [[3, 1], [1, 1]]
    assert result["by_class"]["yes"]["recall"] == 0.5
    assert result["by_class"]["yes"]["specificity"] == 0.75
    # Of the 8 pairs of a yes and a no, only (0.4, 0.6) is in the wrong order.
    assert result["roc_auc"] == pytest.approx(7 / 8)
    # agreed 4 of 6; by chance (4 * 4 + 2 * 2) / 36 = 5 / 9
    assert result["kappa"] == pytest.approx((4 / 6 - 5 / 9) / (1 - 5 / 9))


def test_weight_of_two_counts_a_row_twice():
    labels, probabilities = random_predictions(50, 3)
    weights = np.ones((1, 50))
    weights[0, :10] = 2
    twice = np.concatenate([np.arange(50), np.arange(10)])
    result = Scorer(labels, probabilities).score(weights)
    again = Scorer(labels[twice], probabilities[twice]).score()
    for name in result:
        assert np.allclose(result[name], again[name]), name


def test_class_without_rows_is_undefined_and_excluded_from_means():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    result = evaluate(np.array([0, 1, 1]), probabilities, ["a", "b", "c"], samples=20)
    assert result["by_class"]["c"]["recall"] is None
    assert result["roc_auc"] is None
    assert "roc_auc" not in result["intervals"] or result["intervals"]["roc_auc"] is None
    assert result["macro"]["recall"] == pytest.approx((1 + 0.5) / 2)


def test_log_loss_of_a_certain_mistake_is_finite():
    result = evaluate(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]), ["a", "b"])
    assert result["log_loss"] == pytest.approx(-np.log(1e-15) / 2, rel=1e-6)
