"""The eight steps, and RunAll at their root."""

import datetime
import functools
import json
import logging
import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import luigi
from luigi.util import inherits, requires

from pipeline import artifacts, checks
from pipeline.datasets import catalogue, dated
from pipeline.datasets.description import RawFile
from pipeline.errors import PipelineError
from pipeline.features import external
from pipeline.features import registry as features
from pipeline.inspection.graph import frozen, in_order
from pipeline.models import registry as models
from pipeline.tasks import baseline as baselines
from pipeline.tasks import code, console
from pipeline.tasks.base import Artifact, Named, Step, paths, short_name
from pipeline.tasks.parameters import SettingParameter, parameter
from pipeline.tasks.progress import TaskProgress
from pipeline.text.languages import CODES

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from pipeline.datasets.readers import Reading
    from pipeline.settings import Setting

logger = logging.getLogger("luigi-interface")
_KEEP_REPLACE_REMOVE = ("keep", "replace", "remove")
# Set in luigi.cfg, where they may come to differ: a command that is to be run again names them.
_IN_LUIGI_CFG = ("test_fraction", "validation_fraction", "split_seed", "group_duplicates", "seed")


@functools.cache
def today() -> str:
    """Return the day on which this process first asked: a night goes on past midnight."""
    return str(datetime.date.today())


