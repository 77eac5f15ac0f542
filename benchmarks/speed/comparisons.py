"""What is compared: each comparison a function from a `Bench` to lines of the table."""

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed import corpus
from benchmarks.speed.harness import Side, Taken, compare

_SCRIPTS = Path(sys.executable).parent
_STEPS = {
    "CleanText": "2_clean",
    "Tokenize": "3_tokenize",
    "Vectorize": "4_vectorize",
    "SplitStratified": "5_split",
    "TrainModel": "6_train",
    "Evaluate": "7_evaluate",
}


@dataclass(frozen=True)
class Bench:
    """Where a comparison finds its data and leaves its artifacts, and whom it tells."""

    data: Path
    outputs: Path
    say: Callable[[str], None]

    def luigi(self, task: str, dataset: str, **settings: Any) -> list[str]:
        """Return a luigi command."""
        words = [str(_SCRIPTS / "luigi"), "--module", "pipeline", task, "--dataset", dataset]
        for name, value in settings.items():
            words += [f"--{name.replace('_', '-')}", str(value)]
        places = ["--paths-data", str(self.data), "--paths-outputs", str(self.outputs)]
        return [*words, *places, "--log-level", "WARNING"]

    def build(self, task: str, dataset: str, **settings: Any) -> None:
        """Run a luigi command that is not measured."""
        subprocess.run(self.luigi(task, dataset, **settings), check=True, capture_output=True)

    def without(self, dataset: str, first: str) -> Callable[[], None]:
        """Return what takes away a step of a dataset and those below it."""

        def take_away() -> None:
            steps = list(_STEPS)
            for step in steps[steps.index(first) :]:
                shutil.rmtree(self.outputs / dataset / _STEPS[step], ignore_errors=True)

        return take_away

    def manifest(self, dataset: str, step: str, holds: str = "") -> dict[str, Any]:
        """Return the newest manifest of a step, of a folder whose name begins with a word."""
        folders = (self.outputs / dataset / _STEPS[step]).glob(f"{holds}*/manifest.json")
        newest = max(folders, key=lambda path: path.stat().st_mtime)
        return {**json.loads(newest.read_text()), "place": newest.parent}

    def steps(self, dataset: str, *names: str) -> Callable[[], dict[str, Any]]:
        """Return what reads seconds and peak memory of steps."""

        def read() -> dict[str, Any]:
            found = [self.manifest(dataset, name) for name in names]
            return {
                "steps": sum(each["seconds"] for each in found),
                "step_memory": max(each["peak_memory_mib"] for each in found),
            }

        return read

    def evaluated(self, dataset: str, model: str) -> Callable[[], dict[str, Any]]:
        """Return what reads the test figures of a model, and what its training took."""

        def read() -> dict[str, Any]:
            metrics = json.loads(
                (self.manifest(dataset, "Evaluate", model)["place"] / "metrics.json").read_text()
            )["test"]
            train = self.manifest(dataset, "TrainModel", model)
            return {
                "accuracy": metrics["accuracy"],
                "f1": list(metrics["by_class"].values())[1]["f1"],
                "train": train["seconds"],
                "rows": train["rows_out"],
                "step_memory": train["peak_memory_mib"],
            }

        return read

    def notebook(self, module: str, *words: Any) -> list[str]:
        """Return a command of the notebook way."""
        return [sys.executable, "-m", f"benchmarks.notebook_way.{module}", *map(str, words)]


def text_words(bench: Bench) -> dict[str, Any]:
    """Compare the text steps, plain words."""
    small, large = corpus.tweets(bench.data, 1), corpus.tweets(bench.data, 16)
    names = ("CleanText", "Tokenize", "Vectorize")
    notebook, some, all_ = "notebook way, 100,000 rows", "100,000 rows", "1,600,000 rows"
    command = bench.notebook("text", bench.data / small / "rows.csv", "words")
    taken = compare(
        [Side(notebook, command)]
        + [
            Side(
                name,
                bench.luigi("Vectorize", dataset, sequence_length=35, max_words=10_000),
                bench.without(dataset, "CleanText"),
                bench.steps(dataset, *names),
            )
            for name, dataset in ((some, small), (all_, large))
        ],
        3,
        bench.say,
    )
    ours, theirs = taken[all_], taken[notebook]
    faster = (1_600_000 / ours.median()) / (100_000 / theirs.median("seconds"))
    memory = max(ours.memory)
    flat = (ours.median("steps") / 16) / taken[some].median("steps")
    return _found(
        taken,
        _line("text steps, plain words: rows a second beside the notebook way",
              "4 times", f"{faster:.1f} times", faster >= 4),
        _line("text steps, plain words, 1.6 million rows", "60 s, 2,048 MiB",
              f"{ours.median():.1f} s, {memory:,.0f} MiB",
              ours.median() <= 60 and memory <= 2048),
        _line("time per row at 1.6 million beside 100,000 rows", "at most 1.2 times",
              f"{flat:.2f} times", flat <= 1.2),
    )  # fmt: skip


