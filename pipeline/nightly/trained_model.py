"""A trained model as its artifacts show it: what it learned from, what it says of other rows."""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.data.daily import HOLDOUT_FOLDER
from pipeline.data.split import Parts, read_parts
from pipeline.errors import PipelineError
from pipeline.evaluation.decision import Decision, read_decision
from pipeline.models.bundle import STOP_WORDS
from pipeline.nightly.drift import Sample
from pipeline.nightly.rules import Predictions
from pipeline.predict.predictor import Predictor
from pipeline.store import artifacts
from pipeline.text import near
from pipeline.text.clean import clean
from pipeline.text.prepare import prepare
from pipeline.text.tokens import Tokens, read_tokens


@dataclass(frozen=True)
class FrozenRows:
    """The frozen test rows of a run.

    Attributes
    ----------
    raw : list of str
    labels : ndarray of int64, shape (n_rows,)
    probabilities : ndarray of float64, shape (n_rows, n_classes)
        Calibrated.
    groups : ndarray of int64, shape (n_rows,)
        Equal for copies of a text.
    """

    raw: list[str]
    labels: np.ndarray
    probabilities: np.ndarray
    groups: np.ndarray


class Evaluated:
    """What an Evaluate artifact and those above it hold.

    Parameters
    ----------
    place : Path
        Folder of the Evaluate artifact.
    """

    def __init__(self, place: Path) -> None:
        if not artifacts.is_complete(place):
            raise PipelineError(
                f"the model of {place} cannot be compared with: it is not there any more, or not "
                "whole. Run it again, or go back to another with the task Rollback."
            )
        self._place = place

    def path_of(self, task: str) -> Path:
        """Return the folder of an artifact that this one was made from."""
        place = self._place
        while True:
            manifest = artifacts.read_manifest(place)
            above = manifest and manifest["upstream"]
            if not above:
                raise PipelineError(
                    f"{place}, which {self._place} was made from, is not whole; run that model "
                    "again, or go back to another with the task Rollback."
                )
            place = place / above["place"]
            if above["task"] == task:
                return place

    @functools.cached_property
    def class_names(self) -> list[str]:
        """The classes, in the order of probabilities."""
        metrics = json.loads((self._place / "metrics.json").read_text(encoding="utf-8"))
        return metrics["class_names"]

    @functools.cached_property
    def parts(self) -> Parts:
        """Which row was for what."""
        return read_parts(self.path_of("SplitStratified") / "split.parquet")

    @functools.cached_property
    def tokens(self) -> Tokens:
        """Tokens of all rows."""
        return read_tokens(self.path_of("Tokenize") / "tokens.parquet")

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities of rows, by position."""
        columns = [f"calibrated_{name}" for name in self.class_names]
        table = pq.read_table(self._place / "predictions.parquet", columns=columns)
        return np.stack([table[name].to_numpy()[rows] for name in columns], axis=1)

    def frozen(self) -> FrozenRows:
        """Return the frozen test rows, in the order of their files."""
        path = self.path_of("CleanText") / "rows.parquet"
        table = pq.read_table(path, columns=["raw", "file", "near_group"])
        is_frozen = np.asarray(is_frozen_file(table["file"]))
        rows = np.intersect1d(np.flatnonzero(is_frozen), self.parts.rows("test"))
        return FrozenRows(
            table["raw"].take(pa.array(rows)).to_pylist(),
            self.parts.labels[rows].astype(np.int64),
            self.probabilities(rows),
            table["near_group"].to_numpy()[rows],
        )

    def learned(self, raw: Sequence[str]) -> np.ndarray:
        """Mark the texts, or near copies of texts, that the model was trained or chosen on.

        Frozen rows never are, unless they were added after the model was trained.

        Returns
        -------
        ndarray of bool, shape (n_texts,)
        """
        path = self.path_of("CleanText") / "rows.parquet"
        used = np.concatenate([self.parts.rows("train"), self.parts.rows("validation")])
        known = pq.read_table(path, columns=["raw", "clean"]).take(pa.array(used))
        asked = pa.array(raw, pa.string())
        texts = clean(asked, self._settings_of("CleanText"))["clean"]
        is_copy = pc.is_in(pc.utf8_lower(texts), pc.utf8_lower(known["clean"]).combine_chunks())
        words = near.words_of(pa.chunked_array([asked, *known["raw"].chunks]))
        similarity, _ = near.most_similar(words, len(asked))
        has_same_words = np.isin(words.keys[: len(asked)], words.keys[len(asked) :])
        return np.asarray(is_copy) | has_same_words | (similarity >= near.SIMILAR)

    def probabilities_of(self, frozen: FrozenRows) -> np.ndarray:
        """Return calibrated probabilities of another run's frozen rows.

        They are those that were written down where the rows are the same, else new predictions.
        """
        mine = self.frozen()
        return mine.probabilities if mine.raw == frozen.raw else self.predict(frozen.raw)

    def predictions_of(self, frozen: FrozenRows) -> Predictions:
        """Return probabilities of frozen rows, and the classes that this model decides on."""
        probabilities = self.probabilities_of(frozen)
        return Predictions(probabilities, self.decision.classes(probabilities))

    @functools.cached_property
    def decision(self) -> Decision:
        """How the model's probabilities become a class."""
        return read_decision(self._place, self.class_names)

    def vocabulary(self) -> list[str]:
        """Return every token of the training rows."""
        used = np.unique(self.tokens.take(self.parts.rows("train")).codes)
        return [self.tokens.words[code] for code in used]

    def training(self, most: int, seed: int) -> Sample:
        """Return training rows, and probabilities of validation rows, as a reference for drift."""
        rows = sampled(self.parts.rows("train"), most, seed)
        validation = sampled(self.parts.rows("validation"), most, seed)
        return Sample(
            self.parts.labels[rows],
            self.tokens.take(rows),
            self.probabilities(validation) if len(validation) else None,
        )

    def tokens_of(self, raw: Sequence[str]) -> Tokens:
        """Clean and cut texts as those that the model was trained on."""
        words = self.path_of("TrainModel") / STOP_WORDS
        tokenizing = {
            **self._settings_of("Tokenize"),
            "stop_words": str(words) if words.is_file() else "none",
        }
        texts = pa.array(raw, pa.string())
        return prepare(texts, self._settings_of("CleanText"), tokenizing)[1]

    def predict(self, raw: Sequence[str]) -> np.ndarray:
        """Return calibrated probabilities of raw texts, shape (n_texts, n_classes)."""
        return self._predictor.probabilities(raw)

    @functools.cached_property
    def _predictor(self) -> Predictor:
        return Predictor.load(self.path_of("TrainModel"), self._place)

    def _settings_of(self, task: str) -> Mapping[str, Any]:
        """Return the settings of a step, which its manifest holds."""
        return (artifacts.read_manifest(self.path_of(task)) or {})["settings"]


def is_frozen_file(files: pa.ChunkedArray) -> pa.ChunkedArray:
    """Mark the entries of a column ``file`` that are of frozen test rows."""
    return pc.starts_with(files.cast(pa.string()), f"{HOLDOUT_FOLDER}/")


def sampled(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Draw rows without order where there are more than ``most``; return them ascending."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
