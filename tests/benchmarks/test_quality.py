"""The table of quality is made from Evaluate artifacts, and can be made from them again."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import luigi
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from pipeline import artifacts
from pipeline.tasks.hyperparameters import resolved

ROOT = Path(__file__).parent.parent.parent
_SPEC = importlib.util.spec_from_file_location("quality", ROOT / "benchmarks" / "quality.py")
quality = importlib.util.module_from_spec(_SPEC)
sys.modules["quality"] = quality
_SPEC.loader.exec_module(quality)

PLACE = ROOT / "benchmarks" / quality.RECORDS
RECORDS = json.loads(PLACE.read_text()) if PLACE.is_file() else []
# Where the artifacts of the table lie, if they are still there.
OUTPUTS = Path(os.environ.get("PIPELINE_QUALITY_OUTPUTS", ROOT / "outputs"))


def test_the_page_is_what_the_records_say():
    assert RECORDS
    assert (PLACE.with_name(quality.PAGE)).read_text() == quality.page(RECORDS)


@pytest.mark.parametrize("record", RECORDS, ids=lambda each: f"{each['row']}-{each['digest']}")
def test_a_records_digest_is_that_of_what_identifies_the_artifact(record):
    assert artifacts.digest(record["manifest"]) == record["digest"]
    assert record["manifest"]["task"] == "Evaluate"


def test_the_table_made_again_from_the_artifacts_is_the_same():
    rows = {row.name: row for row in quality.ROWS}
    found = {place.name[-16:]: place for place in OUTPUTS.glob("*/7_evaluate/*")}
    known = [record for record in RECORDS if record["digest"] in found]
    if not known:
        pytest.skip(f"the table's artifacts are not in {OUTPUTS}; set PIPELINE_QUALITY_OUTPUTS")
    again = []
    for record in RECORDS:
        place = found.get(record["digest"])
        if place is None:
            again.append(record)
            continue
        assert artifacts.is_whole(place)
        upstream = json.loads((place / "manifest.json").read_text())["upstream"]
        train = (place / upstream["place"]).resolve()
        again.append({"row": record["row"], **quality.record(place, train, rows[record["row"]])})
    assert quality.page(again) == quality.page(RECORDS)


def test_every_row_names_settings_that_its_model_uses(chain):
    names = [row.name for row in quality.ROWS]
    assert len(set(names)) == len(names)
    for row in quality.ROWS:
        chain.add(row.dataset)
        for split in row.splits:
            values = resolved(
                chain.task(dataset=row.dataset, model=row.model, **row.settings, **split)
            )
            assert values["model"] == row.model


def test_a_record_holds_the_figures_of_its_artifact(built):
    row = quality.Row(
        "toy", "toy", "naive_bayes", "toy", {}, ({},), (("accuracy", 0.5, ".4"), ("f1:good", 2, ""))
    )
    report = built.task(dataset="toy", model="naive_bayes").requires()
    steps = {step.task_family: step.place() for step in report.chain()}
    record = {"row": "toy", **quality.record(steps["Evaluate"], steps["TrainModel"], row)}
    metrics = json.loads((steps["Evaluate"] / "metrics.json").read_text())["test"]
    assert record["figures"] == {
        "accuracy": metrics["accuracy"],
        "f1:good": metrics["by_class"]["good"]["f1"],
    }
    assert artifacts.digest(record["manifest"]) == record["digest"] == steps["Evaluate"].name[-16:]
    page = quality.page([record], [row])
    assert f"| {metrics['accuracy']:.4f} | 1 | 0.5 | yes | .4 |" in page
    assert "| 2 | no, -" in page
    assert record["digest"] in page
    assert "Not run" not in page
    assert "Not run: toy (toy, naive_bayes)." in quality.page([], [row])


def test_auc_over_pairs_is_over_all_rows_and_classes_of_the_test_part(tmp_path):
    scores = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.4, 0.3, 0.3], [1, 0, 0]])
    labels = ["a", "b", "c", "b"]
    table = {"part": ["test", "test", "test", "train"], "label": labels}
    table |= {f"p_{name}": scores[:, at] for at, name in enumerate("abc")}
    pq.write_table(pa.table(table), tmp_path / "predictions.parquet")
    (tmp_path / "metrics.json").write_text(json.dumps({"class_names": ["a", "b", "c"]}))
    expected = roc_auc_score(np.eye(3).ravel(), scores[:3].ravel())
    assert quality.figure(tmp_path, "auc_pairs") == pytest.approx(expected)


def test_a_row_is_run_through_the_pipeline(chain):
    chain.add()
    chain.set_paths()
    row = quality.Row("toy", "toy", "naive_bayes", "toy", {}, ({},), (("accuracy", None, ""),))
    record = quality.run(row, {"split_seed": 3})
    assert record["figures"]["accuracy"] > 0.8
    place = next(chain.outputs.glob("toy/7_evaluate/*"))
    assert place.name.endswith(record["digest"])
    assert luigi.configuration.get_config().get("paths", "data") == str(chain.data)


def test_data_are_linked_and_nothing_is_written_beside_them(tmp_path):
    source = tmp_path / "source"
    (source / "toy").mkdir(parents=True)
    (source / "toy" / "rows.csv").write_text("x")
    linked = quality.link_data(source, tmp_path / "own")
    assert (linked / "toy" / "rows.csv").read_text() == "x"
    assert (linked / "toy" / "rows.csv").is_symlink()
    assert not (linked / "toy").is_symlink()
    assert quality.link_data(source, tmp_path / "own") == linked
