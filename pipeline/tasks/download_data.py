"""Record the raw files of a dataset, and download those that are missing."""

import datetime
from collections.abc import Sequence
from pathlib import Path

from pipeline.data import catalogue, daily
from pipeline.data.schema import Dataset, RawFile
from pipeline.settings import checks
from pipeline.settings.parameter import parameter
from pipeline.settings.resolved import Settings
from pipeline.store import files, publishing
from pipeline.tasks.base import Artifact, Step
from pipeline.tasks.config import data_folder
from pipeline.tasks.graph import once


def today() -> str:
    """Return today's date, year first."""
    return str(datetime.date.today())


class DownloadData(Step):
    """Download missing raw files into the data folder, and record all raw files.

    The artifact is ``source.json`` alone, for example
    ``{"files": [{"name": "train.csv", "size": 3103170, "sha256": "..."}], "licence": "MIT"}``.
    """

    folder = "1_download"
    label = "raw"

    dataset = parameter(
        "text",
        "vader",
        "name of a dataset of the catalogue, or of a folder with a dataset.toml in the data folder",
    )
    date = parameter(
        "date",
        "none",
        "day of the raw files: those with the date in their name, or those in the folder of that "
        "name; today's files are downloaded again",
        also=("none",),
        selects_files=True,
    )
    window = parameter(
        "int",
        1,
        "number of days of raw files, up to date; 0: all",
        unit="days",
        low=0,
        selects_files=True,
    )
    today = parameter(
        "date",
        "none",
        "day whose files the source has now; none: the day on which the command starts",
        also=("none",),
        significant=False,
    )

    @property
    def row(self) -> Dataset:
        """The dataset's entry in the catalogue."""
        return catalogue.load(self.dataset, data_folder())

    @property
    def raw_folder(self) -> Path:
        """The folder of the dataset's raw files."""
        return data_folder() / str(self.dataset)

    @property
    def day(self) -> str | None:
        """The day of the raw files; None if they have no date."""
        return None if self.date == "none" else self.date

    @property
    def now(self) -> str:
        """The day whose files the source has now."""
        day: str = self.value("today")
        return today() if day == "none" else day

    def check_inputs(self) -> None:
        """Raise if the dataset does not exist or needs a date."""
        checks.days(self.row.name, daily.is_daily(self.row), self.date, self.window)

    def missing(self) -> list[tuple[RawFile, Path]]:
        """Return the missing raw files, each with its folder."""
        return daily.missing(self.row, self.raw_folder, self.day)

    def parts(self) -> list[daily.InputFile]:
        """Return the raw files, and the holdout rows of a run with a date."""
        window = self.value("window")
        return daily.input_files(self.row, self.raw_folder, self.day, window, self.checksum)

    def dataset_of(self, parts: Sequence[daily.InputFile]) -> Dataset:
        """Return the dataset with a table for each of the raw files."""
        return daily.with_tables(self.row, parts) if self.day else self.row

    def settings(self) -> Settings:
        """Return the complete catalogue entry, so that a change of it reruns the chain."""
        return Settings({"dataset": self.row.resolved()})

    @once
    def external_inputs(self) -> dict[str, str]:
        """Return the sha256 of each raw file; the keys contain no date."""
        return {part.key: self.checksum(part.path) for part in self.parts()}

    @once
    def complete(self) -> bool:
        """Return whether all raw files exist and are recorded."""
        return not self.missing() and super().complete()

    def output(self) -> Artifact:
        """Return the artifact; its path is None while raw files are missing."""
        return Artifact(None if self.missing() else self.path())

    def fetch(self) -> None:
        """Download missing files."""
        for folder in (self.raw_folder, self.raw_folder / (self.day or "")):
            if folder.is_dir():
                publishing.sweep(folder)
        daily.fetch(self.row, self.missing(), self.day, self.now)

    def summary(self) -> str:
        """Return the number of raw files, their size and their day."""
        inputs = files.read_json(self.path() / "source.json")["files"]
        noun = "file" if len(inputs) == 1 else "files"
        size = sum(entry["size"] for entry in inputs) / 1000
        of_day = f" of {self.day}" if self.day else ""
        size_text = f"{size:,.1f} kB" if size < 1000 else f"{size / 1000:,.1f} MB"
        return f"{len(inputs)} {noun}{of_day}, {size_text}"

    def build(self, out: publishing.Workspace) -> None:
        """Write ``source.json``."""
        record = daily.source_record(self.row, self.parts(), self.external_inputs())
        out.write_json("source.json", record)
