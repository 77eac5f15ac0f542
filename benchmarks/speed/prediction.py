"""Time batch prediction from raw texts, each model in turn, beside fastText and Keras.

Usage: ``python -m benchmarks.speed.prediction --data DIR --outputs DIR``, where the data folder
holds ``sentiment140``. Models are trained once, on a part of it and for one epoch where training is
slow, since that changes the values of their weights and not how many they are.
"""

import argparse
import csv
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import link_data
from pipeline.models import specs

DATASET, SLICE = "sentiment140", "sentiment140_slice"
TEXTS = 100_000
ROUNDS = 3  # counted, after one over a tenth of the texts that is not
# Slow ones get fewer texts, and a dataset of so few rows where even vectors take long.
FEWER = {"sentence_encoder": 1_000}
SLICE_ROWS = 2_000
QUICK = {"epochs": 1, "patience": 0, "train_fraction": 0.05}
#: The network whose ``model.predict`` is called text by text, and for how many texts.
ONE_BY_ONE, ONES = "bilstm", 200
FASTTEXT, KERAS = "fastText by itself", f"Keras model.predict per text, {ONE_BY_ONE}"


@dataclass(frozen=True)
class Timing:
    """What one side took.

    Attributes
    ----------
    name : str
    texts : int
        Texts of each round.
    seconds : tuple of float
        Of each round.
    """

    name: str
    texts: int
    seconds: tuple[float, ...]

    @property
    def rows_per_second(self) -> float:
        """Median over the rounds."""
        return self.texts / statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """Rows per second of the slowest and of the fastest round."""
        return self.texts / max(self.seconds), self.texts / min(self.seconds)


