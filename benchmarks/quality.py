"""Train what the tables of quality need, and write ``benchmarks/quality.md``.

``python benchmarks/quality.py --data DIR --outputs DIR`` runs every row of `ROWS` through the
pipeline and keeps what it found in ``quality.json``, from which ``quality.md`` is written. Settings
were chosen on validation rows, with TrainModel as the root, which looks at no test row; test rows
are looked at here, once for each row of the table. ``--fast`` takes the quick rows with one split.
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

Measured by `make quality`; every figure is that of the test rows, mean and standard deviation over
the runs. "To reach" is what we set out for, "published" what the work with these data reported.
Seconds are those of training alone, on a busy machine of two cores. What a row's settings are
stands in `quality.py` under its name, and in the manifests behind its artifacts.

"""
_COLUMNS = (
    "row", "data and protocol", "model", "figure", "measured", "runs", "to reach", "met",
    "published", "seconds", "Evaluate artifacts",
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
    splits : tuple of mapping
        Settings of each run, such as its seed.
    goals : tuple of (figure, least value or None, published figure)
        Figures to show.
    quick : bool
        Whether it is among the rows of ``--fast``.
    """

    name: str
    dataset: str
    model: str
    protocol: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    splits: tuple[Mapping[str, Any], ...] = ({},)
    goals: tuple[tuple[str, float | None, str], ...] = ()
    quick: bool = False


def _seeds(count: int) -> tuple[Mapping[str, Any], ...]:
    """Return that many splits."""
    return tuple({"split_seed": seed, "seed": seed} for seed in range(count))


_FIVE = _seeds(5)
_ALL_90 = {"test_fraction": 0.1, "validation_fraction": 0.0}
# With more rows fewer epochs are enough: the epochs of the lowest loss were better than those of
# the highest F1 on splits 10 to 13 (.807 beside .798), which no row of the table looks at.
_REFITTED = {"refit_on_validation": True, "monitor": "loss"}
_WITH_VALIDATION = {"test_fraction": 0.1, "validation_fraction": 0.1}
_COURSE = {**_ALL_90, "preset": "disaster-course", "group_duplicates": "none"}
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
_DISASTER = "disaster, stratified 90/10, five splits"
_HATE = "hate_speech, stratified 90/10, "
_HATE_SVM = {"cost": 1.0, "char_ngrams": (2, 6)}
_HATE_LOGISTIC = {"cost": 64.0, "class_weights": (1.0, 2.0)}
_BRAND = "brand_emotion, 15 % test"
_BRAND_SPLIT = {"test_fraction": 0.15, "validation_fraction": 0.15}

ROWS: tuple[Row, ...] = (
    Row(
        "disaster-logistic", "disaster", "logistic_regression", _DISASTER,
        {**_ALL_90, "cost": 2.0, "urls": "keep"}, _FIVE,
        (("accuracy", 0.81, ""),), quick=True,
    ),
    Row(
        "disaster-svm", "disaster", "linear_svm", _DISASTER,
        {**_ALL_90, "cost": 0.1, "urls": "keep"}, _FIVE,
        (("accuracy", None, ""),), quick=True,
    ),
    Row(
        "disaster-nbsvm", "disaster", "nb_svm", _DISASTER, _ALL_90, _FIVE,
        (("accuracy", None, ""),), quick=True,
    ),
    Row(
        "disaster-fasttext", "disaster", "fasttext", _DISASTER,
        {**_ALL_90, "tokenizer": "tweet", "case": "lower", "learning_rate": 0.2}, _FIVE,
        (("accuracy", None, ""),), quick=True,
    ),
    Row(
        "disaster-use", "disaster", "sentence_encoder", _DISASTER,
        {**_WITH_VALIDATION, "refit_on_validation": True}, _FIVE,
        (("accuracy", 0.805, ".818"),), quick=True,
    ),
    Row(
        "disaster-bilstm", "disaster", "bilstm", _DISASTER,
        {**_WITH_VALIDATION, **_REFITTED}, _FIVE, (("accuracy", 0.80, ".768"),),
    ),
    Row(
        "disaster-bilstm-glove", "disaster", "bilstm", _DISASTER,
        {**_WITH_VALIDATION, **_GLOVE, **_REFITTED}, _FIVE,
        (("accuracy", 0.82, ""),),
    ),
    *(
        Row(
            f"course-{model}", "disaster", model,
            "disaster, preset disaster-course, five splits, duplicates free", _COURSE, _FIVE,
            (("accuracy", None, published),), quick=model == "naive_bayes",
        )
        for model, published in _COURSE_FIGURES.items()
    ),
    Row(
        "course-use-tenth", "disaster", "sentence_encoder",
        "disaster, preset disaster-course, a tenth of the training rows",
        {**_COURSE, "train_fraction": 0.1}, _FIVE, (("accuracy", None, ".770"),), quick=True,
    ),
    Row(
        "hate-free", "hate_speech", "linear_svm", _HATE + "duplicates free",
        {**_ALL_90, "group_duplicates": "none", **_HATE_SVM}, _seeds(3),
        (("accuracy", 0.968, ".954"), ("f1:hateful", 0.77, ""), ("recall:hateful", None, "")),
    ),
    Row(
        "hate-free-logistic", "hate_speech", "logistic_regression", _HATE + "duplicates free",
        {**_ALL_90, "group_duplicates": "none", **_HATE_LOGISTIC}, _seeds(3),
        (("accuracy", 0.968, ".954"), ("f1:hateful", 0.77, ""), ("recall:hateful", None, "")),
    ),
    Row(
        "hate-grouped", "hate_speech", "linear_svm", _HATE + "duplicates on one side",
        {**_ALL_90, **_HATE_SVM}, _seeds(3),
        (("accuracy", None, ""), ("f1:hateful", 0.73, ""), ("recall:hateful", None, "")),
    ),
    Row(
        "hate-grouped-logistic", "hate_speech", "logistic_regression",
        _HATE + "duplicates on one side", {**_ALL_90, **_HATE_LOGISTIC}, _seeds(3),
        (("accuracy", None, ""), ("f1:hateful", 0.73, ""), ("recall:hateful", None, "")),
    ),
    Row(
        "hate-bilstm", "hate_speech", "bilstm", _HATE + "duplicates free",
        {
            **_WITH_VALIDATION, **_GLOVE, "group_duplicates": "none", "class_weights": (1.0, 6.0),
            "batch_size": 128, "monitor": "f1",
        },
        _seeds(3), (("accuracy", 0.954, ".954"), ("recall:hateful", 0.767, ".767")),
    ),
    Row(
        "brand-tfidf", "brand_emotion", "tfidf_dense", _BRAND, _BRAND_SPLIT, _seeds(3),
        (("auc_pairs", 0.872, ".872"), ("f1:macro", None, "")), quick=True,
    ),
    Row(
        "brand-tfidf-preset", "brand_emotion", "tfidf_dense", _BRAND + ", preset brand-emotion",
        {**_BRAND_SPLIT, "preset": "brand-emotion"}, _seeds(3),
        (("auc_pairs", None, ".872"), ("f1:macro", None, "")), quick=True,
    ),
    Row(
        "brand-bilstm", "brand_emotion", "bilstm", _BRAND, {**_BRAND_SPLIT, **_BRAND_GLOVE},
        _seeds(3),
        (("auc_pairs", 0.89, ".827"), ("f1:macro", None, "")),
    ),
    Row(
        "brand-best", "brand_emotion", "logistic_regression", _BRAND,
        {"test_fraction": 0.15, "validation_fraction": 0.0}, _seeds(3),
        (("auc_pairs", 0.905, ""), ("f1:macro", 0.45, "")), quick=True,
    ),
    Row(
        "imdb-book", "imdb", "bag_dense", "imdb, official test, preset film-reviews-book",
        {"validation_fraction": 0.0, "preset": "film-reviews-book"}, ({},),
        (("accuracy", 0.882, ".882"),),
    ),
    Row(
        "imdb-nbsvm", "imdb", "nb_svm", "imdb, official test",
        {"validation_fraction": 0.0, "char_ngrams": "none"}, ({},),
        (("accuracy", 0.911, ""),),
    ),
    Row(
        "sentiment140-bag", "sentiment140", "bag_dense",
        "sentiment140, 100,000 rows, 90/10, preset tweet-blog",
        {**_ALL_90, "preset": "tweet-blog"}, ({},), (("accuracy", 0.79, ".793"),),
    ),
    Row(
        "sentiment140-best", "sentiment140", "logistic_regression",
        "sentiment140, 100,000 rows, 90/10",
        {**_ALL_90, "cost": 1.0, "word_ngrams": (1, 3), "char_ngrams": (2, 6)}, ({},),
        (("accuracy", 0.82, ""),),
    ),
    Row(
        "vader-nbsvm", "vader", "nb_svm", "vader, stratified 80/10/10, five splits",
        _WITH_VALIDATION, _FIVE, (("accuracy", 0.88, ""),), quick=True,
    ),
    Row(
        "vader-bilstm", "vader", "bilstm", "vader, stratified 80/10/10, five splits",
        _WITH_VALIDATION, _FIVE, (("accuracy", None, ""),),
    ),
)  # fmt: skip


def run(row: Row, split: Mapping[str, Any]) -> dict[str, Any]:
    """Run one row on one split and return its record.

    Returns
    -------
    dict
        ``row``, ``manifest`` (what identifies the Evaluate artifact, from its manifest),
        ``digest``, ``metrics_sha256``, ``seconds`` of training, and ``figures``.
    """
    import luigi

    from pipeline.tasks import RunAll

    report = RunAll(dataset=row.dataset, model=row.model, **{**row.settings, **split}).requires()
    steps = {step.task_family: step for step in report.chain()}
    if not luigi.build([steps["Evaluate"]], local_scheduler=True, log_level="WARNING"):
        raise RuntimeError(f"{row.name} failed; see the messages above")
    return {"row": row.name, **record(steps["Evaluate"].place(), steps["TrainModel"].place(), row)}


def record(evaluate: Path, train: Path, row: Row) -> dict[str, Any]:
    """Read what a row shows from its artifacts."""
    manifest = json.loads((evaluate / "manifest.json").read_text())
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
        "figures": {name: figure(evaluate, name) for name, _, _ in row.goals},
    }


def figure(evaluate: Path, name: str) -> float:
    """Return a figure of the test rows of an Evaluate artifact.

    Parameters
    ----------
    evaluate : Path
    name : str
        ``accuracy``; ``f1:CLASS`` or ``recall:CLASS``; ``f1:macro``; ``auc_pairs``: area under the
        ROC curve over all pairs of a row and a class.
    """
    metrics = json.loads((evaluate / "metrics.json").read_text())
    if name == "auc_pairs":
        return _auc_over_pairs(evaluate / "predictions.parquet", metrics["class_names"])
    if ":" not in name:
        return metrics["test"][name]
    kind, group = name.split(":")
    return (metrics["test"]["macro"] if group == "macro" else metrics["test"]["by_class"][group])[
        kind
    ]


def _auc_over_pairs(path: Path, class_names: Sequence[str]) -> float:
    """Return the area under the ROC curve over all pairs of a row and a class."""
    import numpy as np
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from sklearn.metrics import roc_auc_score

    table = pq.read_table(path)
    table = table.filter(pc.equal(table["part"], "test"))
    scores = np.stack([table[f"p_{name}"].to_numpy() for name in class_names], axis=1)
    labels = np.array(table["label"].to_pylist())[:, None] == np.array(class_names)
    return float(roc_auc_score(labels.ravel(), scores.ravel()))


def page(records: Sequence[Mapping[str, Any]], rows: Sequence[Row] = ROWS) -> str:
    """Write the table from the records; rows without a record are listed as not run."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + " --- |" * len(_COLUMNS)]
    missing = []
    for row in rows:
        mine = [each for each in records if each["row"] == row.name]
        if not mine:
            missing.append(f"{row.name} ({row.dataset}, {row.model})")
            continue
        digests = " ".join(f"`{each['digest']}`" for each in mine)
        seconds = statistics.mean(each["seconds"] for each in mine)
        for name, least, published in row.goals:
            values = [each["figures"][name] for each in mine]
            mean, spread = (
                statistics.mean(values),
                statistics.stdev(values) if len(values) > 1 else 0.0,
            )
            measured = f"{mean:.4f}" + (f" ± {spread:.4f}" if len(values) > 1 else "")
            # A published setting is to come within one standard deviation of its figure.
            of_preset = "preset" in row.protocol and published
            wanted = (
                least if least is not None else float(published) - spread if of_preset else None
            )
            met = "" if wanted is None else "yes" if mean >= wanted else f"no, {mean - wanted:+.4f}"
            cells = (
                row.name, row.protocol, f"`{row.model}`", name, measured, str(len(values)),
                "" if least is None else f"{least:g}", met, published, f"{seconds:.1f}", digests,
            )  # fmt: skip
            lines.append("| " + " | ".join(cells) + " |")
    text = _HEAD + "\n".join(lines) + "\n"
    if missing:
        text += "\nNot run: " + "; ".join(missing) + ".\n"
    return text


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
    parser.add_argument("--fast", action="store_true", help="quick rows, one split each")
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
        splits = row.splits[:1] if words.fast else row.splits
        records = [each for each in records if each["row"] != name]
        records += [run(row, split) for split in splits]
        order = list(known)
        records.sort(key=lambda each: order.index(each["row"]))
        place.write_text(json.dumps(records, indent=1) + "\n")
        place.with_name(PAGE).write_text(page(records))
        print(f"{name}: {[each['figures'] for each in records if each['row'] == name]}", flush=True)
    print(f"Table: {place.with_name(PAGE)}")


if __name__ == "__main__":
    main()
