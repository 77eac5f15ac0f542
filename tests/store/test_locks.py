"""Locks between processes."""

import os
import subprocess
import sys

import pytest

from pipeline.errors import StorageError
from pipeline.store import locks


@pytest.mark.parametrize("is_folder", [True, False], ids=["folder", "file"])
def test_lock_is_held_until_its_descriptor_is_closed(tmp_path, is_folder):
    path = tmp_path / "path"
    path.mkdir() if is_folder else path.touch()
    lock = locks.acquire(path)
    assert locks.is_locked(path)
    assert locks.acquire(path) is None
    os.close(lock)
    assert not locks.is_locked(path)


def test_missing_path_is_not_locked(tmp_path):
    assert not locks.is_locked(tmp_path / "missing")
    assert locks.acquire(tmp_path / "missing") is None


def test_lock_of_a_replaced_folder_is_released(tmp_path, monkeypatch):
    path = tmp_path / "path"
    path.mkdir()
    (tmp_path / "new").mkdir()
    original = locks.fcntl.flock

    def replace_then_lock(lock, operation):
        os.replace(tmp_path / "new", path)
        original(lock, operation)

    monkeypatch.setattr(locks.fcntl, "flock", replace_then_lock)
    assert locks.acquire(path) is None


def test_held_waits_for_the_other_process(tmp_path):
    path = tmp_path / "folder" / "lock"
    code = (
        "import sys; from pathlib import Path; from pipeline.store import locks\n"
        "with locks.held(Path(sys.argv[1])): print('held')"
    )
    with locks.held(path):
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(2)
    assert other.communicate(timeout=60) == ("held\n", None)


def test_lock_file_that_cannot_be_created_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write .*file"), locks.held(tmp_path / "file/x"):
        pass
