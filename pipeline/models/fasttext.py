"""fastText's supervised classifier (Joulin et al. 2016)."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.models.base import Classifier, Progress, Training, TrainingData
from pipeline.training.validation_metrics import scores

_MODEL, _NOTES = "model.bin", "fasttext.json"
_LABEL = "__label__"


class FastText(Classifier):
    """A mean of word, word-run and character-run vectors under a linear layer.

    Parameters
    ----------
    model : object
        fastText's own.
    n_classes : int
    """

    def __init__(self, model: Any, n_classes: int) -> None:
        self.model = model
        self.n_classes = n_classes

    @classmethod
    def fit(
        cls,
        model: str,
        data: TrainingData,
        settings: Mapping[str, Any],
        progress: Progress,
        logs: Path,
        partial: Path | None = None,
    ) -> tuple["FastText", Training]:
        """Train on the training rows; validation rows are only scored."""
        import fasttext

        low, high = (0, 0) if settings["subwords"] == "none" else settings["subwords"]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            _write(path, data.train, data.train_labels)
            trained = fasttext.train_supervised(
                str(path),
                dim=settings["embedding_size"],
                epoch=settings["epochs"],
                lr=settings["learning_rate"],
                wordNgrams=settings["longest_run"],
                minn=low,
                maxn=high,
                bucket=settings["buckets"],
                seed=settings["seed"],
                # With several threads the weights depend on which one comes first.
                thread=1,
                verbose=0,
            )
        progress(1.0, "fitted")
        fitted = cls(trained, len(data.class_names))
        size = trained.get_input_matrix().size + trained.get_output_matrix().size
        training = Training(facts={"parameters": int(size)})
        if len(data.validation_labels):
            found = scores(data.validation_labels, fitted.predict(data.validation))
            training.history.append({"epoch": 1, **found})
        return fitted, training

    def predict(self, vectors: Sequence[str]) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes), of lines of tokens."""
        found = np.zeros((len(vectors), self.n_classes))
        if len(vectors):
            labels, values = self.model.predict([_plain(line) for line in vectors], k=-1)
            for row, (names, each) in enumerate(zip(labels, values, strict=True)):
                found[row, [int(name[len(_LABEL) :]) for name in names]] = each
        # fastText's probabilities are float32 and rounded: rows sum to one but for 1e-4. A line
        # of which it knows nothing, not even its end, has no labels at all.
        total = found.sum(axis=1, keepdims=True)
        even = np.full_like(found, 1 / self.n_classes)
        return np.where(total > 0, found / np.where(total > 0, total, 1), even)

    def save(self, folder: Path) -> None:
        """Write fastText's own file."""
        self.model.save_model(str(folder / _MODEL))
        (folder / _NOTES).write_text(json.dumps({"n_classes": self.n_classes}) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "FastText":
        """Read fastText's own file."""
        import fasttext

        notes = json.loads((folder / _NOTES).read_text(encoding="utf-8"))
        return cls(fasttext.load_model(str(folder / _MODEL)), notes["n_classes"])


def _write(path: Path, lines: Sequence[str], labels: np.ndarray) -> None:
    """Write a line for each text, its label first."""
    with open(path, "w", encoding="utf-8") as file:
        for line, label in zip(lines, labels, strict=True):
            file.write(f"{_LABEL}{label} {_plain(line)}\n")


def _plain(line: str) -> str:
    """Break up what fastText would take for a label or for the end of a line."""
    return line.replace(_LABEL, "_label_").replace("</s>", "< /s>")
