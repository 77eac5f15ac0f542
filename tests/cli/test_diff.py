"""`pipeline diff` compares two runs with the scorer, bootstrap and test of Evaluate."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sklearn.metrics import accuracy_score, f1_score

from pipeline.cli import cli
from pipeline.cli.diff import difference
from pipeline.evaluation import bootstrap
from pipeline.evaluation.paired import exact_test
from pipeline.store.outputs import Store
from pipeline.store.seeds import seed_spread


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Return a store with two runs that differ in test rows, and the tasks."""
    from conftest import Chain

    chain = Chain(tmp_path_factory.mktemp("two"))
    chain.add("four", classes=("bad", "good", "odd", "dull"), n_rows=400)
    settings = {"dataset": "four", "model": "naive_bayes", "test_fraction": 0.3}
    weak, strong = (
        chain.run(**settings, **other) for other in ({"max_words": 40, "alpha": 9.0}, {})
    )
    return chain, [task.requires().upstream().path() for task in (weak, strong)]


def compared(chain, paths):
    store = Store(chain.outputs)
    return difference(store, *(store.artifact(path) for path in paths))


def test_rows(chain, path):
    """Read labels and decided classes of test rows, and their duplicate groups."""
    table = pq.read_table(path / "predictions.parquet").to_pandas()
    rows = pq.read_table(next(chain.outputs.glob("four/2_*/*/rows.parquet"))).to_pandas()
    column = "near_group" if "near_group" in rows else "group"
    groups = dict(zip(rows["id"], rows[column], strict=True))
    table = table[table["part"] == "test"]
    return (
        table["label"].to_numpy(),
        table["decided"].to_numpy(),
        table["id"].map(groups).to_numpy(),
    )


test_rows.__test__ = False


def test_metrics_are_those_of_evaluate_and_of_scikit_learn(two):
    result = {row["metric"]: row for row in compared(*two)["metrics"]}
    assert list(result) == ["accuracy", "macro_f1", "roc_auc", "log_loss"]
    for side, path in zip("ab", two[1], strict=True):
        metrics = json.loads((path / "metrics.json").read_text())["test"]
        labels, decided, _ = test_rows(two[0], path)
        assert result["accuracy"][side] == pytest.approx(accuracy_score(labels, decided))
        macro = f1_score(labels, decided, average="macro")
        assert result["macro_f1"][side] == metrics["macro"]["f1"] == pytest.approx(macro)
        assert result["macro_f1"][f"{side}_interval"] == metrics["intervals"]["macro"]["f1"]


def test_interval_of_the_difference_is_that_of_paired_samples_of_duplicate_groups(two):
    chain, paths = two
    (labels, old, groups), (_, new, _) = (test_rows(chain, path) for path in paths)
    gain = (new == labels).astype(float) - (old == labels)
    weights = np.concatenate(list(bootstrap.draw(len(labels), 1000, 0, 4, groups)))
    samples = weights @ gain / weights.sum(axis=1)
    result = compared(chain, paths)["metrics"][0]
    assert result["difference"] == pytest.approx(gain.mean())
    assert gain.mean() != 0
    assert result["difference_interval"] == pytest.approx(np.percentile(samples, [2.5, 97.5]))
    p_value = exact_test(new == labels, old == labels, groups).two_sided
    assert result["p_value"] == pytest.approx(p_value, rel=1e-5)


def test_every_metric_has_an_interval_and_a_p_value(two):
    for row in compared(*two)["metrics"]:
        low, high = row["difference_interval"]
        assert low <= row["difference"] <= high
        assert 0 < row["p_value"] <= 1


def test_a_run_against_itself_has_no_evidence_of_a_difference(two):
    chain, paths = two
    for row in compared(chain, [paths[0], paths[0]])["metrics"]:
        assert (row["difference"], row["difference_interval"]) == (0, [0, 0])
        assert row["p_value"] == 1.0


def test_decided_classes_are_compared(two):
    chain, (weak, _) = two
    threshold = {
        "positive_label": "good",
        "threshold_goal": "recall_at_precision",
        "threshold_floor": 0.1,
    }
    task = chain.run(
        dataset="four", model="naive_bayes", test_fraction=0.3, max_words=40, alpha=9.0, **threshold
    )
    paths = [weak, task.requires().upstream().path()]
    result = compared(chain, paths)
    assert result["predictions"]["changed"] > 0
    (labels, old, _), (_, new, _) = (test_rows(chain, path) for path in paths)
    assert (old != new).any()
    gain = (new == labels).mean() - (old == labels).mean()
    assert result["metrics"][0]["difference"] == pytest.approx(gain)
    assert result["metrics"][2]["difference"] == 0  # probabilities are the same


def test_runs_with_other_test_rows_are_paired_on_those_in_common(two):
    chain, (_, strong) = two
    other = chain.run(dataset="four", model="naive_bayes", test_fraction=0.5, split_seed=1)
    result = compared(chain, [strong, other.requires().upstream().path()])
    counts = result["test_rows"]
    assert 0 < counts["in_common"] < counts["a"] < counts["b"]
    assert result["metrics"][0]["difference_interval"] is not None


