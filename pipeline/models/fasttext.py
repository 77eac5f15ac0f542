"""fastText's supervised classifier (Joulin et al. 2016)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipeline.models.base import Classifier, Fitted, TrainingData
from pipeline.store.files import scratch_folder

_MODEL, _NOTES = "model.bin", "fasttext.json"
_LABEL = "__label__"


class FastText(Classifier):
    """A linear layer on the mean of the vectors of words, word n-grams and character n-grams."""

    def __init__(self, model: Any, n_classes: int) -> None:
        self.model = model
        self.n_classes = n_classes

    @classmethod
    def _fit(cls, model: str, data: TrainingData, settings: Mapping[str, Any]) -> Fitted:
        import fasttext

        low, high = (0, 0) if settings["subwords"] == "none" else settings["subwords"]
        with scratch_folder() as scratch, open(scratch / "rows.txt", "w", encoding="utf-8") as file:
            for text, label in zip(data.train, data.train_labels, strict=True):
                file.write(f"{_LABEL}{label} {_escaped(text)}\n")
            file.flush()
            trained = fasttext.train_supervised(
                file.name,
                dim=settings["embedding_size"],
                epoch=settings["epochs"],
                lr=settings["learning_rate"],
                wordNgrams=settings["longest_run"],
                minn=low,
                maxn=high,
                bucket=settings["buckets"],
                seed=settings["seed"],
                thread=1,  # with several threads the weights are not reproducible
                verbose=0,
            )
        size = trained.get_input_matrix().size + trained.get_output_matrix().size
        return cls(trained, len(data.class_names)), {"parameters": int(size)}

    def predict(self, vectors: Sequence[str]) -> np.ndarray:
        """Return probabilities of raw texts, float64, shape (n_rows, n_classes)."""
        values = np.zeros((len(vectors), self.n_classes))
        if len(vectors):
            labels, predicted = self.model.predict([_escaped(text) for text in vectors], k=-1)
            for row, (names, numbers) in enumerate(zip(labels, predicted, strict=True)):
                values[row, [int(name[len(_LABEL) :]) for name in names]] = numbers
        # fastText rounds: its float32 rows sum to one only within 1e-4. A text without a word of
        # the vocabulary has no labels at all.
        total = values.sum(axis=1, keepdims=True)
        uniform = np.full_like(values, 1 / self.n_classes)
        return np.where(total > 0, values / np.where(total > 0, total, 1), uniform)

    def save(self, folder: Path) -> None:
        """Write fastText's binary file."""
        self.model.save_model(str(folder / _MODEL))
        (folder / _NOTES).write_text(json.dumps({"n_classes": self.n_classes}) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read fastText's binary file."""
        import fasttext

        notes = json.loads((folder / _NOTES).read_text(encoding="utf-8"))
        return cls(fasttext.load_model(str(folder / _MODEL)), notes["n_classes"])


def _escaped(text: str) -> str:
    """Break up words that fastText would read as a label or as the end of a line."""
    return text.replace(_LABEL, "_label_").replace("</s>", "< /s>")
