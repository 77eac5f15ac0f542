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
    found = verify_artifacts(Store(built.outputs))
    assert found["damaged"] == found["dangling"] == []
    assert found["artifacts"] == 16
    assert found["files"] == sum(len(m["files"]) for m in built.manifests().values())


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
def test_damage_is_found_and_named(mine, name, harm, problem):
    place = path_of(mine, "7")
    harm(place / name)
    (entry,) = verify_artifacts(Store(mine.outputs))["damaged"]
    assert entry["place"] == str(place)
    assert problem in entry["problems"][0]
    assert name in entry["problems"][0]


@pytest.mark.parametrize("dataset", ["toy", "four"])
def test_next_run_rebuilds_what_repair_moved_aside(mine, dataset):
    place = path_of(mine, "3", dataset)
    original = (place / "tokens.parquet").read_bytes()
    flip(place / "tokens.parquet")
    store = Store(mine.outputs)
    (entry,) = verify_artifacts(store)["damaged"]
    aside = move_aside(store, place)
    assert not place.exists()
    assert (aside / "tokens.parquet").read_bytes() != original
    before = mine.manifests()
    mine.run(dataset=dataset, model="naive_bayes")
    assert mine.built_after(before) == ["Tokenize"]
    assert (place / "tokens.parquet").read_bytes() == original
    assert verify_artifacts(Store(mine.outputs))["damaged"] == []
    assert entry["place"] == str(place)


def test_two_damaged_artifacts_of_one_place_are_both_kept_aside(mine):
    store, place = Store(mine.outputs), path_of(mine, "3")
    shutil.copytree(place, mine.folder / "again")
    first = move_aside(store, place)
    shutil.copytree(mine.folder / "again", place)
    second = move_aside(store, place)
    assert first != second
    assert first.is_dir()
    assert second.is_dir()


def test_link_without_target_is_reported(mine):
    shutil.rmtree(path_of(mine, "8"))
    found = verify_artifacts(Store(mine.outputs))
    assert found["dangling"] == [str(mine.outputs / "latest" / "toy" / "naive_bayes")]
