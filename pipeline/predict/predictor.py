"""Predict from raw texts with a trained model, exactly as the chain did with its rows."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import as_array, strings
from pipeline.errors import PipelineError
from pipeline.evaluation.calibration import temper
from pipeline.evaluation.decision import MOST_PROBABLE, Decision, read_decision
from pipeline.features.texts import Texts
from pipeline.models import bundle
from pipeline.store import artifacts
from pipeline.text.prepare import prepare

_CHUNK = 20_000  # texts in work at a time: bounds memory
_AHEAD = 3  # chunks begun before the one that is needed next
_BY_TEXT = ("tweet", "regexp")  # tokenizers in Python, which threads do not help
_WORTH_PROCESSES = 100_000  # texts from which the start of processes (3 s) pays off
_STRINGS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


class Predictor:
    """A trained model that reads raw texts: cleaned, cut and turned into vectors as in training.

    A text's probabilities do not depend on the texts beside it. Not for several threads at once.

    Parameters
    ----------
    model : Bundle
        From `pipeline.models.bundle.load`.
    decision : Decision, optional
        Temperature and threshold, from `pipeline.evaluation.decision.read_decision`.
    processes : int
        Most processes at once; see `load`.
    """

    def __init__(
        self, model: bundle.Bundle, decision: Decision = MOST_PROBABLE, processes: int = 1
    ) -> None:
        self.model = model
        self.decision = decision
        self.processes = processes
        unwanted = "none" if model.stop_words is None else str(model.stop_words)
        tokenizing = {**model.steps["Tokenize"], "stop_words": unwanted}
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
            The Evaluate artifact of that model: its temperature calibrates probabilities, and its
            threshold decides on classes. Without, probabilities are those of the model, and the
            most probable class is named.
        processes : int
            Most processes at once, for many texts and a tokenizer that goes text by text. They are
            spawned, so that with more than 1 the calling script must guard what it runs with
            ``if __name__ == "__main__"``.

        Raises
        ------
        PipelineError
            If a folder is not of that kind, or the evaluation is of another model.
        """
        folder = Path(folder)
        model = bundle.load(folder)
        decision = MOST_PROBABLE
        if evaluation is not None:
            decision = read_decision(Path(evaluation), model.class_names)
            _check_same_model(folder, Path(evaluation))
        loaded = cls(model, decision, processes)
        # What a tokenizer wants installed is found missing here, and loaded before threads need it.
        loaded._prepare(pa.array([""]))
        return loaded

    @property
    def class_names(self) -> list[str]:
        """The classes, in the order of the columns of `probabilities`."""
        return self.model.class_names

    def probabilities(self, texts: Iterable[str] | pa.Array | pa.ChunkedArray) -> np.ndarray:
        """Return the probability of each class for each text.

        A text that is empty, or of which cleaning leaves nothing, gets what the model says of a
        text without a word.

        Parameters
        ----------
        texts : iterable of str, or Arrow column of strings
            Raw texts, n_texts of them.

        Returns
        -------
        ndarray of float64, shape (n_texts, n_classes)
            Calibrated where an evaluation was loaded.

        Raises
        ------
        PipelineError
            If a text is missing, or not a string.
        """
        column = _checked(texts)
        found = np.zeros((len(column), len(self.class_names)))
        start = 0
        for prepared in self._prepared(column):
            vectors = self.model.encoder.transform(prepared)
            end = start + len(prepared)
            found[start:end] = self.model.classifier.predict(vectors)
            start = end
        return temper(found, self.decision.temperature)

    def decide(self, probabilities: np.ndarray) -> list[str]:
        """Name the class that follows from each row of `probabilities`.

        Parameters
        ----------
        probabilities : ndarray of float64, shape (n_texts, n_classes)

        Returns
        -------
        list of str, length n_texts
            By the threshold where an evaluation with one was loaded, else the most probable.
        """
        names = self.class_names
        return [names[index] for index in self.decision.classes(probabilities).tolist()]

    def predict(self, texts: Iterable[str] | pa.Array | pa.ChunkedArray) -> list[str]:
        """Name the class of each text: `decide` of its `probabilities`."""
        return self.decide(self.probabilities(texts))

    def _prepared(self, column: pa.Array | pa.ChunkedArray | list[str]) -> Iterator[Texts]:
        """Yield chunks of the texts, cleaned and cut into tokens ahead of who reads them."""
        chunks = (_as_array(column, start) for start in range(0, len(column), _CHUNK))
        if len(column) <= _CHUNK:
            results: Iterable = map(self._prepare, chunks)
        else:
            results = _ahead(self._pool(len(column)), self._prepare, chunks)
        for cleaned, tokens in results:
            yield Texts(tokens, cleaned)

    def _pool(self, n_texts: int) -> Executor:
        """Return workers for the text steps."""
        by_text = self.model.steps["Tokenize"]["tokenizer"] in _BY_TEXT
        if by_text and self.processes > 1 and n_texts >= _WORTH_PROCESSES:
            # Spawned, not forked: forking a process with running threads can hang the child.
            return ProcessPoolExecutor(self.processes, mp_context=get_context("spawn"))
        # Arrow works outside of Python's lock.
        return ThreadPoolExecutor(os.cpu_count())


def _ahead(pool: Executor, function: Callable, chunks: Iterable) -> Iterator[Any]:
    """Yield what a function makes of each chunk, in order; no more are begun than `_AHEAD`."""
    begun: deque[Future] = deque()
    with pool:
        for chunk in chunks:
            begun.append(pool.submit(function, chunk))
            if len(begun) > _AHEAD:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def _checked(
    texts: Iterable[str] | pa.Array | pa.ChunkedArray,
) -> pa.Array | pa.ChunkedArray | list[str]:
    """Return a column or a list of texts, or say which of them is none."""
    if isinstance(texts, str | bytes):
        raise PipelineError(
            f"a list of texts was expected, got a single {type(texts).__name__}; put it into a "
            "list: [text]."
        )
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        listed = list(texts)
        for position, text in enumerate(listed):
            if not isinstance(text, str):
                raise _no_text(position, "None" if text is None else type(text).__name__)
        return listed
    kind = texts.type.value_type if pa.types.is_dictionary(texts.type) else texts.type
    if not any(is_kind(kind) for is_kind in _STRINGS):
        raise PipelineError(
            f"a column of strings was expected, got one of {texts.type}; cast it to string."
        )
    if texts.null_count:
        raise _no_text(pc.index(pc.is_null(texts), True).as_py(), "null")
    return texts


def _no_text(position: int, received: str) -> PipelineError:
    """Say which text is none."""
    return PipelineError(
        f"the text at position {position} (from 0) is {received}, not a string; leave it out, or "
        "give an empty string to hear what the model says of a text without a word."
    )


def _as_array(column: pa.Array | pa.ChunkedArray | list[str], start: int) -> pa.Array:
    """Return the chunk of the texts that begins at a row."""
    if isinstance(column, list):
        return strings(column[start : start + _CHUNK])
    return as_array(column.slice(start, _CHUNK).cast(pa.string()))


def _check_same_model(model: Path, evaluation: Path) -> None:
    """Raise where the manifests say that an evaluation is of another model."""
    trained, evaluated = (artifacts.read_manifest(place) for place in (model, evaluation))
    if trained and evaluated and evaluated["upstream"]["digest"] != trained["digest"]:
        raise PipelineError(
            f"{evaluation} evaluates {Path(evaluated['upstream']['place']).name}, not {model}; "
            "name an Evaluate artifact of this model, or leave it out."
        )