class DownloadData(Step):
    """Have the raw files in the data folder, and record which bytes they are.

    The files stay where they are; the artifact is ``source.json`` alone, for example
    ``{"files": [{"name": "train.csv", "size": 3103170, "sha256": "..."}], "licence": "MIT"}``.
    """

    folder = "1_download"
    label = "raw"

    dataset = parameter(
        "dataset",
        "text",
        "vader",
        "name of a dataset of the catalogue, or of a folder with a dataset.toml under the data "
        "folder",
    )
    date = parameter(
        "date",
        "date",
        "none",
        "day of the raw files: those whose name holds it, or those in the folder of that name; "
        "today's are fetched anew",
        also=("none",),
        names_place=True,
    )
    window = parameter(
        "window",
        "int",
        1,
        "how many days of raw files up to date are read; 0 for all",
        unit="days",
        low=0,
        names_place=True,
    )

    @property
    def row(self) -> catalogue.Dataset:
        """The dataset's row of the catalogue."""
        return catalogue.load(self.dataset, Path(paths().data))

    @property
    def raw_folder(self) -> Path:
        """The dataset's folder of raw files."""
        return Path(paths().data) / self.dataset

    @property
    def day(self) -> str | None:
        """The day of the raw files, None for those that have no date."""
        return None if self.date == "none" else self.date

    def missing(self) -> list[tuple[RawFile, Path]]:
        """Return the raw files that are needed and not there, with the folder of each."""
        return dated.missing(self.row, self.raw_folder, self.day)

    def parts(self) -> list[dated.Part]:
        """Return the raw files that are there, and the frozen test rows of a run with a date."""
        window = 1 if self.window is None else self.window
        return dated.parts(self.row, self.raw_folder, self.day, window, self.checksum)

    def settings(self) -> dict[str, Any]:
        """Return the whole row of the catalogue, so that a change of it reruns the chain."""
        return {"dataset": self.row.resolved()}

    def outside(self) -> dict[str, Any]:
        """Return the sha256 of each raw file; a date is in no key."""
        return {part.key: self.checksum(part.path) for part in self.parts()}

    def complete(self) -> bool:
        """Say whether the raw files are there and recorded."""
        return not self.missing() and super().complete()

    def output(self) -> Artifact:
        """Return the record; without the raw files its place is not known."""
        return Artifact(None if self.missing() else self.place())

    def run(self) -> None:
        """Fetch what is missing, then record what is there."""
        for folder in (self.raw_folder, self.raw_folder / (self.day or "")):
            if folder.is_dir():
                artifacts.sweep(folder)
        dated.fetch(self.row, self.missing(), self.day, today())
        super().run()

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``source.json``."""
        row, checksums = self.row, self.outside()
        by_name = {file.name: file.source.address for file in row.files}
        files = [
            {
                "name": part.key,
                "path": str(part.path),
                "address": by_name.get(part.name) or None,
                "size": part.path.stat().st_size,
                "sha256": checksums[part.key],
                "modified": _time(part.path.stat().st_mtime),
                **({"holds": "frozen test rows"} if part.is_frozen else {}),
            }
            for part in self.parts()
        ]
        out.write_json(
            "source.json",
            {
                "dataset": row.name,
                "title": row.title,
                "licence": row.licence,
                "citation": row.citation,
                "homepage": row.homepage,
                "files": files,
            },
        )


@requires(DownloadData)
class CleanText(Step):
    """Read the raw files into rows, clean their texts, and write down what is left out.

    A real bad record: ``3,0,"  "`` has a label and no text; it goes to ``rejected.parquet`` with
    the reason "text is empty".
    """

    folder = "2_clean"
    version = 2
    main_table = "rows.parquet"
    label = "rows"

    encoding_repair = parameter(
        "encoding_repair",
        "choice",
        "repair",
        "repair text that was decoded with the wrong encoding (ftfy)",
        choices=("repair", "keep"),
    )
    html = parameter(
        "html",
        "choice",
        "decode",
        "HTML entities and <br /> become characters and spaces",
        choices=("decode", "keep"),
    )
    unicode_form = parameter(
        "unicode_form", "choice", "NFC", "Unicode normal form", choices=("NFC", "NFKC", "none")
    )
    urls = parameter(
        "urls", "choice", "replace", "URLs; replaced by <url>", choices=_KEEP_REPLACE_REMOVE
    )
    mentions = parameter(
        "mentions", "choice", "replace", "@names; replaced by <user>", choices=_KEEP_REPLACE_REMOVE
    )
    hashtags = parameter(
        "hashtags",
        "choice",
        "keep",
        "hashtags; replaced by <hashtag>",
        choices=_KEEP_REPLACE_REMOVE,
    )
    numbers = parameter(
        "numbers", "choice", "keep", "numbers; replaced by <number>", choices=_KEEP_REPLACE_REMOVE
    )
    case = parameter("case", "choice", "keep", "letter case", choices=("keep", "lower"))
    duplicates = parameter(
        "duplicates",
        "choice",
        "keep",
        "labelled rows whose clean text came before; dropped rows go to rejected.parquet",
        choices=("keep", "drop"),
    )

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``rows.parquet``, ``rejected.parquet`` and ``profile.json``."""
        from pipeline.datasets.formats import file_name
        from pipeline.text.rows import clean_rows

        reading, parts = self._read()
        cleaned = clean_rows(
            reading.rows,
            reading.rejected,
            reading.records,
            self.settings(),
            [label.name for label in self._download().row.labels],
            [file_name(part.path) for part in parts if part.is_frozen],
        )
        out.write_table("rows.parquet", cleaned.rows, few=("label", "partition", "file"))
        out.write_table("rejected.parquet", cleaned.rejected, few=("file", "reason"))
        out.write_json("profile.json", cleaned.profile)
        out.counts(reading.records, cleaned.rows.num_rows)

    def problem_with_files(self) -> str | None:
        """Read the raw files, and say why they cannot be; None where they can."""
        try:
            self._read()
        except PipelineError as error:
            return str(error)
        return None

    def _read(self) -> "tuple[Reading, list[dated.Part]]":
        """Read the raw files; return rows and which files they were."""
        from pipeline.datasets import readers

        download = self._download()
        parts = download.parts()
        row = dated.laid_out(download.row, parts) if download.day else download.row
        return readers.read(row, {part.key: part.path for part in parts}), parts

    def _download(self) -> DownloadData:
        download = self.upstream()
        assert isinstance(download, DownloadData)
        return download