def prediction(
    data: Path, outputs: Path, say: Callable[[str], None] = lambda line: None
) -> list[Timing]:
    """Time every registered model, and what is set beside them, on the same texts.

    Parameters
    ----------
    data : Path
        Folder with the folder ``sentiment140``.
    outputs : Path
        Folder for artifacts; models that are there are not trained again.
    say : callable
        Called with a line at each step, as the whole takes minutes.

    Returns
    -------
    list of Timing
        Models in the order of the registry, then fastText by itself and Keras.
    """
    data = link_data(data, outputs / ".speed-data")
    # In a process of its own, which leaves neither threads nor TensorFlow's settings behind.
    training = get_context("spawn").Process(target=train, args=(data, outputs))
    training.start()
    training.join()
    if training.exitcode:
        raise RuntimeError(f"training ended with exit code {training.exitcode}; see above")
    texts, labels = _rows(data, outputs)
    sides: dict[str, tuple[int, Callable[[int], Any]]] = {}
    for model in specs.MODELS:
        some = texts[: FEWER.get(model, TEXTS)]
        sides[model] = len(some), _model(_place(model, data, outputs), some)
    sides[FASTTEXT] = len(texts), _fasttext(texts, labels)
    sides[KERAS] = ONES, _keras(_place(ONE_BY_ONE, data, outputs), texts[:ONES])
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for name, (number, run) in sides.items():
        say(f"warm-up: {name}")
        run(number // 10)
    for count in range(ROUNDS):
        say(f"round {count + 1} of {ROUNDS}")
        for name, (number, run) in sides.items():
            started = time.perf_counter()
            run(number)
            seconds[name].append(time.perf_counter() - started)
            say(f"{name}: {seconds[name][-1]:.2f} s")
    return [Timing(name, sides[name][0], tuple(found)) for name, found in seconds.items()]


def train(data: Path, outputs: Path) -> None:
    """Train what is not trained yet."""
    import luigi

    first = _task("naive_bayes", data, outputs)
    if not luigi.build([first], local_scheduler=True, log_level="WARNING"):
        raise RuntimeError("naive_bayes could not be trained; see above")
    _write_slice(data, *(column[:SLICE_ROWS] for column in _rows(data, outputs)))
    others = [_task(model, data, outputs) for model in specs.MODELS]
    if not luigi.build(others, local_scheduler=True, log_level="WARNING"):
        raise RuntimeError("a model could not be trained; see above")


def table(timings: Sequence[Timing]) -> str:
    """Lay timings out as a table in Markdown."""
    lines = [
        "| side | texts | rows a second (median) | slowest to fastest | of fastText |",
        "|---|---|---|---|---|",
    ]
    beside = next(each for each in timings if each.name == FASTTEXT).rows_per_second
    for each in timings:
        low, high = each.spread
        lines.append(
            f"| {each.name} | {each.texts:,} | {each.rows_per_second:,.0f} | {low:,.0f} to "
            f"{high:,.0f} | {each.rows_per_second / beside:.2f} |"
        )
    return "\n".join(lines)


def _task(model: str, data: Path, outputs: Path) -> Any:
    """Return the task that trains a model."""
    import luigi

    from pipeline import TrainModel

    config = luigi.configuration.get_config()
    config.set("paths", "data", str(data))
    config.set("paths", "outputs", str(outputs))
    used = specs.MODELS[model].hyperparameters
    # fastText trains quickly; for one epoch its words would hardly be apart.
    quick = QUICK if "batch_size" in used else {}
    return TrainModel(
        dataset=SLICE if model in FEWER else DATASET,
        model=model,
        **{name: value for name, value in quick.items() if name in used},
    )


def _place(model: str, data: Path, outputs: Path) -> Path:
    """Return the folder of a trained model."""
    return _task(model, data, outputs).path()


def _rows(data: Path, outputs: Path) -> tuple[list[str], list[str]]:
    """Return raw texts and labels."""
    import pyarrow.parquet as pq

    task = _task("naive_bayes", data, outputs)
    file = task.path_of("CleanText") / "rows.parquet"
    rows = pq.read_table(file, columns=["raw", "label"]).slice(0, TEXTS)
    return rows["raw"].to_pylist(), rows["label"].to_pylist()


def _write_slice(data: Path, texts: Sequence[str], labels: Sequence[str]) -> None:
    """Write a few rows as a dataset of its own."""
    folder = data / SLICE
    folder.mkdir(exist_ok=True)
    names = sorted(set(labels))
    (folder / "dataset.toml").write_text(f'labels = {json.dumps(names)}\nfiles = ["rows.csv"]\n')
    with open(folder / "rows.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(zip(texts, labels, strict=True))


def _model(place: Path, texts: list[str]) -> Callable[[int], Any]:
    """Return what predicts a number of texts with a trained model."""
    from pipeline.predict.predictor import Predictor

    predictor = Predictor.load(place, processes=os.cpu_count() or 1)
    return lambda number: predictor.probabilities(texts[:number])


def _fasttext(texts: list[str], labels: list[str]) -> Callable[[int], Any]:
    """Return what predicts with fastText by itself, trained with its defaults on plain lines."""
    import fasttext

    def lines(number: int) -> list[str]:
        return [" ".join(text.lower().split()) for text in texts[:number]]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        rows = zip(labels, lines(len(texts)), strict=True)
        path.write_text("".join(f"__label__{label} {line}\n" for label, line in rows))
        model = fasttext.train_supervised(str(path), verbose=0)
    return lambda number: model.predict(lines(number), k=-1)


def _keras(place: Path, texts: list[str]) -> Callable[[int], Any]:
    """Return what calls Keras' ``predict`` for each text, from vectors that are there already."""
    from pipeline.predict.predictor import Predictor
    from pipeline.training import batches

    predictor = Predictor.load(place)
    prepared = list(predictor._prepared(texts))
    vectors = np.concatenate([predictor.model.encoder.transform(each) for each in prepared])
    arrays = [batches.arrays(vectors, np.array([row]), truncate=True) for row in range(len(texts))]
    model = predictor.model.classifier.model
    return lambda number: [model.predict(array[0], verbose=0) for array in arrays[:number]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = Path(__file__).parent.parent.parent
    parser.add_argument("--data", type=Path, default=root / "data")
    parser.add_argument("--outputs", type=Path, default=root / "outputs")
    words = parser.parse_args()
    folders = words.data.resolve(), words.outputs.resolve()
    print(table(prediction(*folders, lambda line: print(line, file=sys.stderr, flush=True))))


if __name__ == "__main__":
    main()
