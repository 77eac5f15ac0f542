"""`pipeline gc` and `pipeline rm`: what may be deleted, and what is kept."""

import fcntl
import os
import shutil
import time
from pathlib import Path

import pytest

from pipeline.cli import gc, rm
from pipeline.cli.verify import verify_artifacts
from pipeline.store.outputs import Store

RUN = {"dataset": "toy", "model": "naive_bayes"}


def unreferenced(chain, keep=0, seconds=0.0):
    result = gc.unreferenced(Store(chain.outputs), keep, seconds)
    return {os.path.relpath(entry["place"], chain.outputs): entry["reason"] for entry in result}


def older_run(chain):
    """Build a run that latest no longer refers to; return its report."""
    chain.run(**RUN, alpha=0.5)
    report = (chain.outputs / "latest/toy/naive_bayes").resolve()
    chain.run(**RUN)
    return report


def test_what_latest_was_made_from_is_kept(built):
    assert unreferenced(built) == {}


def test_unreferenced_run_is_deleted_without_what_others_need(mine):
    older_run(mine)
    result = unreferenced(mine)
    assert [path.split("/")[1] for path in result] == [
        "6_train",
        "7_evaluate",
        "8_report",
    ]
    assert set(result.values()) == {"no kept run was made from it"}
    for path in result:
        rm.remove(mine.outputs / path)
    assert verify_artifacts(Store(mine.outputs))["dangling"] == []
    before = mine.manifests()
    mine.run(**RUN)
    assert mine.built_after(before) == []


def test_newest_runs_and_what_they_were_made_from_are_kept(mine):
    older_run(mine)
    assert unreferenced(mine, keep=2) == {}
    assert unreferenced(mine, seconds=3600.0) == {}


@pytest.mark.parametrize("refer", ["link", "record", "folder"])
def test_run_that_the_registry_refers_to_is_kept(mine, refer):
    report = older_run(mine)
    registry = mine.outputs / "registry" / "toy"
    registry.mkdir(parents=True)
    if refer == "link":
        (registry / "champion").symlink_to(os.path.relpath(report, registry))
    elif refer == "record":
        (registry / "champion.json").write_text(f'{{"run": "{report.name}"}}')
    else:
        (registry / report.name).mkdir()
    assert unreferenced(mine) == {}


def test_damaged_artifact_and_what_was_moved_aside_are_deleted(mine):
    path = next((mine.outputs / "toy").glob("7_*/*"))
    (path / "metrics.json").unlink()
    aside = mine.outputs / ".damaged" / "old"
    aside.mkdir(parents=True)
    result = unreferenced(mine)
    assert result[os.path.relpath(path, mine.outputs)] == "incomplete"
    assert ".damaged/old" in result


