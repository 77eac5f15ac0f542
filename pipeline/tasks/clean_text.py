"""Read raw files into rows and clean their texts."""

from typing import TYPE_CHECKING

from luigi.util import requires

from pipeline.data import catalogue, daily
from pipeline.errors import DataError
from pipeline.settings.parameter import parameter
from pipeline.store import artifacts
from pipeline.tasks.base import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from pipeline.data.readers import Reading
    from pipeline.text.rows import CleanRows
from pipeline.tasks.download_data import DownloadData

_KEEP_REPLACE_REMOVE = ("keep", "replace", "remove")


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
        with out.write_in_background(
            "rows.parquet", cleaned.rows, dictionary_columns=("label", "partition", "file")
        ):
            out.write_table(
                "rejected.parquet", cleaned.rejected, dictionary_columns=("file", "reason")
            )
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
        names = (artifacts.read_manifest(self.path()) or {})["facts"]["files"]
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
        alone = [part for part in parts if part.is_of_day or part.is_holdout]
        if self.settings()["duplicates"] == "drop" and len(alone) < len(parts):
            cleaned = self._cleaned(alone)
            rows, rejected = cleaned.rows, cleaned.rejected
            names = _own(alone, self._names(alone))
        else:
            rows = pq.read_table(
                self.path() / "rows.parquet", columns=["raw", "clean", "label", "file"]
            )
            rejected = pq.read_table(
                self.path() / "rejected.parquet", columns=["reason", "raw", "file"]
            )
            names = self.own_names()
        own = pa.array(names, pa.string())
        rows, rejected = (
            table.filter(pc.is_in(table["file"].cast(pa.string()), own))
            for table in (rows, rejected)
        )
        return rows, rejected

    def _cleaned(self, parts: "Sequence[daily.InputFile]") -> "CleanRows":
        """Read files and clean their texts, the one while the other goes on."""
        from pipeline.data.columns import InThreads
        from pipeline.text.rows import clean_rows, clean_slice

        settings, names = self.settings(), self._names(parts)
        with InThreads(lambda texts: clean_slice(texts, settings)) as threads:
            reading = self._read(parts, threads.submit)
            cleaned_texts = threads.results()
        return clean_rows(
            reading.rows,
            reading.rejected,
            reading.records,
            settings,
            [label.name for label in self._download().row.labels],
            [name for part in parts if part.is_holdout for name in names[part.key]],
            cleaned_texts,
        )

    def _read(
        self,
        parts: "Sequence[daily.InputFile]",
        meanwhile: "Callable[[pa.ChunkedArray], None] | None" = None,
    ) -> "Reading":
        """Read the raw files into rows."""
        from pipeline.data import readers

        files = {part.key: part.path for part in parts}
        return readers.read(self._laid_out(parts), files, meanwhile)

    def _laid_out(self, parts: "Sequence[daily.InputFile]") -> catalogue.Dataset:
        """Return the dataset with a table for each file that is read."""
        download = self._download()
        return daily.with_tables(download.row, parts) if download.day else download.row

    def _names(self, parts: "Sequence[daily.InputFile]") -> dict[str, list[str]]:
        """Return the entries of the column ``file`` of each file that is read, by its key."""
        from pipeline.data.formats import display_name

        tables = self._laid_out(parts).tables
        return {
            part.key: [display_name(table, part.path) for table in tables if table.file == part.key]
            for part in parts
        }

    def _download(self) -> DownloadData:
        download = self.upstream()
        assert isinstance(download, DownloadData)
        return download


def _own(parts: "Sequence[daily.InputFile]", names: dict[str, list[str]]) -> list[str]:
    """Return the names of the files that the day itself brought."""
    return [name for part in parts if part.is_of_day for name in names[part.key]]
