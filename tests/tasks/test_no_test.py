"""Runs with --no-test, for comparing settings."""

import json

import pytest

pytestmark = pytest.mark.processes


def test_run_without_test_does_not_score_test_rows(tmp_path):
    from conftest import Chain

    chain = Chain(tmp_path)
    chain.add("toy", n_rows=120)
    arguments = ("RunAll", "--dataset", "toy", "--model", "naive_bayes", "--no-test")
    done = chain.luigi(*arguments)
    assert done.returncode == 0, done.stderr
    (file,) = chain.outputs.glob("toy/7_validate/*/validation.json")
    assert f"Validation metrics: {file}" in done.stdout
    scores = json.loads(file.read_text())
    (balance,) = chain.outputs.glob("toy/5_split/*/balance.json")
    assert scores["validation"]["rows"] == json.loads(balance.read_text())["rows"]["validation"] > 0
    assert "test" not in scores
    assert not (chain.outputs / "toy" / "7_evaluate").exists()
    assert not (chain.outputs / "latest").exists()
    again = chain.luigi(*arguments)
    assert again.returncode == 0
    assert "Validation metrics" in again.stdout


@pytest.mark.parametrize("no_test", [True, False])
def test_run_with_or_without_test_reads_the_day_of_the_user(tmp_path, no_test):
    from conftest import Chain, made_up_rows, write_dataset

    chain = Chain(tmp_path)
    chain.add("toy")
    write_dataset(chain.data / "toy" / "2026-11-21", made_up_rows(("bad", "good")))
    days = {"date": "2026-11-21", "today": "2026-11-22", "window": 3}
    task = chain.task(dataset="toy", model="naive_bayes", no_test=no_test, **days).requires()
    *_, first = task.chain()
    assert (first.day, first.now, first.window) == ("2026-11-21", "2026-11-22", 3)
