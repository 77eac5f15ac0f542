"""Film reviews from the archive to an accuracy, as the book has it, on a dense matrix.

Usage: ``python -m benchmarks.notebook_way.reviews ARCHIVE``.
"""

import html
import json
import sys
import tarfile
from pathlib import Path

import numpy as np

from benchmarks.notebook_way.text import Tokenizer
from benchmarks.notebook_way.training import one_hot


def main() -> None:
    """Read, tokenize, train four epochs and print the accuracy on the test half."""
    import keras
    from keras import layers

    parts: dict[str, tuple[list[str], list[int]]] = {"train": ([], []), "test": ([], [])}
    with tarfile.open(Path(sys.argv[1])) as archive:
        for entry in archive:
            pieces = entry.name.split("/")
            if len(pieces) == 4 and pieces[2] in ("neg", "pos") and entry.isfile():
                text = archive.extractfile(entry).read().decode("utf-8")  # type: ignore[union-attr]
                parts[pieces[1]][0].append(html.unescape(text).replace("<br />", " "))
                parts[pieces[1]][1].append(int(pieces[2] == "pos"))
    tokenizer = Tokenizer(10_000)
    tokenizer.fit_on_texts(parts["train"][0])
    rows = {
        part: one_hot(tokenizer.texts_to_sequences(texts), 10_000)
        for part, (texts, _) in parts.items()
    }
    labels = {part: np.array(some, "float32") for part, (_, some) in parts.items()}
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            layers.Dense(16, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    model.fit(rows["train"], labels["train"], epochs=4, batch_size=512, verbose=0)
    _, accuracy = model.evaluate(rows["test"], labels["test"], verbose=0)
    print(json.dumps({"accuracy": accuracy, "rows": 50_000}))


if __name__ == "__main__":
    main()