def text_stems(bench: Bench) -> dict[str, Any]:
    """Compare regexp tokens, stop words and Porter stems."""
    small, large = corpus.tweets(bench.data, 1), corpus.tweets(bench.data, 16)
    settings = {
        "tokenizer": "regexp", "token_case": "lower", "stop_words": "scikit-learn",
        "word_form": "porter", "sequence_length": 35, "max_words": 10_000,
    }  # fmt: skip
    tokens = bench.outputs / "notebook-tokens.txt"
    notebook, all_ = "notebook way, 100,000 rows", "1,600,000 rows"
    csv_file = bench.data / small / "rows.csv"
    taken = compare(
        [
            Side(notebook, bench.notebook("text", csv_file, "stems", tokens)),
            Side(
                all_,
                bench.luigi("Vectorize", large, **settings),
                bench.without(large, "CleanText"),
                bench.steps(large, "CleanText", "Tokenize", "Vectorize"),
            ),
        ],
        3,
        bench.say,
    )
    bench.build("Tokenize", small, **{name: settings[name] for name in list(settings)[:4]})
    same = _same_tokens(bench.manifest(small, "Tokenize", "regexp")["place"], tokens)
    faster = (1_600_000 / taken[all_].median()) / (100_000 / taken[notebook].median("seconds"))
    return _found(
        taken,
        _line("text steps, regexp tokens, stop words, Porter stems", "10 times, same tokens",
              f"{faster:.1f} times, {same:.2%} of texts with the same tokens",
              faster >= 10 and same > 0.999),
        note="Texts whose tokens differ are those whose cleaning differs: the notebook way's "
        "pattern of an address takes trailing punctuation along.",
    )  # fmt: skip


def _same_tokens(place: Path, notebook: Path) -> float:
    """Return the share of texts that have the same tokens."""
    import pyarrow.parquet as pq

    ours = pq.read_table(place / "tokens.parquet", columns=["tokens"])["tokens"].to_pylist()
    theirs = notebook.read_text().split("\n")
    pairs = zip(ours, theirs, strict=True)
    return statistics.mean(" ".join(mine) == other for mine, other in pairs)


def text_tweet(bench: Bench) -> dict[str, Any]:
    """Compare NLTK's TweetTokenizer in one process and in two."""
    dataset = corpus.tweets(bench.data, 4)
    bench.build("CleanText", dataset)
    hashes: list[str] = []

    def facts() -> dict[str, Any]:
        manifest = bench.manifest(dataset, "Tokenize")
        hashes.append(manifest["files"]["tokens.parquet"]["sha256"])
        return {"steps": manifest["seconds"]}

    taken = compare(
        [
            Side(
                f"{number} process{'es' if number > 1 else ''}",
                bench.luigi("Tokenize", dataset, tokenizer="tweet", processes=number),
                bench.without(dataset, "Tokenize"),
                facts,
            )
            for number in (1, 2)
        ],
        2,
        bench.say,
        warm_up=False,
    )
    faster = taken["1 process"].median("steps") / taken["2 processes"].median("steps")
    same = len(set(hashes)) == 1
    return _found(
        taken,
        _line("tweet tokens of 400,000 rows, two processes beside one", "1.7 times, same tokens",
              f"{faster:.2f} times, {'same' if same else 'other'} tokens", faster >= 1.7 and same),
    )  # fmt: skip


def tfidf(bench: Bench) -> dict[str, Any]:
    """Compare tf-idf values of word 1-2-grams with scikit-learn's."""
    dataset = corpus.tweets(bench.data, 1)
    bench.build("Tokenize", dataset)
    place = bench.manifest(dataset, "Tokenize", "words")["place"]
    command = [sys.executable, "-m", "benchmarks.speed.tfidf"]
    said = subprocess.run(
        [*command, "same", str(place)], check=True, capture_output=True, text=True
    )
    difference = json.loads(said.stdout)["difference"]
    taken = compare(
        [Side(name, [*command, name, str(place)]) for name in ("scikit-learn", "pipeline")],
        3,
        bench.say,
    )
    ours, theirs = taken["pipeline"], taken["scikit-learn"]
    slower = ours.median("seconds") / theirs.median("seconds")
    more = max(ours.memory) / max(theirs.memory)
    return _found(
        taken,
        _line("tf-idf of word 1-2-grams, 100,000 rows, beside TfidfVectorizer",
              "same values to 1e-6, no slower, no more memory",
              f"{difference:.1g}, {slower:.2f} times the seconds, {more:.2f} times the memory",
              difference <= 1e-6 and slower <= 1 and more <= 1),
    )  # fmt: skip


