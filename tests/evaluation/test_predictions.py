import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.split import PARTS, Parts
from pipeline.errors import DamagedArtifactError
from pipeline.evaluation.predictions import most_wrong, prediction_table, read_predictions

NAMES = ["no", "yes"]
PARTS = Parts(
    np.array([3, 5, 8]),
    np.array([0, 1, -1], np.int32),
    np.array([PARTS.index(name) for name in ("train", "test", "unlabelled")], np.int8),
)
PROBABILITIES = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
DECIDED = np.array([0, 1, 1])


ROWS = pa.table(
    {
        "source_id": pa.array(["x3", "x5", None]),
        "file": pa.array(["a.csv", "a.csv", "b.csv"]).dictionary_encode(),
        "line": [4, 6, 3],
        "raw": ["three", "five\nlines", "eight"],
    }
)
TABLE = prediction_table(PARTS, PROBABILITIES, NAMES, PROBABILITIES / 2, DECIDED, ROWS)


@pytest.fixture
def folders(tmp_path):
    pq.write_table(TABLE, tmp_path / "predictions.parquet")
    (tmp_path / "training.json").write_text('{"trained_on_rows": 2, "of_rows": 7}')
    return {"Evaluate": tmp_path, "TrainModel": tmp_path}


def test_table_has_a_row_for_each_row_of_the_split_test_rows_first():
    assert TABLE["id"].to_pylist() == [5, 3, 8]
    assert [TABLE.to_pylist()[0], TABLE.to_pylist()[2]] == [
        {"id": 5, "source_id": "x5", "file": "a.csv", "line": 6, "part": "test", "label": "yes",
         "predicted": "no", "decided": "yes", "text": "five\nlines",
         "p_no": 0.6, "p_yes": 0.4, "calibrated_no": 0.3, "calibrated_yes": 0.2},
        {"id": 8, "source_id": "3", "file": "b.csv", "line": 3, "part": "unlabelled", "label": None,
         "predicted": "yes", "decided": "yes", "text": "eight",
         "p_no": 0.2, "p_yes": 0.8, "calibrated_no": 0.1, "calibrated_yes": 0.4},
    ]  # fmt: skip


def test_first_rows_are_test_rows_with_their_text(built):
    for head in built.outputs.glob("*/7_evaluate/*/head.csv"):
        rows = pd.read_csv(head)
        raw = pd.read_csv(built.data / head.parts[-4] / "rows.csv")
        assert set(rows["part"]) == {"test"}
        # A record on one line: the header is line 1.
        assert rows["text"].tolist() == raw["text"][rows["line"] - 2].tolist()
        assert rows["source_id"].tolist() == rows["line"].tolist()


def test_predictions_are_read_as_written(folders):
    predictions = read_predictions(folders, PARTS, NAMES)
    np.testing.assert_array_equal(predictions.probabilities, PROBABILITIES)
    np.testing.assert_array_equal(predictions.decided, DECIDED)
    assert (predictions.trained_on_rows, predictions.of_rows) == (2, 7)


@pytest.mark.parametrize("attribute", ["ids", "parts"])
def test_predictions_of_other_rows_are_an_error(folders, attribute):
    changed = {**PARTS.__dict__, attribute: getattr(PARTS, attribute)[[1, 0, 2]]}
    with pytest.raises(DamagedArtifactError, match="other rows or another split"):
        read_predictions(folders, Parts(**changed), NAMES)


def test_mistakes_are_sorted_by_class_and_certainty():
    certainty = np.linspace(0.51, 0.99, 60)
    labels, predicted = np.tile([0, 1], 30), np.tile([1, 0], 30)
    predicted[-1] = 1  # right
    probabilities = np.where(predicted[:, None] == [0, 1], certainty[:, None], 0.0)
    rows = pa.table({"id": np.arange(60), "raw": [f"text {n}" for n in range(60)]})
    table = most_wrong(rows, labels, probabilities, predicted, NAMES)
    assert table["label"].to_pylist() == ["no"] * 25 + ["yes"] * 25
    assert table["id"].to_pylist()[:2] == [58, 56]
    assert table["id"].to_pylist()[25:27] == [57, 55]
    assert table["certainty"][0].as_py() == certainty[58]
