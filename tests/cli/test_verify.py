"""`pipeline verify` finds damage, moves it aside, and the next run rebuilds it."""

import os
import shutil

import pytest

from pipeline.cli.verify import move_aside, verify_artifacts
from pipeline.store.outputs import Store


def path_of(chain, step, dataset="toy"):
    return next(iter((chain.outputs / dataset).glob(f"{step}_*/*")))


def flip(path):
    """Change a byte, but neither size nor time."""
    state = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_complete_outputs_have_no_damage(built):
    result = verify_artifacts(Store(built.outputs))
    assert result["damaged"] == result["dangling"] == []
    assert result["artifacts"] == 16
    assert result["files"] == sum(len(m["files"]) for m in built.manifests().values())


@pytest.mark.parametrize(
    ("name", "harm", "problem"),
    [
        ("predictions.parquet", flip, "sha256 differs"),
        ("metrics.json", lambda path: os.truncate(path, 3), "metrics.json has 3 bytes"),
        ("head.csv", lambda path: path.unlink(), "head.csv is missing"),
        ("manifest.json", lambda path: path.unlink(), "manifest.json is missing"),
        ("notes.txt", lambda path: path.write_text("mine"), "not in the manifest"),
    ],
    ids=["flipped byte", "truncated", "missing", "without manifest", "unlisted"],
)
def test_damage_is_reported_with_the_file(mine, name, harm, problem):
    path = path_of(mine, "7")
    harm(path / name)
    (entry,) = verify_artifacts(Store(mine.outputs))["damaged"]
    assert entry["place"] == str(path)
    assert problem in entry["problems"][0]
    assert name in entry["problems"][0]


@pytest.mark.parametrize("dataset", ["toy", "four"])
def test_next_run_rebuilds_what_repair_moved_aside(mine, dataset):
    path = path_of(mine, "3", dataset)
    original = (path / "tokens.parquet").read_bytes()
    flip(path / "tokens.parquet")
    store = Store(mine.outputs)
    (entry,) = verify_artifacts(store)["damaged"]
    aside = move_aside(store, path)
    assert not path.exists()
    assert (aside / "tokens.parquet").read_bytes() != original
    before = mine.manifests()
    mine.run(dataset=dataset, model="naive_bayes")
    assert mine.built_after(before) == ["Tokenize"]
    assert (path / "tokens.parquet").read_bytes() == original
    assert verify_artifacts(Store(mine.outputs))["damaged"] == []
    assert entry["place"] == str(path)


def test_two_damaged_artifacts_of_one_path_are_both_kept(mine):
    store, path = Store(mine.outputs), path_of(mine, "3")
    shutil.copytree(path, mine.folder / "again")
    first = move_aside(store, path)
    shutil.copytree(mine.folder / "again", path)
    second = move_aside(store, path)
    assert first != second
    assert first.is_dir()
    assert second.is_dir()


def test_link_without_target_is_reported(mine):
    shutil.rmtree(path_of(mine, "8"))
    result = verify_artifacts(Store(mine.outputs))
    assert result["dangling"] == [str(mine.outputs / "latest" / "toy" / "naive_bayes")]