_BAG = {
    "model": "bag_dense", "batch_size": 512, "learning_rate": 0.0015, "epochs": 5, "patience": 0,
    "validation_fraction": 0, "bootstrap_samples": 0,
}  # fmt: skip


def bag(bench: Bench) -> dict[str, Any]:
    """Compare the blog's bag-of-words network on 90,000 rows over three seeds."""
    dataset = corpus.tweets(bench.data, 1)
    bench.build("Evaluate", dataset, **{**_BAG, "epochs": 1})
    folder = corpus.split_rows(_places(bench, dataset), bench.outputs / "notebook" / dataset)
    sides = []
    for seed in range(3):
        sides.append(
            Side(f"notebook way, seed {seed}", bench.notebook("training", "bag", folder, seed))
        )
        command = bench.luigi("Evaluate", dataset, **_BAG, seed=seed)
        take_away = bench.without(dataset, "TrainModel")
        facts = bench.evaluated(dataset, "bag_dense")
        sides.append(Side(f"pipeline, seed {seed}", command, take_away, facts))
    taken = compare(sides, 1, bench.say, warm_up=False)
    theirs, ours = (_joined(taken, name) for name in ("notebook way", "pipeline"))
    rate = statistics.median(each["rows"] * 5 / sum(each["epoch_seconds"]) for each in theirs.facts)
    our_rate = statistics.median(each["rows"] * 5 / each["train"] for each in ours.facts)
    accuracy, other = (
        statistics.mean(each["accuracy"] for each in side.facts) for side in (ours, theirs)
    )
    return _found(
        taken,
        _line("`bag_dense`, 5 epochs on 90,000 rows, TrainModel as a whole (batches of 512) beside "
              "`fit` alone (of 32)",
              "8 times the rows a second, accuracy within .003",
              f"{our_rate:,.0f} beside {rate:,.0f} rows a second ({our_rate / rate:.1f} times), "
              f"accuracy {accuracy:.4f} beside {other:.4f}",
              our_rate / rate >= 8 and accuracy >= other - 0.003),
    )  # fmt: skip


def bag_large(bench: Bench) -> dict[str, Any]:
    """Time the blog's network on 1,440,000 rows, and see that memory does not grow with them."""
    dataset = corpus.tweets(bench.data, 16)
    settings = {**_BAG, "group_duplicates": "none"}
    taken = compare(
        [
            Side(
                "from the file to figures",
                bench.luigi("Evaluate", dataset, **settings),
                bench.without(dataset, "CleanText"),
                bench.evaluated(dataset, "bag_dense"),
            )
        ],
        1,
        bench.say,
        warm_up=False,
    )
    ours = taken["from the file to figures"]
    minutes, memory = ours.median() / 60, ours.median("step_memory")
    return _found(
        taken,
        _line("`bag_dense` on 1,440,000 rows, from the file to figures, baseline included",
              "15 minutes; memory does not grow with vocabulary times rows",
              f"{minutes:.1f} minutes; TrainModel {memory:,.0f} MiB (a dense matrix: 16,479)",
              minutes <= 15 and memory < 4096),
    )  # fmt: skip


