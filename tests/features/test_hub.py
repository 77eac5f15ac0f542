"""Download of TensorFlow Hub encoders, from a local server."""

import hashlib
import http.server
import io
import json
import tarfile
import threading

import pytest

from pipeline.errors import PipelineError
from pipeline.features import hub, pretrained


def archive(**files):
    """Return a compressed archive of files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return content.getvalue()


@pytest.fixture
def serve():
    """Return a function that serves one content; it returns the URL and a list of requests."""
    servers = []

    def start(content, status=200):
        requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                requests.append(self.path)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/model/1", requests

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_model_is_downloaded_unpacked_and_recorded(serve, tmp_path):
    content = archive(**{"saved_model.pb": b"graph", "variables/variables.index": b"index"})
    url, requests = serve(content)
    folder = tmp_path / "encoder"
    checksum = hub.download(url, folder)
    assert requests == ["/model/1?tf-hub-format=compressed"]
    assert checksum == hashlib.sha256(content).hexdigest()
    assert json.loads((folder / "source.json").read_text()) == {
        "address": url,
        "sha256": checksum,
    }
    assert (folder / "variables/variables.index").read_bytes() == b"index"
    assert len(pretrained.encoder_files(str(folder))) == 3


@pytest.mark.network
def test_downloaded_model_encodes(serve, tmp_path):
    import tensorflow as tf

    class Lengths(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, texts):
            return tf.cast(tf.strings.length(texts)[:, None], tf.float32) * [[1.0, 2.0]]

    tf.saved_model.save(Lengths(), str(tmp_path / "model"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(tmp_path / "model", arcname=".")
    url, _ = serve(packed.getvalue())
    hub.download(url, tmp_path / "encoder")

    from pipeline.features import sentences

    encode = sentences.load("encoder", tmp_path / "encoder")
    assert encode(["a", "bcd"]).tolist() == [[1, 2], [3, 6]]


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"", 404, "cannot be downloaded .*404.*check the URL"),
        (b"no archive", 200, "sent no archive of a SavedModel"),
        (archive(**{"saved_model.pb": bytes(9_000)})[:-30], 200, "sent no archive of a SavedModel"),
        (archive(**{"model.h5": b""}), 200, "without saved_model.pb"),
        (archive(**{"saved_model.pb": b"", "../escaped": b""}), 200, "sent no archive .*escaped"),
    ],
    ids=["missing", "damaged", "truncated", "another model", "path that leaves the folder"],
)
def test_response_without_a_model_is_an_error(serve, tmp_path, content, status, message):
    url, _ = serve(content, status)
    with pytest.raises(PipelineError, match=message):
        hub.download(url, tmp_path / "encoder")
    assert not (tmp_path / "escaped").exists()


def test_nonempty_folder_is_not_changed(tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(PipelineError, match="not empty; give a new folder"):
        hub.download("http://127.0.0.1:9/model", tmp_path)


def test_error_about_a_url_contains_the_download_command():
    with pytest.raises(PipelineError, match=r"hub https://tfhub.dev/x/1 FOLDER.*--encoder FOLDER"):
        pretrained.encoder_files("https://tfhub.dev/x/1")
