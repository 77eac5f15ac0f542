"""Publishing is atomic: folders are complete or not there, and killed processes leave nothing."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from pipeline.errors import PipelineError
from pipeline.store import files, locks, manifests, publishing


def publish(path, content="content", name="file.txt"):
    with publishing.publish(path, lambda: {"task": "Test"}) as out:
        out.path(name).write_text(content)
        out.counts(3, 2)


def temporaries(folder):
    return list(folder.glob(".tmp-*"))


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_summaries_are_strict_json(tmp_path):
    with publishing.publish(tmp_path / "place", lambda: {"task": "Test"}) as out:
        out.facts = {"gap": float("nan")}
        out.write_json("summary.json", {"a": (1, float("inf")), "b": {"c": -float("inf")}})
    text = (tmp_path / "place" / "summary.json").read_text()
    assert json.loads(text, parse_constant=refuse) == {"a": [1, None], "b": {"c": None}}
    manifest = json.loads((tmp_path / "place" / "manifest.json").read_text(), parse_constant=refuse)
    assert manifest["facts"] == {"gap": None}


def test_published_folder_is_complete_and_has_a_manifest(tmp_path):
    path = tmp_path / "steps" / "artifact"
    publish(path, name="deep/file.txt")
    manifest = manifests.read_manifest(path)
    assert manifests.is_complete(path)
    assert (manifest["task"], manifest["rows_in"], manifest["rows_out"]) == ("Test", 3, 2)
    entry = manifest["files"]["deep/file.txt"]
    assert entry["size"] == 7
    assert entry["sha256"] == files.sha256_of(path / "deep" / "file.txt")
    assert list(manifest["files"]) == ["deep/file.txt"]
    assert temporaries(path.parent) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / "manifest.json").unlink(),
        lambda path: (path / "manifest.json").write_text('{"files": '),
        lambda path: (path / "manifest.json").write_text("[]"),
        lambda path: (path / "file.txt").unlink(),
        lambda path: (path / "file.txt").write_text("half"),
    ],
    ids=["no manifest", "half a manifest", "list as manifest", "missing file", "truncated file"],
)
def test_damaged_folder_is_incomplete_and_is_replaced(tmp_path, damage):
    path = tmp_path / "artifact"
    publish(path)
    damage(path)
    assert not manifests.is_complete(path)
    publish(path, "new")
    assert manifests.is_complete(path)
    assert (path / "file.txt").read_text() == "new"
    assert temporaries(tmp_path) == []


def test_file_at_the_path_of_a_folder_is_replaced(tmp_path):
    path = tmp_path / "artifact"
    path.write_text("not a folder")
    publish(path)
    assert manifests.is_complete(path)


def test_failed_work_leaves_nothing(tmp_path):
    path = tmp_path / "artifact"
    with pytest.raises(ZeroDivisionError), publishing.publish(path, dict) as out:
        out.path("file.txt").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_folder_published_first_is_kept(tmp_path):
    path = tmp_path / "artifact"
    with publishing.publish(path, dict) as out:
        out.path("file.txt").write_text("slow")
        publish(path, "fast")
    assert (path / "file.txt").read_text() == "fast"
    assert temporaries(tmp_path) == []


def test_sweep_removes_only_folders_without_a_living_process(tmp_path):
    dead, alive = tmp_path / ".tmp-dead", tmp_path / ".tmp-alive"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / "half.txt").write_text("half")
    (tmp_path / ".tmp-link").symlink_to(dead)
    lock = locks.acquire(alive)
    publishing.sweep(tmp_path)
    assert not dead.exists()
    assert alive.exists()
    os.close(lock)
    publishing.sweep(tmp_path)
    assert not alive.exists()


def test_lock_ends_with_a_killed_process(tmp_path):
    code = """
        import os, signal, sys
        from pathlib import Path
        from pipeline.store import files, manifests, publishing
        with publishing.publish(Path(sys.argv[1]) / "artifact", dict) as out:
            out.path("half.txt").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == -9
    assert len(temporaries(tmp_path)) == 1
    publish(tmp_path / "artifact")
    assert temporaries(tmp_path) == []


def test_unwritable_outputs_raise_an_error_with_the_option(tmp_path):
    (tmp_path / "outputs").write_text("a file where a folder should be")
    with pytest.raises(PipelineError, match=r"cannot write .*outputs.*--paths-outputs DIR"):
        publish(tmp_path / "outputs" / "artifact")


def half_done(outputs, made_by=None):
    with (
        pytest.raises(KeyboardInterrupt),
        publishing.partial_folder(outputs, "d", made_by) as folder,
    ):
        (folder / "work").mkdir()
        (folder / "work" / "1.npy").touch()
        (folder / "2.npy").touch()
        raise KeyboardInterrupt


def test_seconds_before_an_interruption_count(tmp_path):
    with publishing.publish(tmp_path / "a", dict) as out:
        out.seconds_before = 1000.0
    assert 1000 <= manifests.read_manifest(tmp_path / "a")["seconds"] < 2000


def test_interrupted_work_is_kept_and_finished_work_removed(tmp_path):
    half_done(tmp_path)
    with publishing.partial_folder(tmp_path, "d") as folder:
        assert {path.name for path in folder.iterdir()} == {"work", "2.npy", "made_by.json"}
    assert not folder.exists()


@pytest.mark.parametrize(
    ("note", "part"),
    [
        ('{"code":"b","libraries":"x"}', "other code;"),
        ('{"code":"b"}', "other code, libraries;"),
        ('{"code":"a","libraries":"x","more":1}', "other work;"),
        ("[]", "other code, libraries;"),
        ('{"code', "other code, libraries;"),
        (None, "other code, libraries;"),
    ],
    ids=["one kind", "two kinds", "a kind more", "a list", "half", "none"],
)
def test_work_of_another_provenance_is_removed_with_a_warning(tmp_path, caplog, note, part):
    half_done(tmp_path)
    path = tmp_path / ".partial" / "d" / "made_by.json"
    path.unlink() if note is None else path.write_text(note)
    with publishing.partial_folder(tmp_path, "d", {"code": "a", "libraries": "x"}) as folder:
        assert [path.name for path in folder.iterdir()] == ["made_by.json"]
        assert json.loads(path.read_text()) == {"code": "a", "libraries": "x"}
    (record,) = caplog.records
    assert part in record.getMessage()