def hate(bench: Bench) -> dict[str, Any]:
    """Compare seconds per epoch of a bidirectional LSTM on hate speech."""
    dataset, take_away = "hate_speech", bench.without("hate_speech", "TrainModel")
    shared = {"model": "bilstm", "sequence_length": 42, "max_words": 10_000}
    fixed = {**shared, "patience": 0, "validation_fraction": 0}
    bench.build("SplitStratified", dataset, sequence_length=42, validation_fraction=0,
                tokenizer="tweet", token_case="lower", min_count=2, max_words=10_000)  # fmt: skip
    folder = corpus.split_rows(_places(bench, dataset), bench.outputs / "notebook" / dataset)

    def train(epochs: int) -> Side:
        command = bench.luigi("TrainModel", dataset, **fixed, epochs=epochs)

        def facts() -> dict[str, Any]:
            return {"train": bench.manifest(dataset, "TrainModel", "bilstm")["seconds"]}

        return Side(f"pipeline, {epochs} epochs", command, take_away, facts)

    notebook = "notebook way, 5 epochs"
    taken = compare(
        [
            Side(notebook, bench.notebook("training", "recurrent", folder, 0, 42, 5, 64)),
            train(1),
            train(5),
        ],
        2,
        bench.say,
        warm_up=False,
    )
    ours = taken["pipeline, 5 epochs"].median("train") - taken["pipeline, 1 epochs"].median("train")
    ours /= 4
    theirs = statistics.median(
        statistics.median(each["epoch_seconds"][1:]) for each in taken[notebook].facts
    )
    # As a user trains it: stopped early on validation rows.
    chosen = {**shared, "validation_fraction": 0.1, "bootstrap_samples": 0}
    found = compare(
        [Side("pipeline, early stopping", bench.luigi("Evaluate", dataset, **chosen), take_away,
              bench.evaluated(dataset, "bilstm"))],
        1, bench.say, warm_up=False,
    )  # fmt: skip
    f1 = found["pipeline, early stopping"].median("f1")
    other = taken[notebook].median("f1")
    return _found(
        {**taken, **found},
        _line("`bilstm` on `hate_speech`, seconds per epoch beside the notebook way",
              "half, at equal or better F1",
              f"{ours:.1f} beside {theirs:.1f} s ({ours / theirs:.2f} times), "
              f"F1 {f1:.3f} beside {other:.3f}",
              ours / theirs <= 0.5 and f1 >= other),
    )  # fmt: skip


def disaster(bench: Bench) -> dict[str, Any]:
    """Compare TrainModel of a bidirectional LSTM on disaster tweets with five plain epochs."""
    dataset = "disaster"
    settings = {"model": "bilstm", "validation_fraction": 0.1}
    bench.build("Evaluate", dataset, **settings, bootstrap_samples=0)
    folder = corpus.split_rows(_places(bench, dataset), bench.outputs / "notebook" / dataset)
    after = {**settings, "bootstrap_samples": 0}

    def facts() -> dict[str, Any]:
        bench.build("Evaluate", dataset, **after)
        return bench.evaluated(dataset, "bilstm")()

    notebook, ours = "notebook way, five epochs", "pipeline, TrainModel"
    taken = compare(
        [
            Side(notebook, bench.notebook("training", "recurrent", folder, 0, 33, 5, 32)),
            Side(ours, bench.luigi("TrainModel", dataset, **settings),
                 bench.without(dataset, "TrainModel"), facts),
        ],
        3,
        bench.say,
    )  # fmt: skip
    slower = taken[ours].median() / taken[notebook].median()
    f1, other = taken[ours].median("f1"), taken[notebook].median("f1")
    return _found(
        taken,
        _line("`bilstm` on `disaster`, TrainModel as a whole beside the notebook's five epochs",
              "no slower, higher F1",
              f"{taken[ours].median():.1f} beside {taken[notebook].median():.1f} s "
              f"({slower:.2f} times), F1 {f1:.3f} beside {other:.3f}",
              slower <= 1 and f1 > other),
    )  # fmt: skip


def imdb(bench: Bench) -> dict[str, Any]:
    """Compare film reviews from the archive to an accuracy."""
    archive = next(iter(sorted((bench.data / "imdb").glob("*.tar.gz"))))
    settings = {
        "model": "bag_dense", "preset": "film-reviews-book", "validation_fraction": 0,
        "bootstrap_samples": 0,
    }  # fmt: skip
    notebook, ours = "notebook way", "pipeline"
    taken = compare(
        [
            Side(notebook, bench.notebook("reviews", archive)),
            Side(ours, bench.luigi("Evaluate", "imdb", **settings),
                 bench.without("imdb", "CleanText"), bench.evaluated("imdb", "bag_dense")),
        ],
        3,
        bench.say,
    )  # fmt: skip
    faster = taken[notebook].median() / taken[ours].median()
    less = max(taken[ours].memory) / max(taken[notebook].memory)
    accuracy, other = taken[ours].median("accuracy"), taken[notebook].median("accuracy")
    return _found(
        taken,
        _line("`imdb` with `bag_dense`, from the archive to figures, baseline included",
              "4 times faster, a third of the memory",
              f"{taken[ours].median():.1f} beside {taken[notebook].median():.1f} s ({faster:.1f} "
              f"times), {less:.2f} of the memory, accuracy {accuracy:.4f} beside {other:.4f}",
              faster >= 4 and less <= 1 / 3),
    )  # fmt: skip


