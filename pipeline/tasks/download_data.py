"""Record the raw files of a dataset, downloading what is missing."""

import datetime
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.data import catalogue, daily
from pipeline.data.schema import RawFile
from pipeline.settings.parameter import parameter
from pipeline.store import artifacts
from pipeline.tasks.base import Artifact, Step, paths


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
        return daily.missing(self.row, self.raw_folder, self.day)

    def parts(self) -> list[daily.Part]:
        """Return the raw files that are there, and the frozen test rows of a run with a date."""
        window = 1 if self.window is None else self.window
        return daily.parts(self.row, self.raw_folder, self.day, window, self.checksum)

    def dataset_of(self, parts: Sequence[daily.Part]) -> catalogue.Dataset:
        """Return the dataset with a table for each of the raw files."""
        return daily.laid_out(self.row, parts) if self.day else self.row

    def settings(self) -> dict[str, Any]:
        """Return the whole row of the catalogue, so that a change of it reruns the chain."""
        return {"dataset": self.row.resolved()}

    def external_inputs(self) -> dict[str, Any]:
        """Return the sha256 of each raw file; a date is in no key."""
        return {part.key: self.checksum(part.path) for part in self.parts()}

    def complete(self) -> bool:
        """Say whether the raw files are there and recorded."""
        return not self.missing() and super().complete()

    def output(self) -> Artifact:
        """Return the record; without the raw files its place is not known."""
        return Artifact(None if self.missing() else self.path())

    def run(self) -> None:
        """Fetch what is missing, then record what is there."""
        for folder in (self.raw_folder, self.raw_folder / (self.day or "")):
            if folder.is_dir():
                artifacts.sweep(folder)
        daily.fetch(self.row, self.missing(), self.day, self.now)
        super().run()

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``source.json``."""
        row, checksums = self.row, self.external_inputs()
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


def _time(seconds: float) -> str:
    """Write a time of the file system."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))
