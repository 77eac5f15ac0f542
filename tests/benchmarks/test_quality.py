"""The table of quality is made from Evaluate artifacts, and can be made from them again."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import luigi
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.evaluation.metrics import evaluate
from pipeline.store import files, manifests

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
    assert files.digest(record["manifest"]) == record["digest"]
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
        assert manifests.is_complete(place)
        upstream = json.loads((place / "manifest.json").read_text())["upstream"]
        train = (place / upstream["place"]).resolve()
        again.append({"row": record["row"], **quality.record(place, train, rows[record["row"]])})
    assert quality.page(again) == quality.page(RECORDS)


def test_every_row_names_settings_that_its_model_uses(chain):
    names = [row.name for row in quality.ROWS]
    assert len(set(names)) == len(names)
    for row in quality.ROWS:
        chain.add(row.dataset)
        for run in row.runs:
            task = chain.task(dataset=row.dataset, model=row.model, **row.settings, **run)
            assert task.resolved().model == row.model


def test_a_record_holds_the_metrics_of_its_artifact(built):
    row = quality.Row(
        "toy", "toy", "naive_bayes", "toy", {}, ({},), (("accuracy", 0.5, ".4"), ("f1:good", 2, ""))
    )
    report = built.task(dataset="toy", model="naive_bayes").requires()
    steps = {step.task_family: step.path() for step in report.chain()}
    record = {"row": "toy", **quality.record(steps["Evaluate"], steps["TrainModel"], row)}
    metrics = json.loads((steps["Evaluate"] / "metrics.json").read_text())
    test, constant = metrics["test"], metrics["baselines"]["majority"]
    assert record["metrics"] == {
        "accuracy": {
            "value": test["accuracy"],
            "interval": test["intervals"]["accuracy"],
            "constant": constant["accuracy"],
        },
        "f1:good": {
            "value": test["by_class"]["good"]["f1"],
            "interval": test["intervals"]["by_class"]["good"]["f1"],
            "constant": constant["by_class"]["good"]["f1"],
        },
    }
    assert files.digest(record["manifest"]) == record["digest"] == steps["Evaluate"].name[-16:]
    page = quality.page([record], [row])
    low, high = test["intervals"]["accuracy"]
    expected = f"{low:.4f} to {high:.4f} | {constant['accuracy']:.4f} | 1 | 0.5 | yes | .4 |"
    assert f"| {test['accuracy']:.4f} | {expected}" in page
    assert "| 2 | no, -" in page
    assert record["digest"] in page
    assert "Not run" not in page
    assert "Not run: toy (toy, naive_bayes)." in quality.page([], [row])


def test_auc_over_pairs_is_over_all_rows_and_classes_of_the_test_part():
    scores = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.4, 0.3, 0.3]])
    constant = np.tile([0.5, 0.3, 0.2], (3, 1))
    labels = np.arange(3)
    names = ["a", "b", "c"]
    metrics = {
        "test": evaluate(labels, scores, names),
        "baselines": {"majority": evaluate(labels, constant, names)},
    }
    found = quality.metric(metrics, "auc_pairs")
    assert found["value"] == pytest.approx(roc_auc_score(np.eye(3).ravel(), scores.ravel()))
    assert found["constant"] == pytest.approx(roc_auc_score(np.eye(3).ravel(), constant.ravel()))
    assert found["interval"] is None


@pytest.mark.parametrize(
    ("values", "settings", "least", "published", "met"),
    [
        ([0.81], {}, 0.81, "", "yes"),
        ([0.80, 0.81], {}, 0.81, "", "no, -0.0050"),
        # A mean within its own spread of the published value does not reach it.
        ([0.75, 0.79], {"preset": "p"}, None, ".78", "no, -0.0100"),
        ([0.77, 0.79], {"preset": "p"}, None, ".78", "yes"),
        ([0.1], {}, None, ".78", ""),
    ],
)
def test_met_means_that_the_mean_reaches_what_is_wanted(values, settings, least, published, met):
    row = quality.Row(
        "r", "toy", "dense", "toy", settings, ({},), (("f1:macro", least, published),)
    )
    records = [
        {"row": "r", "digest": "d", "seconds": 1.0, "metrics": {"f1:macro": metric}}
        for metric in ({"value": value, "interval": None, "constant": 0.3} for value in values)
    ]
    (line,) = [
        line for line in quality.page(records, [row]).splitlines() if line.startswith("| r ")
    ]
    cells = [cell.strip() for cell in line.split("|")]
    assert cells[10] == met


def test_runs_of_an_outer_test_part_share_their_test_rows():
    for row in quality.ROWS:
        if "outer test part" in row.protocol:
            assert all("split_seed" not in {**row.settings, **run} for run in row.runs)
            assert row.settings.get("group_duplicates", "near") == "near"


def test_a_row_is_run_through_the_pipeline(chain):
    chain.add()
    chain.set_paths()
    row = quality.Row("toy", "toy", "naive_bayes", "toy", {}, ({},), (("accuracy", None, ""),))
    record = quality.run(row, {"split_seed": 3})
    assert record["metrics"]["accuracy"]["value"] > 0.8
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