def bayes(bench: Bench) -> dict[str, Any]:
    """Compare a first run of naive Bayes with a plain script."""
    archive = bench.data / "disaster" / "nlp_getting_started.zip"
    script, ours = "plain scikit-learn script", "pipeline, up to Evaluate"
    taken = compare(
        [
            Side(script, bench.notebook("bayes", archive)),
            Side(ours,
                 bench.luigi("Evaluate", "disaster", model="naive_bayes", bootstrap_samples=0),
                 bench.without("disaster", "CleanText")),
        ],
        5,
        bench.say,
    )  # fmt: skip
    more = taken[ours].median() - taken[script].median()
    return _found(
        taken,
        _line("`naive_bayes` on `disaster`, nothing built, beside a plain scikit-learn script",
              "at most 3 s more", f"{more:.1f} s more", more <= 3),
    )  # fmt: skip


def start_up(bench: Bench) -> dict[str, Any]:
    """Compare a run in which all is built with a Luigi hello world."""
    from benchmarks import start_up as start

    seconds = start.measure(7)
    taken = {name: Taken(found, [0.0], [{}]) for name, found in seconds.items()}
    hello, chain = list(taken.values())[:2]
    ratio = chain.median() / hello.median()
    return _found(
        taken,
        _line("`RunAll` with all built, beside a Luigi hello world", "at most 1.5 times",
              f"{chain.median():.2f} beside {hello.median():.2f} s ({ratio:.2f} times)",
              ratio <= 1.5),
    )  # fmt: skip


_PREDICTION_GOALS = {"naive_bayes": 30_000, "logistic_regression": 5_000}


def prediction(bench: Bench) -> dict[str, Any]:
    """Time batch prediction from raw text."""
    from benchmarks.speed import prediction as predicting

    timings = predicting.prediction(bench.data, bench.outputs / "prediction", bench.say)
    taken = {
        each.name: Taken(list(each.seconds), [0.0], [{"texts": each.texts}]) for each in timings
    }
    fasttext = next(each for each in timings if each.name == predicting.FASTTEXT).rows_per_second
    lines = []
    for each in timings:
        goal, rate = _PREDICTION_GOALS.get(each.name), each.rows_per_second
        lines.append(
            _line(f"batch prediction from text, {each.name}",
                  f"{goal:,} rows a second" if goal else "",
                  f"{rate:,.0f} rows a second ({rate / fasttext:.2f} of fastText by itself)",
                  None if goal is None else rate >= goal)
        )  # fmt: skip
    return _found(taken, *lines)


COMPARISONS: Mapping[str, Callable[[Bench], dict[str, Any]]] = {
    "text-words": text_words,
    "text-stems": text_stems,
    "text-tweet": text_tweet,
    "tfidf": tfidf,
    "bag": bag,
    "bag-large": bag_large,
    "hate": hate,
    "disaster": disaster,
    "imdb": imdb,
    "bayes": bayes,
    "start-up": start_up,
    "prediction": prediction,
}


def _places(bench: Bench, dataset: str) -> dict[str, Path]:
    """Return the newest folders that hold rows and split."""
    return {
        step: bench.manifest(dataset, step)["place"] for step in ("CleanText", "SplitStratified")
    }


def _joined(taken: Mapping[str, Taken], name: str) -> Taken:
    """Bring the sides together whose names begin alike, such as those of several seeds."""
    some = [each for side, each in taken.items() if side.startswith(name)]
    return Taken(
        [value for each in some for value in each.seconds],
        [value for each in some for value in each.memory],
        [value for each in some for value in each.facts],
    )


def _line(work: str, reach: str, measured: str, met: bool | None) -> dict[str, str]:
    """Make a line of the table."""
    said = "" if met is None else "yes" if met else "no"
    return {"work": work, "reach": reach, "measured": measured, "met": said}


def _found(taken: Mapping[str, Taken], *lines: dict[str, str], note: str = "") -> dict[str, Any]:
    """Lay out what a comparison found."""
    return {"lines": list(lines), "sides": [_side(*each) for each in taken.items()], "note": note}


def _side(name: str, taken: Taken) -> dict[str, Any]:
    """Lay out what one side took: medians, and the least and the most."""
    seconds = taken.seconds
    span = f" ({min(seconds):.2f} to {max(seconds):.2f})" if len(seconds) > 1 else ""
    medians = []
    for key in taken.facts[0]:
        values = [each[key] for each in taken.facts]
        if all(isinstance(value, int | float) for value in values):
            medians.append(f"{key.replace('_', ' ')} {statistics.median(values):,.4g}")
    return {
        "name": name,
        "runs": len(seconds),
        "seconds": f"{taken.median():.2f}{span}",
        "memory": f"{max(taken.memory):,.0f}" if max(taken.memory) else "",
        "facts": ", ".join(medians),
    }
