import hashlib
import http.server
import io
import json
import logging
import shutil
import subprocess
import sys
import tarfile
import threading
import time as clock

import pytest

from pipeline.data import catalogue, raw_files
from pipeline.data.schema import RawFile
from pipeline.errors import PipelineError

CONTENT = b"text,label\na,bad\nb,good\n" * 2000


class Server:
    """A local server; each answer is a status, "half" of the bytes, "stop" or "all"."""

    def __init__(self):
        self.script, self.asked, self.content = [], 0, CONTENT
        self.go_on = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                answer = outer.script.pop(0) if outer.script else "all"
                if isinstance(answer, int):
                    self.send_error(answer)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(outer.content)))
                self.end_headers()
                half = len(outer.content) // 2
                if answer == "stop":
                    self.wfile.write(outer.content[:half])
                    outer.go_on.wait(60)
                    return
                self.wfile.write(outer.content[:half] if answer == "half" else outer.content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/rows.csv"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def server(monkeypatch):
    served = Server()
    monkeypatch.setattr("time.sleep", lambda _: None)  # pooch waits between retries
    yield served
    served.go_on.set()
    served.server.shutdown()
    served.server.server_close()


def dataset(data, source, name="rows.csv"):
    folder = data / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in source.items())
    (folder / "dataset.toml").write_text(
        'labels = ["bad", "good"]\nhomepage = "https://example.org"\n'
        f'by_hand = "ask for it"\n[[files]]\nname = "{name}"\n'
        f"[files.source]\n{lines}\n"
    )
    return catalogue.load("mine", data), folder


def fetch(data, source, name="rows.csv"):
    row, folder = dataset(data, source, name)
    return raw_files.fetch(row.files[0], row, folder)


def file_names(data):
    return sorted(path.name for path in (data / "mine").iterdir())


