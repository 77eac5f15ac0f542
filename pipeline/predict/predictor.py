"""Predict from raw texts with a trained model, with the text steps of its training."""

import itertools
import os
import reprlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, KeysView, Mapping, Set
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import as_array, strings
from pipeline.errors import DataError, SettingConflictError
from pipeline.evaluation.calibration import temper
from pipeline.evaluation.decision import MOST_PROBABLE, Decision, read_decision
from pipeline.features.texts import Texts
from pipeline.models import bundle
from pipeline.store import manifests
from pipeline.text.prepare import prepare
from pipeline.text.tokenize import process_pool

_CHUNK = 20_000  # texts per chunk: bounds memory
_CHUNKS_AHEAD = 3  # chunks submitted ahead of the one that is needed next
_PYTHON_TOKENIZERS = ("tweet", "regexp")  # hold Python's lock, so that threads do not help
_MIN_TEXTS_FOR_PROCESSES = 100_000  # fewer texts take less time than the start of processes (3 s)
_NAMES_SHOWN = 5  # columns in messages
_STRING_TYPES = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


class Predictor:
    """A trained model that reads raw texts, prepared as in training; see `load`.

    The probabilities of a text do not depend on other texts. Use an instance in one thread only.
    """

    def __init__(
        self, model: bundle.Bundle, decision: Decision = MOST_PROBABLE, processes: int = 1
    ) -> None:
        self.model = model
        self.decision = decision
        self.processes = processes
        stop_words = "none" if model.stop_words is None else str(model.stop_words)
        tokenizing = {**model.steps["Tokenize"], "stop_words": stop_words}
        self._prepare = partial(prepare, cleaning=model.steps["CleanText"], tokenizing=tokenizing)

    @classmethod
    def load(
        cls, folder: Path | str, evaluation: Path | str | None = None, processes: int = 1
    ) -> "Predictor":
        """Load a model.

        Parameters
        ----------
        folder : Path or str
            A TrainModel artifact.
        evaluation : Path or str, optional
            The Evaluate artifact of the model: its temperature calibrates probabilities, and its
            threshold decides on classes.
        processes : int
            Maximum number of processes, for many texts and a tokenizer in Python. Processes are
            spawned: with more than 1, the calling script needs ``if __name__ == "__main__"``.

        Raises
        ------
        BundleError, NotFoundError
            If a folder is not an artifact of that task.
        SettingConflictError
            If the evaluation is of another model.
        """
        folder = Path(folder)
        model = bundle.load(folder)
        decision = MOST_PROBABLE
        if evaluation is not None:
            decision = read_decision(Path(evaluation), model.class_names)
            _check_same_model(folder, Path(evaluation))
        predictor = cls(model, decision, processes)
        # Load the tokenizer before threads need it; a missing package is an error here.
        predictor._prepare(pa.array([""]))
        return predictor

    @property
    def class_names(self) -> list[str]:
        """The classes, in the order of the columns of `probabilities`."""
        return self.model.class_names

    def probabilities(self, texts: Iterable[str] | pa.Array | pa.ChunkedArray) -> np.ndarray:
        """Return the probability of each class for each text.

        A text without tokens gets the model's prediction for no tokens.

        Parameters
        ----------
        texts : iterable of str, or Arrow column of strings
            Raw texts: a list, a generator, an array, or one column of a table such as
            ``frame["text"]``.

        Returns
        -------
        ndarray of float64, shape (n_texts, n_classes)
            Calibrated if an evaluation was loaded.

        Raises
        ------
        DataError
            If ``texts`` is no column of texts, such as a table, a dict or a single string, or if a
            text is missing (None, NaN) or not a string. An empty string is allowed.
        """
        column = _checked(texts)
        probabilities = np.zeros((len(column), len(self.class_names)))
        starts = range(0, len(column), _CHUNK)
        for start, prepared in zip(starts, self._prepared(column), strict=True):
            vectors = self.model.encoder.transform(prepared)
            probabilities[start : start + _CHUNK] = self.model.classifier.predict(vectors)
        return temper(probabilities, self.decision.temperature)

    def decide(self, probabilities: np.ndarray) -> list[str]:
        """Return the class of each row: by the threshold if any, else the most probable."""
        names = self.class_names
        return [names[index] for index in self.decision.classes(probabilities).tolist()]

    def predict(self, texts: Iterable[str] | pa.Array | pa.ChunkedArray) -> list[str]:
        """Return the class of each text: `decide` of its `probabilities`.

        Examples
        --------
        Of a table, pass the column of texts::

            predictor.predict(frame["text"])
        """
        return self.decide(self.probabilities(texts))

    def _prepared(self, column: pa.Array | pa.ChunkedArray | list[str]) -> Iterator[Texts]:
        """Yield chunks of cleaned and tokenized texts, which workers prepare ahead."""
        chunks = (_chunk(column, start) for start in range(0, len(column), _CHUNK))
        if len(column) <= _CHUNK:
            results: Iterable = map(self._prepare, chunks)
        else:
            results = _map_ahead(self._pool(len(column)), self._prepare, chunks)
        for cleaned, tokens in results:
            yield Texts(tokens, cleaned, self.model.steps["Tokenize"]["language"])

    def _pool(self, n_texts: int) -> Executor:
        """Return workers for the text steps."""
        in_python = self.model.steps["Tokenize"]["tokenizer"] in _PYTHON_TOKENIZERS
        if in_python and self.processes > 1 and n_texts >= _MIN_TEXTS_FOR_PROCESSES:
            return process_pool(self.processes)
        return ThreadPoolExecutor(os.cpu_count())  # Arrow releases Python's lock