@requires(CleanText)
class Tokenize(Step):
    """Cut clean texts into tokens."""

    folder = "3_tokenize"

    tokenizer = parameter(
        "tokenizer",
        "choice",
        "words",
        "words: lower case, punctuation split off; tweet: NLTK's TweetTokenizer; regexp: NLTK's "
        "RegexpTokenizer with pattern",
        choices=("words", "tweet", "regexp"),
    )
    pattern = parameter(
        "pattern", "text", r"\w+", "regular expression of a token, for tokenizer regexp"
    )
    token_case = parameter(
        "token_case",
        "choice",
        "keep",
        "letter case of tokens; tokenizer words lowers it in any case",
        choices=("keep", "lower"),
    )
    stop_words = parameter(
        "stop_words",
        "text",
        "none",
        "words to leave out: none, scikit-learn, nltk (its corpus must be installed), or a file "
        "with one word a line",
    )
    word_form = parameter(
        "word_form",
        "choice",
        "as_is",
        "stems (porter, snowball) or lemmas (simplemma, or wordnet when NLTK's corpus is "
        "installed) in the place of words",
        choices=("as_is", "porter", "snowball", "simplemma", "wordnet"),
    )
    language = parameter(
        "language",
        "choice",
        "english",
        "language of stop words, stems and lemmas",
        choices=tuple(CODES),
    )
    processes = parameter(
        "processes",
        "int",
        os.cpu_count() or 1,
        "most processes at once, where a tokenizer works text by text",
        low=1,
        significant=False,
    )

    @property
    def label(self) -> str:
        """Tokenizer and word form."""
        settings = self.settings()
        form = settings["word_form"]
        return settings["tokenizer"] + ("" if form == "as_is" else f"-{form}")

    def settings(self) -> dict[str, Any]:
        """Return the step's settings; a stop-word file counts by its content, not by its path."""
        values = super().settings()
        # RunAll hands every value down, so a pattern of one's own is one that is not the default.
        is_own = values["pattern"] != self.own_settings()["pattern"].default
        checks.tokens({"pattern": self.pattern if is_own else None}, values)
        if values["stop_words"] not in checks.STOP_WORD_LISTS:
            values["stop_words"] = "file"
        return values

    def outside(self) -> dict[str, Any]:
        """Return the sha256 of a stop-word file."""
        choice = self.stop_words or "none"
        if choice in checks.STOP_WORD_LISTS:
            return {}
        return {"stop_words": self.checksum(Path(choice))}

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``tokens.parquet`` and ``tokens.json``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from pipeline.text.tokenize import lexical_diversity, summary, tokenize

        place = self.place_of("CleanText")
        rows = pq.read_table(place / "rows.parquet", columns=["id", "clean"])
        processes = self.processes or os.cpu_count() or 1
        settings = {**self.settings(), "stop_words": self.stop_words or "none"}
        tokens = tokenize(rows["clean"], settings, processes)
        diversity = lexical_diversity(tokens)
        table = pa.table(
            {
                "id": rows["id"],
                "tokens": tokens.to_arrow(),
                "words": pa.array(tokens.lengths, pa.int32()),
                "lexical_diversity": pa.array(diversity, pa.float32()),
            }
        )
        out.write_table("tokens.parquet", table, few=("tokens.list.element",))
        out.write_json("tokens.json", summary(tokens, diversity))
        out.counts(rows.num_rows, len(tokens))