def test_temporary_folder_is_kept_while_its_process_lives(mine):
    parent = mine.outputs / "toy" / "2_clean"
    dead, alive = parent / ".tmp-dead", parent / ".tmp-alive"
    dead.mkdir()
    alive.mkdir()
    lock = os.open(alive, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        result = unreferenced(mine)
    finally:
        os.close(lock)
    assert list(result) == ["toy/2_clean/.tmp-dead"]


def test_resumable_work_is_deleted_when_published_and_not_locked(mine):
    digest = next((mine.outputs / "toy").glob("6_*/*")).name[-16:]
    published, wanted = (mine.outputs / ".partial" / name for name in (digest, "0" * 16))
    for folder in (published, wanted):
        folder.mkdir(parents=True)
        (folder / "lock").touch()
    assert list(unreferenced(mine)) == [f".partial/{digest}"]
    lock = os.open(published / "lock", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        assert unreferenced(mine) == {}
    finally:
        os.close(lock)


def test_resumable_work_is_deleted_after_two_weeks(mine):
    forgotten, touched = (mine.outputs / ".partial" / (digit * 16) for digit in "01")
    for folder, days in ((forgotten, 15), (touched, 13)):
        folder.mkdir(parents=True)
        (folder / "training.npz").touch()
        old = time.time() - 15 * 24 * 3600
        os.utime(folder, (old, old))
        at = time.time() - days * 24 * 3600
        os.utime(folder / "training.npz", (at, at))
    reason = "interrupted over two weeks ago and not resumed"
    assert unreferenced(mine) == {f".partial/{forgotten.name}": reason}


def test_rm_of_a_run_deletes_artifacts_that_only_it_needs(mine):
    report = older_run(mine)
    store = Store(mine.outputs)
    run = store.find(report.name)
    alone = rm.needed_alone(store, run)
    assert [item.task for item in alone] == ["Report", "Evaluate", "TrainModel"]
    shutil.rmtree(mine.outputs / "four")
    only = Store(mine.outputs)
    for item in alone:
        rm.remove(item.path)
    left = rm.needed_alone(Store(mine.outputs), Store(mine.outputs).runs("toy")[0])
    assert len(left) == 8
    assert only.find("toy/naive_bayes").task == "Report"


def test_remove_leaves_no_files(tmp_path):
    path = tmp_path / "some"
    (path / "deep").mkdir(parents=True)
    (path / "deep" / "file").write_text("x")
    rm.remove(Path(path))
    assert list(tmp_path.iterdir()) == []


def test_dataset_is_kept_while_an_ancestor_of_a_kept_run_is_missing(mine):
    older_run(mine)
    (split,) = mine.outputs.glob("toy/5_split/*")
    shutil.rmtree(split)
    assert not any(path.startswith("toy/") for path in unreferenced(mine))
    store = Store(mine.outputs)
    older = store.runs("toy")[-1]
    assert rm.needed_alone(store, older) == [older]


def test_dataset_is_kept_until_a_repaired_artifact_is_rebuilt(mine):
    from pipeline.cli.verify import move_aside

    report = (mine.outputs / "latest/toy/naive_bayes").resolve()
    move_aside(Store(mine.outputs), mine.outputs / os.path.relpath(report, mine.outputs.resolve()))
    rm.remove_dangling(Store(mine.outputs))
    assert unreferenced(mine) == {}
    mine.run(**RUN)
    assert [path.split("/")[0] for path in unreferenced(mine)] == [".damaged"]


def test_folder_moved_aside_belongs_to_the_dataset_of_its_path(mine):
    from pipeline.cli.verify import move_aside, moved_aside

    # The name of the other dataset begins with that of this one and a hyphen.
    other = mine.outputs / "toy-2" / "2_clean" / "rows-0123456789abcdef"
    shutil.copytree(next((mine.outputs / "toy").glob("2_clean/*")), other)
    older_run(mine)
    before = unreferenced(mine)
    assert any(path.startswith("toy/") for path in before)
    store = Store(mine.outputs)
    aside = move_aside(store, other)
    assert not any(path.startswith("toy-2/") for path in unreferenced(mine))
    assert moved_aside(store, other) == aside
    assert moved_aside(store, mine.outputs / "toy" / "2_clean" / other.name) is None
    # After the rebuild it blocks no dataset.
    shutil.copytree(aside, other)
    left = {path for path in before if path.startswith("toy/")}
    assert left <= set(unreferenced(mine))


def test_dataset_is_kept_while_a_process_builds_an_artifact(mine):
    older_run(mine)
    folder = mine.outputs / "toy" / "6_train" / ".tmp-live"
    folder.mkdir()
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert not any(path.startswith("toy/") for path in unreferenced(mine))
    os.close(lock)
    folder.rmdir()
    assert any(path.startswith("toy/") for path in unreferenced(mine))


@pytest.mark.parametrize(("old", "new"), [('"alpha": 1.0', '"alpha": 2.0'), ("TrainModel", "X")])
def test_edited_manifest_is_damage(mine, old, new):
    (path,) = mine.outputs.glob("toy/6_train/*/manifest.json")
    path.write_text(path.read_text().replace(old, new, 1))
    (damaged,) = verify_artifacts(Store(mine.outputs))["damaged"]
    assert "digest differs" in damaged["problems"][0]
