"""The model of a night or the champion: its training rows, and its predictions for other rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.daily import HOLDOUT_FOLDER
from pipeline.errors import DamagedArtifactError
from pipeline.evaluation.decision import Decision, read_decision
from pipeline.evaluation.finished import EvaluatedRun
from pipeline.evaluation.predictions import in_row_order
from pipeline.models.bundle import STOP_WORDS
from pipeline.nightly.drift import Sample
from pipeline.nightly.rules import Predictions
from pipeline.predict.predictor import Predictor
from pipeline.store.manifests import is_complete
from pipeline.text import near
from pipeline.text.clean import clean
from pipeline.text.prepare import prepare
from pipeline.text.tokens import Tokens


@dataclass(frozen=True)
class HoldoutRows:
    """The holdout rows of a run."""

    raw: list[str]
    labels: np.ndarray  # int64, shape (n_rows,)
    probabilities: np.ndarray  # float64, shape (n_rows, n_classes), calibrated
    groups: np.ndarray  # int64, shape (n_rows,), equal for copies of a text


class Evaluated:
    """An evaluated model, by the folder of its Evaluate artifact, and the rows of its run."""

    def __init__(self, folder: Path) -> None:
        if not is_complete(folder):
            raise DamagedArtifactError(
                f"the model evaluated in {folder} cannot be compared: the folder is missing or "
                "incomplete; run that model again, or choose an earlier one with the task Rollback."
            )
        self.run = EvaluatedRun(folder)
        self.path_of = self.run.path_of
        self.class_names = self.run.class_names

    @cached_property
    def decision(self) -> Decision:
        """Temperature and threshold."""
        return read_decision(self.path_of("Evaluate"), self.class_names)

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor.load(self.path_of("TrainModel"), self.path_of("Evaluate"))

    def predict(self, raw: Sequence[str]) -> np.ndarray:
        """Return calibrated probabilities of raw texts, shape (n_texts, n_classes)."""
        return self._predictor.probabilities(raw)

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Return the recorded calibrated probabilities of rows, given by position."""
        columns = [f"calibrated_{name}" for name in self.class_names]
        table = self.run.read_table("Evaluate", "predictions.parquet", ["id", *columns])
        table = in_row_order(table)
        return np.stack([table[name].to_numpy()[rows] for name in columns], axis=1)

    def holdout_rows(self) -> HoldoutRows:
        """Return the holdout rows, in the order of their files."""
        table = self.run.read_table("CleanText", "rows.parquet", ["raw", "file", "near_group"])
        is_holdout = np.asarray(is_holdout_file(table["file"]))
        rows = np.intersect1d(np.flatnonzero(is_holdout), self.run.parts.rows("test"))
        return HoldoutRows(
            table["raw"].take(pa.array(rows)).to_pylist(),
            self.run.parts.labels[rows].astype(np.int64),
            self.probabilities(rows),
            table["near_group"].to_numpy()[rows],
        )

    def probabilities_of(self, holdout: HoldoutRows) -> np.ndarray:
        """Return calibrated probabilities of another run's holdout rows, recorded or predicted."""
        recorded = self.holdout_rows()
        return recorded.probabilities if recorded.raw == holdout.raw else self.predict(holdout.raw)

    def predictions_of(self, holdout: HoldoutRows) -> Predictions:
        """Return probabilities and decided classes of another run's holdout rows."""
        probabilities = self.probabilities_of(holdout)
        return Predictions(probabilities, self.decision.classes(probabilities))

    def learned(self, raw: Sequence[str]) -> np.ndarray:
        """Return which texts are copies or near copies of training or validation rows, as a mask.

        No holdout row is, unless it became one after the model was trained.
        """
        used = np.concatenate([self.run.parts.rows("train"), self.run.parts.rows("validation")])
        table = self.run.read_table("CleanText", "rows.parquet", ["raw", "clean"])
        table = table.take(pa.array(used))
        texts = pa.array(raw, pa.string())
        cleaned = clean(texts, self.run.settings_of("CleanText"))["clean"]
        is_copy = pc.is_in(pc.utf8_lower(cleaned), pc.utf8_lower(table["clean"]).combine_chunks())
        words = near.words_of(pa.chunked_array([texts, *table["raw"].chunks]))
        similarity, _ = near.most_similar(words, len(texts))
        has_same_words = np.isin(words.keys[: len(texts)], words.keys[len(texts) :])
        return np.asarray(is_copy) | has_same_words | (similarity >= near.SIMILAR)

    def vocabulary(self) -> list[str]:
        """Return every token of the training rows."""
        used = np.unique(self.run.tokens.take(self.run.parts.rows("train")).codes)
        return [self.run.tokens.words[code] for code in used]

    def training(self, most: int, seed: int) -> Sample:
        """Return training rows, and probabilities of validation rows, as a reference for drift."""
        rows = sampled(self.run.parts.rows("train"), most, seed)
        validation = sampled(self.run.parts.rows("validation"), most, seed)
        return Sample(
            self.run.parts.labels[rows],
            self.run.tokens.take(rows),
            self.probabilities(validation) if len(validation) else None,
        )

    def tokens_of(self, raw: Sequence[str]) -> Tokens:
        """Clean and tokenize texts as the training rows were."""
        stop_words = self.path_of("TrainModel", STOP_WORDS)
        tokenizing = {
            **self.run.settings_of("Tokenize"),
            "stop_words": str(stop_words) if stop_words.is_file() else "none",
        }
        texts = pa.array(raw, pa.string())
        return prepare(texts, self.run.settings_of("CleanText"), tokenizing)[1]


def is_holdout_file(files: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return which entries of a column ``file`` are files of holdout rows."""
    return pc.starts_with(files.cast(pa.string()), f"{HOLDOUT_FOLDER}/")


def sampled(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Return at most ``most`` rows, drawn without replacement and sorted."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
