"""Read raw files into rows and clean their texts."""

import logging

from luigi.util import requires

from pipeline.errors import RECORDS_REJECTED
from pipeline.settings import checks
from pipeline.settings.parameter import parameter
from pipeline.settings.resolved import Settings
from pipeline.store import files, publishing
from pipeline.tasks.base import Step
from pipeline.tasks.download_data import DownloadData
from pipeline.text.languages import LANGUAGES

logger = logging.getLogger(__name__)

_ACTIONS = ("keep", "replace", "remove")


@requires(DownloadData)
class CleanText(Step):
    """Read the raw files into rows, clean their texts, and record every rejected row.

    Control characters and invisible characters, such as the zero-width space, are always removed.

    A real bad record: ``3,0,"  "`` has a label and no text; it goes to ``rejected.parquet`` with
    the reason "text is empty".
    """

    folder = "2_clean"
    version = 5
    main_table = "rows.parquet"
    label = "rows"

    encoding_repair = parameter(
        "choice",
        "repair",
        "repair text that was decoded with the wrong encoding (ftfy)",
        choices=("repair", "keep"),
    )
    html = parameter(
        "choice",
        "decode",
        "decode HTML entities to characters, and <br /> to spaces",
        choices=("decode", "keep"),
    )
    unicode_form = parameter(
        "choice", "NFC", "Unicode normal form", choices=("NFC", "NFKC", "none")
    )
    urls = parameter("choice", "replace", "URLs; replaced by <url>", choices=_ACTIONS)
    mentions = parameter("choice", "replace", "@names; replaced by <user>", choices=_ACTIONS)
    hashtags = parameter("choice", "keep", "hashtags; replaced by <hashtag>", choices=_ACTIONS)
    numbers = parameter("choice", "keep", "numbers; replaced by <number>", choices=_ACTIONS)
    case = parameter("choice", "keep", "letter case", choices=("keep", "lower"))
    language = parameter(
        "choice",
        "english",
        "language of letter case, stop words, stems and lemmas",
        choices=LANGUAGES,
    )
    duplicates = parameter(
        "choice",
        "keep",
        "labelled rows with the clean text of an earlier row; dropped rows go to rejected.parquet",
        choices=("keep", "drop"),
    )

    @property
    def download(self) -> DownloadData:
        """The task of the raw files."""
        download = self.upstream()
        assert isinstance(download, DownloadData)
        return download

    def settings(self) -> Settings:
        """Return the settings; the language counts only if it changes the texts."""
        values = dict(super().settings())
        if values["case"] == "keep" or values["language"] not in checks.DOTTED:
            del values["language"]
        return Settings(values)

    def summary(self) -> str:
        """Return the number of rows that were kept and rejected."""
        profile = files.read_json(self.path() / "profile.json")
        return f"{profile['kept']:,} rows kept, {profile['set_aside']:,} rejected"

    def build(self, out: publishing.Workspace) -> None:
        """Write ``rows.parquet``, ``rejected.parquet`` and ``profile.json``."""
        from pipeline.data.problems import malformed_in_words
        from pipeline.text.rows import clean_files, names_in_rows

        parts = self.download.parts()
        dataset = self.download.dataset_of(parts)
        cleaned = clean_files(dataset, parts, self.settings())
        if malformed := malformed_in_words(cleaned.rejected):
            logger.warning("%s: malformed records are rejected. %s.", RECORDS_REJECTED, malformed)
        # The same content can come on another day, with the same digest but other file names.
        out.facts["files"] = names_in_rows(dataset, parts)
        with out.write_in_background(
            "rows.parquet", cleaned.rows, dictionary_columns=("label", "partition", "file")
        ):
            out.write_table(
                "rejected.parquet", cleaned.rejected, dictionary_columns=("file", "reason")
            )
            out.write_json("profile.json", cleaned.profile())
        out.counts(cleaned.rows.num_rows + cleaned.rejected.num_rows, cleaned.rows.num_rows)