def test_changed_rows_are_counted_where_both_runs_have_them_in_the_same_part(two):
    chain, (weak, _) = two
    other = chain.run(dataset="four", model="naive_bayes", test_fraction=0.5, split_seed=1)
    paths = [weak, other.requires().upstream().path()]
    result = compared(chain, paths)["predictions"]
    a, b = (pq.read_table(path / "predictions.parquet").to_pandas() for path in paths)
    both = a.merge(b, on="id")
    differs = both["decided_x"] != both["decided_y"]
    same = both["part_x"] == both["part_y"]
    assert 0 < same.sum() < len(both)
    assert (result["rows"], result["changed"]) == (same.sum(), (same & differs).sum())
    for part, counts in result["by_part"].items():
        rows = both[same & differs & (both["part_x"] == part)]
        right = [(rows[f"decided_{side}"] == rows[f"label_{side}"]).sum() for side in "yx"]
        assert [counts["changed"], counts["better"], counts["worse"]] == [len(rows), *right]
    for pair in result["other_part"]:
        rows = (both["part_x"] == pair["a"]) & (both["part_y"] == pair["b"])
        assert pair["a"] != pair["b"]
        assert (pair["rows"], pair["changed"]) == (rows.sum(), (rows & differs).sum())
    assert sum(pair["rows"] for pair in result["other_part"]) == (~same).sum()
    outputs = ["--paths-outputs", str(chain.outputs)]
    shown = CliRunner().invoke(cli, ["diff", *outputs, *map(str, paths)], env={"COLUMNS": "400"})
    text = " ".join(shown.output.split())
    assert f"{(~same).sum():,} rows have another part in b than in a" in text
    assert "train in a and test in b: " in text


def test_validation_rows_that_trained_one_model_alone_are_not_the_same_part(two, tmp_path):
    chain, paths = two
    copied = tmp_path / "outputs"
    shutil.copytree(chain.outputs, copied, symlinks=True)
    weak, strong = (copied / path.relative_to(chain.outputs) for path in paths)
    store = Store(copied)
    file = store.of(store.artifact(strong), "TrainModel").path / "training.json"
    facts = json.loads(file.read_text())
    file.write_text(json.dumps({**facts, "refitted_on_validation": 3}))
    result = difference(store, *(store.artifact(path) for path in (weak, strong)))["predictions"]
    assert "validation" not in result["by_part"]
    (pair,) = result["other_part"]
    assert (pair["a"], pair["b"]) == ("validation", "validation, also trained on")


def test_a_model_without_seed_has_no_spread(two):
    assert compared(*two)["seeds"] is None
    store = Store(two[0].outputs)
    assert seed_spread(store, store.artifact(two[1][0])) is None


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """Return a chain with a model of three seeds, and a run with another setting."""
    from conftest import Chain

    chain = Chain(tmp_path_factory.mktemp("seeded"))
    chain.add("four", classes=("bad", "good", "odd", "dull"), n_rows=400)
    settings = {"dataset": "four", "model": "linear_svm", "calibration_folds": 2}
    tasks = [chain.run(**settings, seed=seed) for seed in (0, 1, 2)]
    tasks.append(chain.run(**settings, seed=0, cost=0.01))
    return chain, [task.requires().upstream().path() for task in tasks]


def test_spread_is_of_the_runs_that_differ_by_seed_alone(seeded):
    chain, paths = seeded
    store = Store(chain.outputs)
    result = seed_spread(store, store.artifact(paths[1]))
    assert result["seeds"] == [0, 1, 2]
    losses = [
        json.loads((path / "metrics.json").read_text())["test"]["log_loss"] for path in paths[:3]
    ]
    entry = result["metrics"]["log_loss"]
    assert entry["values"] == losses
    assert (entry["n"], entry["mean"]) == (3, pytest.approx(np.mean(losses)))
    assert entry["sd"] == pytest.approx(np.std(losses, ddof=1))
    assert entry["sd"] > 0
    assert seed_spread(store, store.artifact(paths[3]))["seeds"] == [0]


def test_difference_is_compared_with_the_spread_over_seeds(seeded):
    chain, paths = seeded
    result = compared(chain, [paths[0], paths[3]])["seeds"]
    entry = result["metrics"]["log_loss"]
    assert entry["runs"] == 3
    assert entry["sd"] == pytest.approx(result["a"]["metrics"]["log_loss"]["sd"])
    assert "differ only by seed" in result["text"]
    assert "(3 runs)" in result["text"]
    # Two of the seeds themselves: three runs, not six.
    assert compared(chain, paths[:2])["seeds"]["metrics"]["log_loss"]["runs"] == 3


def test_without_other_seeds_the_text_explains_what_intervals_cover(seeded):
    chain, paths = seeded
    result = compared(chain, [paths[3], paths[3]])["seeds"]
    assert result["metrics"]["accuracy"]["sd"] is None
    assert "sampling of test rows only" in result["text"]