@requires(Tokenize)
class Vectorize(Step):
    """Turn tokens into what a model reads, fitted on training rows alone."""

    folder = "4_vectorize"

    representation = parameter(
        "representation",
        "choice",
        "sequences",
        "what the model reads; RunAll takes it from the model",
        choices=tuple(features.REPRESENTATIONS),
    )
    max_words = SettingParameter(features.SETTINGS["max_words"])
    min_count = SettingParameter(features.SETTINGS["min_count"])
    sequence_length = SettingParameter(features.SETTINGS["sequence_length"])
    padding = SettingParameter(features.SETTINGS["padding"])
    cutting = SettingParameter(features.SETTINGS["cutting"])
    embedding = SettingParameter(features.SETTINGS["embedding"])
    encoder = SettingParameter(features.SETTINGS["encoder"])
    norm = SettingParameter(features.SETTINGS["norm"])
    sublinear_tf = SettingParameter(features.SETTINGS["sublinear_tf"])
    word_ngrams = SettingParameter(features.SETTINGS["word_ngrams"])
    char_ngrams = SettingParameter(features.SETTINGS["char_ngrams"])
    test_fraction = parameter(
        "test_fraction",
        "float",
        0.1,
        "share of the labelled rows for testing; without effect where the dataset has test rows "
        "of its own",
        above=0,
        below=1,
    )
    validation_fraction = parameter(
        "validation_fraction",
        "float",
        0.1,
        "share of the labelled rows for choosing; 0 for none",
        low=0,
        below=1,
    )
    split_seed = parameter("split_seed", "int", 0, "seed of the split", low=0, high=2**32 - 1)
    folds = parameter(
        "folds",
        "int",
        0,
        "cross-validation: number of equal test parts, 0 for none",
        low=0,
    )
    fold = parameter("fold", "int", 0, "cross-validation: which part is the test part", low=0)
    group_duplicates = parameter(
        "group_duplicates",
        "choice",
        "exact",
        "exact: rows with the same clean text stay on one side of the split; none: they do not, "
        "as in published protocols",
        choices=("exact", "none"),
    )

    @property
    def label(self) -> str:
        """Representation and, for sequences, their length."""
        settings = self.settings()
        length = settings.get("sequence_length")
        return settings["representation"] + (f"-{length}" if length else "")

    def settings(self) -> dict[str, Any]:
        """Return the settings that this representation uses, and those of the split."""
        values = super().settings()
        used = features.REPRESENTATIONS[values["representation"]].settings
        for name in features.SETTINGS:
            if name not in used and getattr(self, name) is not None:
                raise PipelineError(
                    f"representation {values['representation']!r} does not use {name}; leave it "
                    "out."
                )
        return {
            name: value
            for name, value in values.items()
            if name not in features.SETTINGS or name in used
        }

    def outside(self) -> dict[str, Any]:
        """Return the sha256 of each file of word vectors or of an encoder."""
        settings = self.settings()
        files = external.word_vector_files(settings.get("embedding", external.LEARNED))
        if "encoder" in settings:
            files += external.encoder_files(settings["encoder"])
        return {path.name: self.checksum(path) for path in files}

    def registry_rows(self) -> tuple[Any, ...]:
        """Return the representation."""
        return (features.REPRESENTATIONS[self.settings()["representation"]],)

    def _twin(self) -> Path | None:
        """Return an artifact with the same vectors: another split changes none of a pretrained."""
        above = self.upstream()
        used = features.REPRESENTATIONS[self.settings()["representation"]].settings
        names = ("representation", *used)

        def identity(version: Any, settings: dict, outside: Any, upstream: Any) -> str:
            chosen = [settings.get(name) for name in names]
            return artifacts.canonical([version, chosen, outside, upstream])

        mine = identity(
            self.version, self.settings(), self.outside(), above.digest() if above else None
        )
        for place in sorted(self.place().parent.glob(f"{self.label}-*")):
            found = artifacts.read_manifest(place) if artifacts.is_whole(place) else None
            if found and mine == identity(
                found["version"], found["settings"], found["outside"], found["upstream"]["digest"]
            ):
                return place
        return None

    def assignment(self) -> "tuple[pa.Table, np.ndarray, np.ndarray]":
        """Return the rows, their classes, and the part that each is assigned to."""
        import pyarrow.parquet as pq

        from pipeline.split import assign_rows

        place = self.place_of("CleanText")
        columns = ["id", "group", "label", "partition"]
        rows = pq.read_table(place / "rows.parquet", columns=columns)
        class_names = json.loads((place / "profile.json").read_text(encoding="utf-8"))[
            "class_names"
        ]
        return rows, *assign_rows(rows, class_names, self.settings())

    def build(self, out: artifacts.Workspace) -> None:
        """Write the vectors, the encoder's files and ``vectors.json``."""
        import pyarrow.parquet as pq

        from pipeline import split
        from pipeline.features.texts import Texts
        from pipeline.text.tokens import Tokens

        settings = self.settings()
        representation = features.REPRESENTATIONS[settings["representation"]]
        table = pq.read_table(
            self.place_of("Tokenize") / "tokens.parquet",
            columns=["tokens"],
            read_dictionary=["tokens.list.element"],
        )
        clean = None
        if representation.reads_clean:
            path = self.place_of("CleanText") / "rows.parquet"
            clean = pq.read_table(path, columns=["clean"])["clean"]
        texts = Texts(Tokens.from_arrow(table["tokens"]), clean)
        rows, _, parts = self.assignment()
        encoder_class = representation.load_encoder()
        encoder = encoder_class.fit(texts, parts == split.TRAIN, settings)
        twin = self._twin() if representation.pretrained else None
        if twin:
            encoder, vectors = encoder_class.load(twin), encoder_class.load_vectors(twin)
        elif representation.pretrained:
            with TaskProgress(self) as progress, self.partial_folder() as partial:
                vectors = encoder.transform(texts, progress, partial)
        else:
            vectors = encoder.transform(texts)
        encoder_class.save_vectors(vectors, out.folder)
        encoder.save(out.folder)
        out.write_json(
            "vectors.json", {**encoder.summary(vectors), "fitted_on": split.fingerprint(parts)}
        )
        out.counts(len(texts), rows.num_rows)