def _map_ahead(pool: Executor, function: Callable, chunks: Iterable) -> Iterator[Any]:
    """Yield the result of each chunk, in order; submit at most `_CHUNKS_AHEAD` more chunks."""
    submitted: deque[Future] = deque()
    with pool:
        for chunk in chunks:
            submitted.append(pool.submit(function, chunk))
            if len(submitted) > _CHUNKS_AHEAD:
                yield submitted.popleft().result()
        while submitted:
            yield submitted.popleft().result()


def _checked(
    texts: Iterable[str] | pa.Array | pa.ChunkedArray,
) -> pa.Array | pa.ChunkedArray | list[str]:
    """Return the texts as a column or list; raise if they are no column of strings."""
    problem = _not_a_column(texts)
    if problem:
        raise DataError(f"texts must be a list or a column of strings, got {problem}.")
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        items = list(texts)
        for position, text in enumerate(items):
            if not isinstance(text, str):
                raise _not_a_string(position, text)
        return items
    if pa.types.is_dictionary(texts.type):
        texts = texts.cast(texts.type.value_type)  # its values can be missing, too
    if not any(is_kind(texts.type) for is_kind in _STRING_TYPES):
        raise DataError(f"texts must be a column of strings, got {texts.type}; cast it to string.")
    if texts.null_count:
        raise _not_a_string(pc.index(pc.is_null(texts), True).as_py(), None)
    return texts


def _not_a_column(texts: Any) -> str:
    """Describe what was passed instead of a column, and what to pass; empty for a column.

    Iterating over a table or a dict gives its names, which would be classified as texts.
    """
    kind = type(texts).__name__
    if isinstance(texts, str | bytes | bytearray):
        return f"a single {kind}; put it into a list: predict([text])"
    if isinstance(texts, Mapping):
        return (
            f"{kind}{_names('keys', texts)}; pass the texts alone: predict(values[{_first(texts)}])"
        )
    if isinstance(texts, Set) and not isinstance(texts, KeysView):
        return f"{kind}, which has no order; pass a list: predict(sorted(texts))"
    shape = getattr(texts, "shape", (0,))
    if len(shape) != 1:
        columns = getattr(texts, "column_names", getattr(texts, "columns", None))
        if columns is not None:
            names = list(columns)
            advice = f"pass one column: predict(frame[{_first(names)}])"
            return f"{kind}{_names('columns', names)}; {advice}"
        return f"{kind} of shape {tuple(shape)}; pass one column: predict(texts[:, 0])"
    if not isinstance(texts, Iterable):
        return f"{reprlib.repr(texts)}; pass a list: predict([text])"
    return ""


def _names(kind: str, names: Collection[Any]) -> str:
    """Return the first names of a table's columns, or keys of a dict, for messages."""
    shown = ", ".join(map(str, itertools.islice(names, _NAMES_SHOWN)))
    more = ", ..." if len(names) > _NAMES_SHOWN else ""
    return f" with {kind} {shown}{more}" if shown else ""


def _first(names: Collection[Any]) -> str:
    """Return the name of the column that an advice mentions: text if there is one."""
    return repr("text" if "text" in names or not names else next(iter(names)))


def _not_a_string(position: int, text: Any) -> DataError:
    """Return the error for a text that is not a string."""
    received = "None" if text is None else f"{type(text).__name__} {reprlib.repr(text)}"
    return DataError(
        f"the text at position {position} (from 0) must be a string, got {received}; remove it, or "
        "replace it by an empty string to predict from no tokens."
    )


def _chunk(column: pa.Array | pa.ChunkedArray | list[str], start: int) -> pa.Array:
    """Return the chunk of the texts that begins at a row."""
    if isinstance(column, list):
        return strings(column[start : start + _CHUNK])
    return as_array(column.slice(start, _CHUNK).cast(pa.string()))


def _check_same_model(model: Path, evaluation: Path) -> None:
    """Raise if the manifests show that the evaluation is of another model."""
    trained, evaluated = (manifests.read_manifest(path) for path in (model, evaluation))
    if trained and evaluated and evaluated["upstream"]["digest"] != trained["digest"]:
        raise SettingConflictError(
            f"{evaluation} evaluates {Path(evaluated['upstream']['place']).name}, not {model}; "
            "choose an Evaluate artifact of this model, or omit the evaluation."
        )
