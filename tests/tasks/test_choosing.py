"""Runs that only choose."""

import json

import pytest

pytestmark = pytest.mark.processes


def test_a_run_that_only_chooses_leaves_test_rows_unseen(tmp_path):
    from conftest import Chain

    chain = Chain(tmp_path)
    chain.add("toy", n_rows=120)
    words = ("RunAll", "--dataset", "toy", "--model", "naive_bayes", "--no-test")
    done = chain.luigi(*words)
    assert done.returncode == 0, done.stderr
    (file,) = chain.outputs.glob("toy/7_validate/*/validation.json")
    assert f"Validation rows alone: {file}" in done.stdout
    found = json.loads(file.read_text())
    assert found["validation"]["rows"] == 12
    assert "test" not in found
    assert not (chain.outputs / "toy" / "7_evaluate").exists()
    assert not (chain.outputs / "latest").exists()
    again = chain.luigi(*words)
    assert again.returncode == 0
    assert "Validation rows alone" in again.stdout