@requires(Vectorize)
class SplitStratified(Step):
    """Write down which row is for training, validation and test, and check it."""

    folder = "5_split"

    @property
    def label(self) -> str:
        """Seed or fold of the split."""
        settings = self.upstream().settings()  # type: ignore[union-attr]
        if settings["folds"]:
            return f"fold-{settings['fold']}-of-{settings['folds']}"
        return f"seed-{settings['split_seed']}"

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``split.parquet`` and ``balance.json``."""
        import pyarrow as pa

        from pipeline import split

        vectorize = self.upstream()
        assert isinstance(vectorize, Vectorize)
        rows, labels, parts = vectorize.assignment()
        fitted_on = json.loads((vectorize.place() / "vectors.json").read_text(encoding="utf-8"))[
            "fitted_on"
        ]
        groups = rows["group"].to_numpy()
        grouped = vectorize.settings()["group_duplicates"] == "exact"
        split.check(parts, groups if grouped else None, fitted_on)
        profile = json.loads(
            (self.place_of("CleanText") / "profile.json").read_text(encoding="utf-8")
        )
        table = pa.table(
            {
                "id": rows["id"],
                "label": pa.array(labels, pa.int32()),
                "part": pa.array(split.PARTITIONS, pa.string()).take(pa.array(parts)),
            }
        )
        out.write_table("split.parquet", table, few=("part",))
        out.write_json("balance.json", split.balance(parts, labels, profile["class_names"], groups))
        out.counts(rows.num_rows, table.num_rows)


def plain_settings(task: luigi.Task) -> "dict[str, Setting]":
    """Return the settings behind a task's parameters that can change bytes, by name."""
    return {
        name: known.setting
        for name, known in task.get_params()
        if isinstance(known, SettingParameter) and known.changes_bytes
    }


def resolved(task: luigi.Task) -> dict[str, Any]:
    """Return a plain value for every setting of a task, the model's defaults filled in."""
    settings = plain_settings(task)
    given = {name: getattr(task, name) for name in settings}
    return models.resolve(given, settings)


def _time(seconds: float) -> str:
    """Write a time of the file system."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))


def with_hyperparameters(task: type[Step]) -> type[Step]:
    """Give a task a parameter for every hyper-parameter of the registry."""
    for name, setting in models.HYPERPARAMETERS.items():
        known = SettingParameter(setting)
        # A parameter is a descriptor; Python names it only inside a class body.
        known.__set_name__(task, name)
        setattr(task, name, known)
    return task


@inherits(SplitStratified)
@with_hyperparameters
class TrainModel(Step):
    """Train the model and keep it with everything that a prediction needs."""

    folder = "6_train"
    version = 2
    resumes = True
    stop_words: str | None

    model = parameter(
        "model",
        "choice",
        models.DEFAULT,
        "which model, a row of the registry",
        choices=tuple(models.MODELS),
    )
    preset = parameter(
        "preset",
        "choice",
        models.NO_PRESET,
        "published settings, named by their source, for whatever is not given",
        choices=(models.NO_PRESET, *models.PRESETS),
    )

    def requires(self) -> SplitStratified:
        """Return the split, upstream settings resolved, so that it never sees the model's name."""
        return self.clone(SplitStratified, **resolved(self))

    @property
    def label(self) -> str:
        """The model's name."""
        return self.settings()["model"]

    def settings(self) -> dict[str, Any]:
        """Return the model's name and the hyper-parameters that it uses."""
        values = resolved(self)
        used = models.MODELS[values["model"]].hyperparameters
        return {"model": values["model"], **{name: values[name] for name in sorted(used)}}

    def registry_rows(self) -> tuple[Any, ...]:
        """Return the model and what it reads."""
        row = models.MODELS[self.settings()["model"]]
        return row, features.REPRESENTATIONS[row.reads]

    def build(self, out: artifacts.Workspace) -> None:
        """Write the model's bundle, how training went, its layers, and what TensorBoard reads."""
        import pandas as pd

        from pipeline.models.base import TrainingData
        from pipeline.models.bundle import save
        from pipeline.split import read_parts, stratified_share
        from pipeline.text.tokenize import stop_words
        from pipeline.training import projector

        settings = self.settings()
        row = models.MODELS[settings["model"]]
        vectorize = self.place_of("Vectorize")
        encoder_class = features.REPRESENTATIONS[row.reads].load_encoder()
        vectors = encoder_class.load_vectors(vectorize)
        encoder = encoder_class.load(vectorize)
        parts = read_parts(self.place_of("SplitStratified") / "split.parquet")
        profile = json.loads(
            (self.place_of("CleanText") / "profile.json").read_text(encoding="utf-8")
        )
        labels = parts.labels_of("train")
        kept = stratified_share(labels, settings["train_fraction"], settings.get("seed", 0))
        data = TrainingData(
            vectors[parts.rows("train")[kept]],
            labels[kept],
            vectors[parts.rows("validation")],
            parts.labels_of("validation"),
            profile["class_names"],
            encoder.width,
            encoder.embedding() if row.reads == "sequences" else None,
            encoder.word_vectors if row.reads == "sequences" else None,
        )
        with TaskProgress(self) as progress:
            classifier, training = row.load_family().fit(
                row.name, data, settings, progress, out.folder / "tensorboard", out.partial
            )
        steps = {step.task_family: step.settings() for step in self.chain()}
        unwanted = stop_words(self.stop_words or "none", steps["Tokenize"]["language"])
        save(out.folder, classifier, encoder, profile["class_names"], steps, unwanted)
        pd.DataFrame(training.history).to_csv(out.path("history.csv"), index=False)
        out.write_json("training.json", training.facts)
        out.write_json("architecture.json", classifier.architecture())
        learned = classifier.learned_vectors()
        if learned is not None:
            projector.write(out.folder / "projector", learned, encoder.vocabulary)
        out.facts = {**training.facts, **training.interruption}
        out.seconds_before = training.interruption.get("seconds_before", 0.0)
        out.counts(len(data.train_labels) + len(data.validation_labels), len(data.train_labels))


