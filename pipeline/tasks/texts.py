"""The steps from raw files to tokens."""

import datetime
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luigi.util import requires

from pipeline import artifacts, checks
from pipeline.datasets import catalogue, dated
from pipeline.datasets.description import RawFile
from pipeline.errors import DataError
from pipeline.tasks.base import Artifact, Step, paths
from pipeline.tasks.parameters import parameter
from pipeline.text.languages import CODES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from pipeline.datasets.readers import Reading
    from pipeline.text.rows import CleanRows

_KEEP_REPLACE_REMOVE = ("keep", "replace", "remove")


def today() -> str:
    """Return today's date, year first."""
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
    today = parameter(
        "today",
        "date",
        "none",
        "day whose files a source has now; none: the day on which the command starts, however "
        "long it runs",
        also=("none",),
        significant=False,
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

    @property
    def now(self) -> str:
        """The day whose files a source has now."""
        return today() if self.today in (None, "none") else self.today

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
        dated.fetch(self.row, self.missing(), self.day, self.now)
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
    version = 4
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
        """Write the rows, those left out, and ``profile.json``."""
        parts = self._download().parts()
        cleaned = self._cleaned(parts)
        # The same content may come on another day: names tell then, and days do not.
        out.facts["files"] = self._names(parts)
        with out.table_beside("rows.parquet", cleaned.rows, few=("label", "partition", "file")):
            out.write_table("rejected.parquet", cleaned.rejected, few=("file", "reason"))
            out.write_json("profile.json", cleaned.profile())
        out.counts(cleaned.rows.num_rows + cleaned.rejected.num_rows, cleaned.rows.num_rows)

    def problem_with_files(self) -> str | None:
        """Read the raw files, and say what is wrong with them; None where nothing is."""
        try:
            self._read(self._download().parts())
        except DataError as error:
            return str(error)
        return None

    def own_names(self) -> list[str]:
        """Return the entries of the column ``file`` that are of what the day itself brought."""
        names = (artifacts.read_manifest(self.place()) or {})["facts"]["files"]
        return _own(self._download().parts(), names)

    def own_tables(self) -> "tuple[pa.Table, pa.Table]":
        """Return the rows that the day itself brought, whatever the window: kept, and set aside.

        A row that was dropped for a text of a day before counts as if the day were alone. Only
        ``raw``, ``clean`` and ``label``, and ``reason`` and ``raw``, are sure to be there.
        """
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        parts = self._download().parts()
        alone = [part for part in parts if part.is_own or part.is_frozen]
        if self.settings()["duplicates"] == "drop" and len(alone) < len(parts):
            cleaned = self._cleaned(alone)
            rows, rejected = cleaned.rows, cleaned.rejected
            names = _own(alone, self._names(alone))
        else:
            rows = pq.read_table(
                self.place() / "rows.parquet", columns=["raw", "clean", "label", "file"]
            )
            rejected = pq.read_table(
                self.place() / "rejected.parquet", columns=["reason", "raw", "file"]
            )
            names = self.own_names()
        own = pa.array(names, pa.string())
        rows, rejected = (
            table.filter(pc.is_in(table["file"].cast(pa.string()), own))
            for table in (rows, rejected)
        )
        return rows, rejected

    def _cleaned(self, parts: "Sequence[dated.Part]") -> "CleanRows":
        """Read files and clean their texts, the one while the other goes on."""
        from pipeline.text.columns import InThreads
        from pipeline.text.rows import clean_part, clean_rows

        settings, names = self.settings(), self._names(parts)
        with InThreads(lambda texts: clean_part(texts, settings)) as threads:
            reading = self._read(parts, threads.take)
            cleaned_texts = threads.results()
        return clean_rows(
            reading.rows,
            reading.rejected,
            reading.records,
            settings,
            [label.name for label in self._download().row.labels],
            [name for part in parts if part.is_frozen for name in names[part.key]],
            cleaned_texts,
        )

    def _read(
        self,
        parts: "Sequence[dated.Part]",
        meanwhile: "Callable[[pa.ChunkedArray], None] | None" = None,
    ) -> "Reading":
        """Read the raw files into rows."""
        from pipeline.datasets import readers

        files = {part.key: part.path for part in parts}
        return readers.read(self._laid_out(parts), files, meanwhile)

    def _laid_out(self, parts: "Sequence[dated.Part]") -> catalogue.Dataset:
        """Return the dataset with a table for each file that is read."""
        download = self._download()
        return dated.laid_out(download.row, parts) if download.day else download.row

    def _names(self, parts: "Sequence[dated.Part]") -> dict[str, list[str]]:
        """Return the entries of the column ``file`` of each file that is read, by its key."""
        from pipeline.datasets.formats import display_name

        tables = self._laid_out(parts).tables
        return {
            part.key: [display_name(table, part.path) for table in tables if table.file == part.key]
            for part in parts
        }

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
        from concurrent.futures import ThreadPoolExecutor

        import pyarrow as pa
        import pyarrow.parquet as pq

        from pipeline.text.tokenize import lexical_diversity, summary, tokenize

        place = self.place_of("CleanText")
        rows = pq.read_table(place / "rows.parquet", columns=["id", "clean"])
        processes = self.processes or os.cpu_count() or 1
        settings = {**self.settings(), "stop_words": self.stop_words or "none"}
        tokens = tokenize(rows["clean"], settings, processes)
        with ThreadPoolExecutor(1) as beside:
            column = beside.submit(tokens.to_arrow)
            diversity = lexical_diversity(tokens)
            table = pa.table(
                {
                    "id": rows["id"],
                    "tokens": column.result(),
                    "words": pa.array(tokens.lengths, pa.int32()),
                    "lexical_diversity": pa.array(diversity, pa.float32()),
                }
            )
        with out.table_beside("tokens.parquet", table, few=("tokens.list.element",)):
            out.write_json("tokens.json", summary(tokens, diversity))
        out.counts(rows.num_rows, len(tokens))


def _time(seconds: float) -> str:
    """Write a time of the file system."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))


def _own(parts: "Sequence[dated.Part]", names: dict[str, list[str]]) -> list[str]:
    """Return the names of the files that the day itself brought."""
    return [name for part in parts if part.is_own for name in names[part.key]]
