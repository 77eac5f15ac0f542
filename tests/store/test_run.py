"""A finished run is read from its artifact alone."""

import os

import pytest

from pipeline.errors import DamagedArtifactError
from pipeline.store.run import FinishedRun

STEPS = ["DownloadData", "CleanText", "Tokenize", "Vectorize"]
STEPS += ["SplitStratified", "TrainModel", "Evaluate", "Report"]


def folder(chain, step):
    return next(iter((chain.outputs / "toy").glob(f"{step}_*/*")))


@pytest.mark.parametrize("last", [6, 7, 8])
def test_run_has_the_steps_above_an_artifact(built, last):
    run = FinishedRun(folder(built, last))
    assert list(run.steps) == STEPS[:last][::-1]
    for number, task in enumerate(STEPS[:last], start=1):
        assert run.path_of(task).parent.name.startswith(f"{number}_")
        assert run.manifests[task]["task"] == task


def test_files_of_all_steps_are_read(built):
    run = FinishedRun(folder(built, 8))
    assert (run.dataset, run.source["dataset"]) == ("toy", "toy")
    assert run.model == run.settings_of("TrainModel")["model"]
    assert run.class_names == ["bad", "good"]
    rows = run.read_table("CleanText", "rows.parquet", ["id", "clean"])
    assert rows.column_names == ["id", "clean"]
    assert rows.num_rows == run.profile["kept"] == sum(run.balance["rows"].values())
    assert run.history["epoch"].tolist() == [1]
    assert run.architecture == []
    assert run.metrics is run.metrics


def test_relative_path_is_read(built, monkeypatch):
    monkeypatch.chdir(built.outputs)
    path = folder(built, 7).relative_to(built.outputs)
    assert FinishedRun(path).path_of("CleanText", "rows.parquet").is_file()
    assert not os.path.isabs(FinishedRun(path).path_of("CleanText"))


def test_missing_artifact_is_an_error_with_its_path(mine):
    path = folder(mine, 7)
    run = FinishedRun(path)
    (folder(mine, 3) / "tokens.json").unlink()
    with pytest.raises(DamagedArtifactError, match=r"tokens\.json.*pipeline verify --repair"):
        _ = run.token_summary
    (folder(mine, 3) / "manifest.json").unlink()
    with pytest.raises(DamagedArtifactError, match=r"CleanText.*is missing or damaged"):
        FinishedRun(path).path_of("CleanText")
    (path / "manifest.json").unlink()
    with pytest.raises(DamagedArtifactError, match=r"manifest\.json is missing"):
        FinishedRun(path)