@requires(TrainModel)
class Validate(Step):
    """Score validation rows alone, for runs that only choose: test rows are not looked at."""

    folder = "7_validate"
    model: str

    @property
    def label(self) -> str:
        """The model's name."""
        return self.upstream().label  # type: ignore[union-attr]

    def registry_rows(self) -> tuple[Any, ...]:
        """Return those of the model that predicts."""
        return self.upstream().registry_rows()  # type: ignore[union-attr]

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``validation.json``."""
        from pipeline.evaluation.metrics import evaluate
        from pipeline.models.bundle import load
        from pipeline.split import read_parts

        bundle = load(self.place_of("TrainModel"))
        encoder_class = features.REPRESENTATIONS[bundle.representation].load_encoder()
        vectors = encoder_class.load_vectors(self.place_of("Vectorize"))
        parts = read_parts(self.place_of("SplitStratified") / "split.parquet")
        labels = parts.labels_of("validation")
        if not len(labels):
            raise PipelineError(
                "no_test scores validation rows alone, and there are none; give a "
                "validation_fraction such as 0.1."
            )
        probabilities = bundle.classifier.predict(vectors[parts.rows("validation")])
        figures = evaluate(labels, probabilities, bundle.class_names)
        out.write_json(
            "validation.json", {"class_names": bundle.class_names, "validation": figures}
        )
        out.counts(len(labels), len(labels))


@inherits(TrainModel)
class Evaluate(Step):
    """Predict every row, score those that chose nothing, and compare with the baseline."""

    folder = "7_evaluate"
    main_table = "predictions.parquet"

    positive_label = parameter(
        "positive_label",
        "text",
        "auto",
        "class that matters: its figures come first and the threshold is for it; auto: the second "
        "of two classes, none of more",
    )
    threshold_goal = parameter(
        "threshold_goal",
        "choice",
        "f1",
        "what the threshold is chosen for on validation rows: highest F1, or highest recall where "
        "precision or accuracy is not below threshold_floor",
        choices=("f1", "recall_at_precision", "recall_at_accuracy"),
    )
    threshold_floor = parameter(
        "threshold_floor",
        "float",
        0.9,
        "least precision or accuracy, for the goals that have one",
        low=0,
        high=1,
    )
    bootstrap_samples = parameter(
        "bootstrap_samples",
        "int",
        1000,
        "samples of the test rows for intervals; 0 for no intervals",
        unit="samples",
        low=0,
    )
    bootstrap_seed = parameter(
        "bootstrap_seed", "int", 0, "seed of the samples", low=0, high=2**32 - 1
    )

    def requires(self) -> list[Step]:
        """Return the model, and unless it is the baseline itself, the baseline's evaluation."""
        baseline = self.baseline()
        return [self.clone(TrainModel), *([baseline] if baseline else [])]

    def baseline(self) -> "Evaluate | None":
        """Return the evaluation of the baseline on the same rows, None for the baseline."""
        known, given = plain_settings(self), resolved(self)
        if given["model"] == baselines.NAME:
            return None
        of_tokens = set(dict(Tokenize.get_params())) - set(dict(CleanText.get_params()))
        return self.clone(Evaluate, **baselines.settings_of_baseline(given, known, of_tokens))

    @property
    def label(self) -> str:
        """The model's name."""
        return self.upstream().label  # type: ignore[union-attr]

    def settings(self) -> dict[str, Any]:
        """Return the step's settings; a floor counts only for the goals that have one."""
        values = super().settings()
        if values["threshold_goal"] == "f1":
            del values["threshold_floor"]
        return values

    def registry_rows(self) -> tuple[Any, ...]:
        """Return those of the model that predicts."""
        return self.upstream().registry_rows()  # type: ignore[union-attr]

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``metrics.json``, ``decision.json``, ``speed.json``, predictions and curves."""
        import pyarrow.parquet as pq

        from pipeline.evaluation import speed
        from pipeline.evaluation.assessment import Predicted, assess
        from pipeline.evaluation.predictions import read_probabilities
        from pipeline.models.bundle import load
        from pipeline.split import read_parts
        from pipeline.text.tokens import read_tokens

        trained = self.place_of("TrainModel")
        bundle = load(trained)
        encoder_class = features.REPRESENTATIONS[bundle.representation].load_encoder()
        vectors = encoder_class.load_vectors(self.place_of("Vectorize"))
        parts = read_parts(self.place_of("SplitStratified") / "split.parquet")
        columns = ["id", "raw", "clean", "group", "urls", "mentions", "hashtags"]
        rows = pq.read_table(self.place_of("CleanText") / "rows.parquet", columns=columns)
        training = json.loads((trained / "training.json").read_text(encoding="utf-8"))
        baseline = self.baseline()
        beside = {}
        if baseline:
            file = baseline.place() / "predictions.parquet"
            beside[baselines.NAME] = read_probabilities(file, parts, bundle.class_names)
        with TaskProgress(self) as progress:
            progress(0.0, "predicting")
            probabilities = bundle.classifier.predict(vectors)
            progress(0.5, "scoring")
            found = assess(
                Predicted(
                    parts,
                    probabilities,
                    bundle.class_names,
                    rows,
                    read_tokens(self.place_of("Tokenize") / "tokens.parquet"),
                    "refitted_on_validation" in training,
                    beside,
                ),
                self.settings(),
            )
            progress(0.9, "timing")
            out.write_json("speed.json", speed.measure(bundle.classifier.predict, vectors, trained))
        out.write_json("metrics.json", found.metrics)
        out.write_json("decision.json", found.decision)
        for name in ("predictions", "curves", "most_wrong", "leaks"):
            out.write_table(f"{name}.parquet", getattr(found, name), few=("part", "label"))
        out.counts(len(parts), found.predictions.num_rows)


@requires(Evaluate)
class Report(Step):
    """Write one HTML page about the run, a model card, and the figures as files."""

    folder = "8_report"
    page = "report.html"
    positive_label: str | None

    @property
    def label(self) -> str:
        """The model's name."""
        return self.upstream().label  # type: ignore[union-attr]

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``report.html``, ``model_card.md`` and ``figures/*.png``."""
        from pipeline.report.page import write_report

        steps = [step for step in self.chain() if step is not self]
        places = {step.task_family: step.place() for step in steps}
        named = self.positive_label not in (None, "auto")
        write_report(places, self.command(), out.folder, positive_named=named)

    def command(self) -> str:
        """Return a command that makes this run again."""
        words = ["luigi", "--module", "pipeline", "RunAll"]
        config = luigi.configuration.get_config()
        for name, known in self.get_params():
            value = getattr(self, name)
            by_default = not config.has_option("RunAll", name) and name not in _IN_LUIGI_CFG
            if value is None or not known.significant:
                continue
            if not (by_default and value == self._default_of(name, known)):
                words += [f"--{name.replace('_', '-')}", known.serialize(value)]
        return shlex.join(words)

    def _default_of(self, name: str, known: SettingParameter) -> Any:
        """Return what RunAll would take for a setting that is not given."""
        if name in ("dataset", "model"):
            return None
        row = models.MODELS[self.model or models.DEFAULT]
        if name == "representation":
            return row.reads
        return known.setting.check(row.defaults.get(name, known.setting.default))


@inherits(Report)
class RunAll(Named):
    """The whole chain for one dataset and one model.

    Its output is the link ``outputs/latest/<dataset>/<model>`` to the report's folder.
    """

    no_test = luigi.BoolParameter(
        default=False,
        significant=False,
        description="for runs that only choose: score validation rows alone, write no report, and "
        "leave test rows unseen",
    )
    date: str | None
    window: int | None
    pattern: str | None
    threshold_floor: float | None
    refit_on_validation: bool | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_pointed = False
        self._check()

    def requires(self) -> Step:
        """Return the report, every setting that depends on the model resolved."""
        values = resolved(self)
        if not self.no_test:
            return self.clone(Report, **values)
        known = dict(Validate.get_params())
        return Validate(**{name: value for name, value in values.items() if name in known})

    def output(self) -> luigi.Target:
        """Return the link to the newest report of this dataset and model."""
        if self.no_test:
            return self.requires().output()
        return luigi.LocalTarget(self._link())

    def _link(self) -> Path:
        """Return where the link is."""
        values = resolved(self)
        return Path(paths().outputs) / "latest" / values["dataset"] / values["model"]

    def complete(self) -> bool:
        """Say whether the report is there and the link leads to it."""
        goal = self.requires()
        with frozen(goal):
            if not goal.complete():
                return False
            return self.no_test or self._has_pointed or self._link_leads_to(goal)

    def run(self) -> None:
        """Let the link lead to the report; a run that only chooses has none."""
        if self.no_test:
            return
        artifacts.point(self._link(), self.requires().place())
        # Another run of this model may move the link on before Luigi looks whether it is there.
        self._has_pointed = True

    def _link_leads_to(self, report: Step) -> bool:
        """Say whether the newest report is this one."""
        link = self._link()
        return link.is_symlink() and link.resolve() == report.place().resolve()

    def announce(self) -> None:
        """Name the report when the command ends, and what other code built."""
        known, code_changes = paths(), code.pipeline().code_changes
        with frozen(self.requires()):
            code.warn_of_changes(task for task in in_order(self) if isinstance(task, Step))

        def where() -> str | None:
            # At exit Luigi has forgotten what the command line said of these.
            config = luigi.configuration.get_config()
            config.set("pipeline", "code_changes", code_changes)
            config.set("paths", "data", str(known.data))
            config.set("paths", "outputs", str(known.outputs))
            goal = self.requires()
            with frozen(goal):
                if not goal.complete():
                    return None
                if self.no_test:
                    return f"Validation rows alone: {goal.place() / 'validation.json'}"
                folder = self._link() if self._link_leads_to(goal) else goal.place()
                return f"Report: {folder / 'report.html'}"

        console.announce(where)
        console.end_cleanly_on_sigterm()

    def _check(self) -> None:
        """Raise on what can be seen to be wrong before anything runs."""
        values = resolved(self)
        row = catalogue.load(values["dataset"], Path(paths().data))
        checks.positive_label(values["positive_label"], [label.name for label in row.labels])
        checks.days(row.name, dated.is_dated(row), self.date, self.window)
        checks.threshold(values["threshold_goal"], self.threshold_floor)
        checks.tokens({"pattern": self.pattern}, values)
        checks.runs(values)
        model = models.MODELS[values["model"]]
        checks.extras(model.package, model.extra, values)
        checks.embedding({name: getattr(self, name) for name in values}, values)
        checks.fractions(
            values["test_fraction"],
            values["validation_fraction"],
            values["folds"],
            values["fold"],
        )
        if self.no_test:
            checks.choosing(values)

    def __repr__(self) -> str:
        return short_name(self)


@RunAll.event_handler(luigi.Event.DEPENDENCY_DISCOVERED)
def _on_start(task: RunAll, dependency: luigi.Task) -> None:
    """Announce a run that has something to do."""
    task.announce()


@RunAll.event_handler(luigi.Event.DEPENDENCY_PRESENT)
def _on_nothing_to_do(task: RunAll) -> None:
    """Announce a run in which all is complete."""
    task.announce()
