"""Train what the tables of quality need, and write ``benchmarks/quality.md``.

``python benchmarks/quality.py --data DIR --outputs DIR`` runs every row of `ROWS` through the
pipeline and keeps the results in ``quality.json``, from which ``quality.md`` is written.

Protocol: the test rows of each data set are an outer test part. They follow from ``split_seed`` 0
and duplicate groups alone, so they are the same rows in every run of the table. Whoever chooses a
setting does so on validation rows, with ``--no-test`` and other values of ``validation_seed``: this
draws other validation rows and never looks at a test row. The runs of a row differ in
``validation_seed`` and ``seed``. Rows that repeat published work keep its protocol: other test rows
in each run (``split_seed``), duplicates not grouped; nothing is chosen for them. ``--fast`` takes
the quick rows with one run.
"""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
RECORDS, PAGE = "quality.json", "quality.md"
_HEAD = """# Quality

Written by `make quality`. Every metric is computed once on test rows. "Measured" is the mean over
the runs, with their standard deviation: how much training and validation rows change it (and, in
rows with several splits, the test rows). "95 % interval" is that of the first run over the sampling
of test rows; it draws duplicate groups. "Constant" is the metric of a constant predictor, which
predicts the class shares of the training rows and so always names the largest class. "To reach" is
the aim, "published" what earlier work with these data reported. "Met" is yes where the mean is at
least the aim, or for presets the published figure.

"Outer test part": a fixed part of the data on which nothing was chosen since the protocol was
introduced. "Splits, duplicates not grouped" is the protocol of published work: copies of test texts
are among the training rows, and the test rows overlap with those of other splits, so these rows are
only for comparison with the published value. Seconds are those of training alone on two cores.
Settings are in `quality.py` under the name of the row, and in the manifests of the artifacts.

"""
_COLUMNS = (
    "row", "data and protocol", "model", "metric", "measured", "95 % interval", "constant", "runs",
    "to reach", "met", "published", "seconds", "Evaluate artifacts",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes
    ----------
    name : str
        Unique; the key in ``quality.json``.
    dataset, model : str
    protocol : str
        How rows are split, in words.
    settings : mapping
        Settings of RunAll besides dataset and model.
    runs : tuple of mapping
        Settings of each run, such as its seed.
    goals : tuple of (metric, least value or None, published value)
        Metrics to show.
    quick : bool
        Whether it is among the rows of ``--fast``.
    """

    name: str
    dataset: str
    model: str
    protocol: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    runs: tuple[Mapping[str, Any], ...] = ({},)
    goals: tuple[tuple[str, float | None, str], ...] = ()
    quick: bool = False


def _trainings(count: int) -> tuple[Mapping[str, Any], ...]:
    """Return that many runs on one test part: other validation rows, other initial weights."""
    return tuple({"validation_seed": seed, "seed": seed} for seed in range(count))


def _splits(count: int) -> tuple[Mapping[str, Any], ...]:
    """Return that many runs with other test rows, as published work has them."""
    return tuple({"split_seed": seed, "seed": seed} for seed in range(count))


_FIVE_SPLITS = _splits(5)
# A linear model with fixed settings needs no validation rows and has no chance in it: one run.
_NO_VALIDATION = {"test_fraction": 0.2, "validation_fraction": 0.0}
_WITH_VALIDATION = {"test_fraction": 0.2, "validation_fraction": 0.1}
_REFITTED = {"refit_on_validation": True, "monitor": "loss"}
_PUBLISHED = {"test_fraction": 0.1, "validation_fraction": 0.0, "group_duplicates": "none"}
_COURSE = {**_PUBLISHED, "preset": "disaster-course", "baselines": ("naive_bayes",)}
_COURSE_FIGURES = {
    "naive_bayes": ".793",
    "dense": ".786",
    "lstm": ".756",
    "gru": ".776",
    "bilstm": ".768",
    "conv1d": ".787",
    "sentence_encoder": ".818",
}
# Words without the mark of a hashtag, as GloVe's corpus has them.
_GLOVE = {
    "embedding": "glove-6b-50d",
    "tokenizer": "words",
    "token_case": "keep",
    "spatial_dropout": 0.2,
    "learning_rate": 2e-3,
    "monitor": "accuracy",
}
_BRAND_GLOVE = {"embedding": "glove-6b-50d", "spatial_dropout": 0.2, "monitor": "accuracy"}
_OUTER = "outer test part (20 %)"
_FREE = "90/10, {} splits, duplicates not grouped"
_DISASTER = f"disaster, {_OUTER}"
_HATE = f"hate_speech, {_OUTER}"
_HATE_FREE = "hate_speech, " + _FREE.format("three")
_HATE_SVM = {"cost": 1.0, "char_ngrams": (2, 6)}
_HATE_LOGISTIC = {"cost": 64.0, "class_weights": (1.0, 2.0)}
_BRAND = f"brand_emotion, {_OUTER}"
_BRAND_PRESET = {"test_fraction": 0.15, "validation_fraction": 0.15, "group_duplicates": "none"}
_SENTIMENT = "sentiment140, 100,000 rows, outer test part (10 %)"
_SENTIMENT_SPLIT = {"test_fraction": 0.1, "validation_fraction": 0.0}

ROWS: tuple[Row, ...] = (
    Row(
        "disaster-logistic", "disaster", "logistic_regression", _DISASTER,
        {**_NO_VALIDATION, "cost": 2.0, "urls": "keep"}, goals=(("accuracy", 0.81, ""),),
        quick=True,
    ),
    Row(
        "disaster-svm", "disaster", "linear_svm", _DISASTER,
        {**_NO_VALIDATION, "cost": 0.1, "urls": "keep"}, goals=(("accuracy", None, ""),),
        quick=True,
    ),
    Row(
        "disaster-nbsvm", "disaster", "nb_svm", _DISASTER, _NO_VALIDATION,
        goals=(("accuracy", None, ""),), quick=True,
    ),
    Row(
        "disaster-fasttext", "disaster", "fasttext", _DISASTER,
        {**_NO_VALIDATION, "tokenizer": "tweet", "case": "lower", "learning_rate": 0.2},
        tuple({"seed": seed} for seed in range(5)), (("accuracy", None, ""),), quick=True,
    ),
    Row(
        "disaster-use", "disaster", "sentence_encoder", _DISASTER,
        {**_WITH_VALIDATION, "refit_on_validation": True}, _trainings(5),
        (("accuracy", 0.805, ".818"),), quick=True,
    ),
    Row(
        "disaster-bilstm", "disaster", "bilstm", _DISASTER, {**_WITH_VALIDATION, **_REFITTED},
        _trainings(5), (("accuracy", 0.80, ".768"),),
    ),
    Row(
        "disaster-bilstm-glove", "disaster", "bilstm", _DISASTER,
        {**_WITH_VALIDATION, **_GLOVE, **_REFITTED}, _trainings(5), (("accuracy", 0.82, ""),),
    ),
    *(
        Row(
            f"course-{model}", "disaster", model,
            "disaster, preset disaster-course, " + _FREE.format("five"), _COURSE, _FIVE_SPLITS,
            (("accuracy", None, published),), quick=model == "naive_bayes",
        )
        for model, published in _COURSE_FIGURES.items()
    ),
    Row(
        "course-use-tenth", "disaster", "sentence_encoder",
        "disaster, preset disaster-course, a tenth of the training rows, " + _FREE.format("five"),
        {**_COURSE, "train_fraction": 0.1}, _FIVE_SPLITS, (("accuracy", None, ".770"),), quick=True,
    ),
    Row(
        "hate-free", "hate_speech", "linear_svm", _HATE_FREE, {**_PUBLISHED, **_HATE_SVM},
        _splits(3),
        (("accuracy", 0.968, ".954"), ("f1:hateful", 0.77, ""), ("recall:hateful", None, "")),
    ),
    Row(
        "hate-grouped", "hate_speech", "linear_svm", _HATE, {**_NO_VALIDATION, **_HATE_SVM},
        goals=(("accuracy", None, ""), ("f1:hateful", 0.73, ""), ("recall:hateful", None, "")),
    ),
    Row(
        "hate-grouped-logistic", "hate_speech", "logistic_regression", _HATE,
        {**_NO_VALIDATION, **_HATE_LOGISTIC},
        goals=(("accuracy", None, ""), ("f1:hateful", 0.73, ""), ("recall:hateful", None, "")),
    ),
    Row(
        "hate-bilstm", "hate_speech", "bilstm", _HATE_FREE,
        {
            **_PUBLISHED, "validation_fraction": 0.1, **_GLOVE, "class_weights": (1.0, 6.0),
            "batch_size": 128, "monitor": "f1",
        },
        _splits(3), (("accuracy", 0.954, ".954"), ("recall:hateful", 0.767, ".767")),
    ),
    Row(
        "brand-tfidf", "brand_emotion", "tfidf_dense", _BRAND, _WITH_VALIDATION, _trainings(3),
        (("auc_pairs", 0.872, ".872"), ("f1:macro", None, "")), quick=True,
    ),
    Row(
        "brand-tfidf-preset", "brand_emotion", "tfidf_dense",
        "brand_emotion, preset brand-emotion, 15 % test, three splits, duplicates not grouped",
        {**_BRAND_PRESET, "preset": "brand-emotion", "baselines": ("naive_bayes",)}, _splits(3),
        (("auc_pairs", None, ".872"), ("f1:macro", None, "")), quick=True,
    ),
    Row(
        "brand-bilstm", "brand_emotion", "bilstm", _BRAND, {**_WITH_VALIDATION, **_BRAND_GLOVE},
        _trainings(3), (("auc_pairs", 0.89, ".827"), ("f1:macro", None, "")),
    ),
    Row(
        "brand-best", "brand_emotion", "logistic_regression", _BRAND, _NO_VALIDATION,
        goals=(("auc_pairs", 0.905, ""), ("f1:macro", 0.45, "")), quick=True,
    ),
    Row(
        "imdb-book", "imdb", "bag_dense",
        "imdb, preset film-reviews-book, official test, duplicates not grouped",
        {
            "validation_fraction": 0.0, "group_duplicates": "none",
            "preset": "film-reviews-book", "baselines": ("naive_bayes",),
        },
        goals=(("accuracy", 0.882, ".882"),),
    ),
    Row(
        "imdb-nbsvm", "imdb", "nb_svm", "imdb, official test",
        {"validation_fraction": 0.0, "char_ngrams": "none"}, goals=(("accuracy", 0.911, ""),),
    ),
    Row(
        "sentiment140-bag", "sentiment140", "bag_dense",
        "sentiment140, 100,000 rows, preset tweet-blog, 90/10, duplicates not grouped",
        {**_PUBLISHED, "preset": "tweet-blog", "baselines": ("naive_bayes",)},
        goals=(("accuracy", 0.79, ".793"),),
    ),
    Row(
        "sentiment140-best", "sentiment140", "logistic_regression", _SENTIMENT,
        {**_SENTIMENT_SPLIT, "cost": 1.0, "word_ngrams": (1, 3), "char_ngrams": (2, 6)},
        goals=(("accuracy", 0.82, ""),),
    ),
    Row(
        "vader-nbsvm", "vader", "nb_svm", f"vader, {_OUTER}", _NO_VALIDATION,
        goals=(("accuracy", 0.88, ""),), quick=True,
    ),
    Row(
        "vader-bilstm", "vader", "bilstm", f"vader, {_OUTER}", _WITH_VALIDATION, _trainings(5),
        (("accuracy", None, ""),),
    ),
)  # fmt: skip


def run(row: Row, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Run one row with the settings of one of its runs and return the record.

    Returns
    -------
    dict
        ``row``, ``manifest`` (what identifies the Evaluate artifact, from its manifest),
        ``digest``, ``metrics_sha256``, ``seconds`` of training, and ``metrics``.
    """
    import luigi

    from pipeline import RunAll

    report = RunAll(dataset=row.dataset, model=row.model, **{**row.settings, **settings}).requires()
    steps = {step.task_family: step for step in report.chain()}
    if not luigi.build([steps["Evaluate"]], local_scheduler=True, log_level="WARNING"):
        raise RuntimeError(f"{row.name} failed; see the messages above")
    return {"row": row.name, **record(steps["Evaluate"].path(), steps["TrainModel"].path(), row)}


def record(evaluate: Path, train: Path, row: Row) -> dict[str, Any]:
    """Read what a row shows from its artifacts."""
    manifest = json.loads((evaluate / "manifest.json").read_text())
    metrics = json.loads((evaluate / "metrics.json").read_text())
    seconds = json.loads((train / "manifest.json").read_text())["seconds"]
    kept = {name: manifest[name] for name in ("task", "version", "settings", "outside")}
    kept["upstream"] = manifest["upstream"]["digest"]
    if manifest.get("beside"):
        kept["beside"] = [each["digest"] for each in manifest["beside"]]
    return {
        "manifest": kept,
        "digest": manifest["digest"],
        "metrics_sha256": manifest["files"]["metrics.json"]["sha256"],
        "seconds": seconds,
        "metrics": {name: metric(metrics, name) for name, _, _ in row.goals},
    }


def metric(metrics: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a metric of the test rows from the content of ``metrics.json``.

    Parameters
    ----------
    metrics : mapping
    name : str
        ``accuracy``; ``f1:CLASS`` or ``recall:CLASS``; ``f1:macro``; ``auc_pairs``: area under the
        ROC curve over all pairs of a row and a class.

    Returns
    -------
    dict
        ``value``, its 95 % ``interval`` (None without bootstrap samples), and ``constant``: the
        metric of a predictor that gives every row the class shares of the training rows.
    """
    test = metrics["test"]
    intervals = test.get("intervals")
    return {
        "value": _look_up(test, name),
        "interval": _look_up(intervals, name) if intervals else None,
        "constant": _look_up(metrics["baselines"]["majority"], name),
    }


def _look_up(scores: Mapping[str, Any], name: str) -> Any:
    """Return one entry of a tree of metrics or intervals."""
    if name == "auc_pairs":
        return scores["roc_auc_pairs"]
    if ":" not in name:
        return scores[name]
    kind, group = name.split(":")
    return (scores["macro"] if group == "macro" else scores["by_class"][group])[kind]


def page(records: Sequence[Mapping[str, Any]], rows: Sequence[Row] = ROWS) -> str:
    """Write the table from the records; rows without a record are listed as not run."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + " --- |" * len(_COLUMNS)]
    missing = []
    for row in rows:
        own = [each for each in records if each["row"] == row.name]
        if not own:
            missing.append(f"{row.name} ({row.dataset}, {row.model})")
            continue
        digests = " ".join(f"`{each['digest']}`" for each in own)
        seconds = statistics.mean(each["seconds"] for each in own)
        for name, least, published in row.goals:
            metrics = [each["metrics"][name] for each in own]
            cells = (
                row.name, row.protocol, f"`{row.model}`", name,
                *_measured(metrics), str(len(own)), "" if least is None else f"{least:g}",
                _met(metrics, row, least, published), published, f"{seconds:.1f}", digests,
            )  # fmt: skip
            lines.append("| " + " | ".join(cells) + " |")
    text = _HEAD + "\n".join(lines) + "\n"
    if missing:
        text += "\nNot run: " + "; ".join(missing) + ".\n"
    return text


def _measured(metrics: Sequence[Mapping[str, Any]]) -> tuple[str, str, str]:
    """Format mean and standard deviation, the first run's interval, and the constant predictor."""
    values = [each["value"] for each in metrics]
    measured = f"{statistics.mean(values):.4f}"
    if len(values) > 1:
        measured += f" ± {statistics.stdev(values):.4f}"
    bounds = metrics[0]["interval"]
    interval = f"{bounds[0]:.4f} to {bounds[1]:.4f}" if bounds else ""
    return measured, interval, f"{statistics.mean(each['constant'] for each in metrics):.4f}"


def _met(
    metrics: Sequence[Mapping[str, Any]], row: Row, least: float | None, published: str
) -> str:
    """Say whether the mean reaches what is wanted; nothing where nothing is."""
    wanted = least
    if wanted is None and "preset" in row.settings and published:
        wanted = float(published)
    if wanted is None:
        return ""
    mean = statistics.mean(each["value"] for each in metrics)
    return "yes" if mean >= wanted else f"no, {mean - wanted:+.4f}"


def link_data(source: Path, folder: Path) -> Path:
    """Link a folder of data into one of our own, so that nothing is written into the source."""
    for path in sorted(source.glob("*/*")):
        target = folder / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(path.resolve())
    return folder


def main() -> None:
    """Run the rows that are asked for, or all, and write the table after each."""
    import luigi

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER.parent.parent / "shared" / "data")
    parser.add_argument("--outputs", type=Path, default=FOLDER.parent / "outputs")
    parser.add_argument("--fast", action="store_true", help="quick rows, one run each")
    parser.add_argument("--only", nargs="*", help="names of rows, in the order wanted")
    words = parser.parse_args()
    config = luigi.configuration.get_config()
    config.set("paths", "data", str(link_data(words.data, words.outputs / ".quality-data")))
    config.set("paths", "outputs", str(words.outputs))
    known = {row.name: row for row in ROWS}
    names = words.only or [row.name for row in ROWS if row.quick or not words.fast]
    place = (words.outputs if words.fast else FOLDER) / RECORDS
    records = json.loads(place.read_text()) if place.is_file() else []
    for name in names:
        row = known[name]
        runs = row.runs[:1] if words.fast else row.runs
        # Rows that the table no longer has go, and so do earlier runs of this one.
        records = [each for each in records if each["row"] in known and each["row"] != name]
        records += [run(row, settings) for settings in runs]
        order = list(known)
        records.sort(key=lambda each: order.index(each["row"]))
        place.write_text(json.dumps(records, indent=1) + "\n")
        place.with_name(PAGE).write_text(page(records))
        print(f"{name}: {[each['metrics'] for each in records if each['row'] == name]}", flush=True)
    print(f"Table: {place.with_name(PAGE)}")


if __name__ == "__main__":
    main()
