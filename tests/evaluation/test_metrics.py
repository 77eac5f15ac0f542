import json

import numpy as np
import pytest
from sklearn import metrics as sk

from pipeline.evaluation.metrics import evaluate


def case(n_classes, n_rows=300, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n_rows)
    scores = rng.random((n_rows, n_classes)) + 0.7 * np.eye(n_classes)[labels]
    return labels, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_metrics_equal_those_of_scikit_learn(n_classes):
    labels, probabilities = case(n_classes)
    predicted = probabilities.argmax(axis=1)
    result = evaluate(labels, probabilities, list("abcd")[:n_classes])
    assert result["accuracy"] == pytest.approx(sk.accuracy_score(labels, predicted))
    assert result["log_loss"] == pytest.approx(sk.log_loss(labels, probabilities))
    assert result["confusion_matrix"] == sk.confusion_matrix(labels, predicted).tolist()
    for average in ("macro", "weighted"):
        wanted = sk.precision_recall_fscore_support(labels, predicted, average=average)
        for name, value in zip(("precision", "recall", "f1"), wanted[:3], strict=True):
            assert result[average][name] == pytest.approx(value)
    score = probabilities[:, 1] if n_classes == 2 else probabilities
    assert result["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, score, multi_class="ovr"))


def test_specificity_is_true_negatives_over_negatives():
    labels = np.array([0, 0, 0, 0, 1, 1])
    second = np.array([0.1, 0.2, 0.3, 0.9, 0.8, 0.4])
    result = evaluate(labels, np.stack([1 - second, second], axis=1), ["no", "yes"])
    assert result["by_class"]["yes"]["specificity"] == pytest.approx(3 / 4)
    assert result["by_class"]["no"]["specificity"] == pytest.approx(1 / 2)
    assert result["by_class"]["yes"]["recall"] == pytest.approx(1 / 2)


def test_undefined_metric_is_none_in_json():
    result = evaluate(np.zeros(3, int), np.full((3, 2), 0.5), ["a", "b"])
    assert result["roc_auc"] is None
    assert result["by_class"]["a"]["specificity"] is None
    json.dumps(result, allow_nan=False)
