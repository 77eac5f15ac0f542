"""fastText, and texts that contain its special words."""

import numpy as np
import pytest

from pipeline.models.base import TrainingData

pytestmark = pytest.mark.network
SETTINGS = {
    "embedding_size": 5,
    "epochs": 50,
    "learning_rate": 0.5,
    "longest_run": 1,
    "subwords": "none",
    "buckets": 100,
    "seed": 0,
}


def test_labels_and_line_ends_inside_texts_are_words():
    pytest.importorskip("fasttext")
    from pipeline.models.fasttext import FastText

    lines = np.array(["good __label__9 day", "bad </s> day __label__1"] * 20, dtype=object)
    labels = np.array([0, 1] * 20)
    data = TrainingData(lines, labels, lines[:0], labels[:0], ["good", "bad"], 0, None, None)
    model, _ = FastText.fit("fasttext", data, SETTINGS, lambda *progress: None, None)
    assert len(model.model.get_labels()) == 2
    probabilities = model.predict(["good __label__zzz", "bad </s>", "__label__1 good"])
    assert probabilities.shape == (3, 2)
    assert probabilities.argmax(axis=1).tolist() == [0, 1, 0]