def test_download_is_complete_and_recorded(tmp_path, server):
    path = fetch(tmp_path, {"kind": "url", "address": server.address})
    assert path.read_bytes() == CONTENT
    record = json.loads((tmp_path / "mine" / "fetched.json").read_text())["rows.csv"]
    assert record["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert file_names(tmp_path) == ["dataset.toml", "fetched.json", "rows.csv"]


def test_download_may_be_in_a_subfolder(tmp_path, server):
    path = fetch(tmp_path, {"kind": "url", "address": server.address}, "part/rows.csv")
    assert path == tmp_path / "mine" / "part" / "rows.csv"
    assert path.read_bytes() == CONTENT
    assert file_names(tmp_path) == ["dataset.toml", "fetched.json", "part"]


def test_error_on_a_read_only_data_folder_names_the_option(tmp_path, server):
    row, _ = dataset(tmp_path, {"kind": "url", "address": server.address})
    (tmp_path / "file").touch()
    with pytest.raises(PipelineError, match="cannot write .*--paths-data DIR") as caught:
        raw_files.fetch(row.files[0], row, tmp_path / "file" / "mine")
    assert "--paths-outputs" not in str(caught.value)


IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from pipeline.data import catalogue, raw_files as sources
from pipeline.data.schema import RawFile
row = catalogue.load("mine", Path(sys.argv[1]))
sources.fetch(row.files[0], row, Path(sys.argv[1]) / "mine")
"""


@pytest.mark.parametrize("meanwhile", ["nothing", "the file was put there"])
def test_run_after_a_killed_download_removes_temporary_folders(chain, server, meanwhile):
    source = {"kind": "url", "address": server.address}
    _, folder = dataset(chain.data, source)
    server.script = ["stop"]
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(chain.data)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        end = clock.monotonic() + 60
        while not any(path.is_file() for path in folder.glob(".tmp-*/*")):
            assert process.poll() is None, process.stderr.read()
            assert clock.monotonic() < end
            threading.Event().wait(0.02)
        process.kill()
    assert list(folder.glob(".tmp-*/*"))
    assert not (folder / "rows.csv").exists()
    if meanwhile != "nothing":
        (folder / "rows.csv").write_bytes(CONTENT)
    chain.run("DownloadData", dataset="mine")
    assert (folder / "rows.csv").read_bytes() == CONTENT
    assert list(folder.glob(".tmp-*")) == []


@pytest.mark.parametrize("faults", [[500, 500], ["half"], [503, "half"]])
def test_download_is_retried(tmp_path, server, faults):
    server.script = list(faults)
    path = fetch(tmp_path, {"kind": "url", "address": server.address})
    assert path.read_bytes() == CONTENT
    assert server.asked == len(faults) + 1


@pytest.mark.parametrize("fault", ["half", 500, 404])
def test_failed_download_leaves_no_file_and_says_what_to_do(tmp_path, server, fault):
    server.script = [fault] * 10
    with pytest.raises(PipelineError) as caught:
        fetch(tmp_path, {"kind": "url", "address": server.address})
    message = str(caught.value)
    for part in (server.address, "does not answer", "'rows.csv'", str(tmp_path / "mine")):
        assert part in message
    assert "ask for it" in message
    assert file_names(tmp_path) == ["dataset.toml"]


def test_wrong_checksum_is_an_error(tmp_path, server):
    source = {"kind": "url", "address": server.address, "sha256": "0" * 64}
    with pytest.raises(PipelineError, match="sent wrong bytes: .* sha256 .*0000"):
        fetch(tmp_path, source)
    assert file_names(tmp_path) == ["dataset.toml"]


def test_download_without_checksum_is_trusted_once(tmp_path, server):
    source = {"kind": "url", "address": server.address}
    path = fetch(tmp_path, source)
    path.unlink()
    fetch(tmp_path, source).unlink()
    server.content = b"other"
    with pytest.raises(PipelineError, match=r"now sends other bytes than at first.*fetched\.json"):
        fetch(tmp_path, source)
    assert not path.exists()


def test_unreachable_address_is_an_error(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("time.sleep", lambda _: None)
    cause = r"127\.0\.0\.1:9/x does not answer \(Failed to establish a new connection: \[Errno "
    with pytest.raises(PipelineError, match=cause):
        fetch(tmp_path, {"kind": "url", "address": "http://127.0.0.1:9/x"})
    assert ".tmp-" not in caplog.text


def test_error_on_a_file_to_get_by_hand_names_its_folder_and_source(tmp_path):
    with pytest.raises(PipelineError, match=r"needs the file 'rows.csv' in the folder .*mine; get"):
        fetch(tmp_path, {"kind": "by_hand"})


def test_file_is_located_by_its_aliases(tmp_path):
    file = RawFile("train.csv", aliases=("train_x.csv",))
    assert raw_files.locate(file, tmp_path) is None
    (tmp_path / "train_x.csv").write_text("x")
    assert raw_files.locate(file, tmp_path) == tmp_path / "train_x.csv"


def source_distribution(folder, member_name="rows.csv"):
    """Make a source distribution with an archive with the file."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as archive:
        entry = tarfile.TarInfo(member_name)
        entry.size = len(CONTENT)
        archive.addfile(entry, io.BytesIO(CONTENT))
    files = {
        "toypackage-1.0/setup.py": b"from setuptools import setup\nsetup(name='toypackage', "
        b"version='1.0')\n",
        "toypackage-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: toypackage\nVersion: 1.0\n",
        "toypackage-1.0/inner.tar.gz": inner.getvalue(),
    }
    path = folder / "toypackage-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Let pip find a made-up source distribution in a folder, and return its source."""
    packages = tmp_path / "packages"
    packages.mkdir()
    path = source_distribution(packages)
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    return {
        "kind": "pypi",
        "address": "toypackage==1.0",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "members": ["toypackage-1.0/inner.tar.gz", "rows.csv"],
    }


@pytest.mark.package_index
def test_file_is_extracted_from_a_source_distribution(tmp_path, package):
    path = fetch(tmp_path / "data", package)
    assert path.read_bytes() == CONTENT
    assert file_names(tmp_path / "data") == ["dataset.toml", "fetched.json", "rows.csv"]


@pytest.mark.package_index
def test_file_of_a_source_distribution_may_be_in_a_subfolder(tmp_path, package):
    path = fetch(tmp_path / "data", package, "part/rows.csv")
    assert path.read_bytes() == CONTENT


@pytest.mark.package_index
def test_source_distribution_with_a_wrong_checksum_is_an_error(tmp_path, package):
    with pytest.raises(PipelineError, match="toypackage==1.0 has the wrong checksum"):
        fetch(tmp_path / "data", {**package, "sha256": "0" * 64})
    assert file_names(tmp_path / "data") == ["dataset.toml"]


@pytest.mark.package_index
def test_unknown_package_is_an_error(tmp_path, package):
    with pytest.raises(PipelineError, match=r"pip could not fetch no-such-package-of-ours==1.0"):
        fetch(tmp_path / "data", {**package, "address": "no-such-package-of-ours==1.0"})


@pytest.mark.package_index
def test_default_dataset_comes_from_the_package_index(tmp_path):
    row = catalogue.load("vader", tmp_path)
    (tmp_path / "vader").mkdir()
    path = raw_files.fetch(row.files[0], row, tmp_path / "vader")
    assert len(path.read_text().splitlines()) == 4200


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archive_member_is_opened_without_unpacking(tmp_path, kind):
    packed = shutil.make_archive(
        str(tmp_path / "packed"), "zip" if kind == "zip" else "gztar", *_one_file(tmp_path)
    )
    before = sorted(tmp_path.rglob("*"))
    member = "a.csv" if kind == "zip" else "./a.csv"
    with raw_files.opened(tmp_path / packed, member) as stream:
        assert stream.read() == b"inside"
    assert sorted(tmp_path.rglob("*")) == before
    with (
        pytest.raises(PipelineError, match="contains no file 'b.csv'"),
        raw_files.opened(tmp_path / packed, "b.csv"),
    ):
        pass


def _one_file(folder):
    (folder / "content").mkdir()
    (folder / "content" / "a.csv").write_text("inside")
    return (folder / "content",)


def test_lines_about_temporary_files_are_hidden():
    record = logging.LogRecord("a", 20, "", 1, "%s file %r", ("Downloading", "a"), None)
    assert not raw_files._names_no_temporary_file(record)
    record.msg, record.args = "Failed to download %r. Will attempt again", ("a",)
    assert raw_files._names_no_temporary_file(record)
