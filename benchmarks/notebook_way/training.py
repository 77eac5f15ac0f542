"""Networks as notebooks train them: padded or dense arrays, and ``fit``.

Usage: ``python -m benchmarks.notebook_way.training WORK FOLDER``, where the folder holds
``train.csv`` and ``test.csv`` with the columns ``text`` (clean) and ``label`` (0 or 1).
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.notebook_way.text import Tokenizer, pad


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read training and test rows."""
    return tuple(  # type: ignore[return-value]
        pd.read_csv(folder / f"{part}.csv", keep_default_na=False) for part in ("train", "test")
    )


def one_hot(sequences: list[list[int]], width: int) -> np.ndarray:
    """Mark the words of each text in a dense matrix, of the type that a network reads."""
    matrix = np.zeros((len(sequences), width), dtype=np.float32)
    for row, sequence in enumerate(sequences):
        matrix[row, sequence] = 1.0
    return matrix


def sequences(folder: Path, num_words: int) -> tuple[list, np.ndarray, list, np.ndarray]:
    """Tokenize, the vocabulary from training rows."""
    train, test = read(folder)
    tokenizer = Tokenizer(num_words)
    tokenizer.fit_on_texts(train["text"])
    known = tokenizer.texts_to_sequences(train["text"])
    others = tokenizer.texts_to_sequences(test["text"])
    return known, train["label"].to_numpy(), others, test["label"].to_numpy()


def bag(folder: Path, seed: int) -> dict[str, Any]:
    """Train the blog's network on a dense one-hot matrix: 5 epochs, batches of 32."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    known, labels, others, truth = sequences(folder, 3_000)
    train, test = one_hot(known, 3_000), one_hot(others, 3_000)
    model = keras.Sequential(
        [
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(256, activation="sigmoid"),
            layers.Dropout(0.5),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fitted = _fit(model, train, labels, epochs=5, batch_size=32)
    return {**fitted, **_scores(model.predict(test, verbose=0).argmax(1), truth)}


def recurrent(
    folder: Path, seed: int, length: int, epochs: int, batch: int, *, masked: bool
) -> dict[str, Any]:
    """Train a bidirectional LSTM of 64 units on padded arrays."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    known, labels, others, truth = sequences(folder, 10_000)
    train, test = pad(known, length), pad(others, length)
    model = keras.Sequential(
        [
            layers.Embedding(10_000, 128, mask_zero=masked),
            layers.Bidirectional(layers.LSTM(64)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    fitted = _fit(model, train, labels, epochs=epochs, batch_size=batch)
    predicted = (model.predict(test, verbose=0)[:, 0] > 0.5).astype(int)
    return {**fitted, **_scores(predicted, truth)}


def _fit(model: Any, rows: np.ndarray, labels: np.ndarray, **options: Any) -> dict[str, Any]:
    """Fit and return the seconds of each epoch, and when the last ended."""
    import keras

    ends = [time.perf_counter()]
    after = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter())
    )
    model.fit(rows, labels, verbose=0, callbacks=[after], **options)
    return {"epoch_seconds": np.diff(ends).tolist(), "ended": ends[-1], "rows": len(labels)}


def _scores(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Score test rows."""
    from sklearn.metrics import accuracy_score, f1_score

    accuracy, f1 = accuracy_score(truth, predicted), f1_score(truth, predicted)
    return {"accuracy": float(accuracy), "f1": float(f1)}


def main() -> None:
    """Do one work and print what came out."""
    work, folder, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if work == "bag":
        found = bag(folder, seed)
    else:
        length, epochs, batch = (int(word) for word in sys.argv[4:7])
        masked = sys.argv[7] == "masked"
        found = recurrent(folder, seed, length, epochs, batch, masked=masked)
    # What came after training, for those who compare training alone.
    found["after_fit"] = time.perf_counter() - found.pop("ended")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
