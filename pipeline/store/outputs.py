"""What is in an outputs folder: artifacts by place and digest, and runs by name."""

import fnmatch
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.data.catalogue import RESERVED
from pipeline.errors import PipelineError, nearest
from pipeline.store import artifacts, manifests

_LAST = "Report"


@dataclass(frozen=True)
class Artifact:
    """A folder with a manifest; the same place is the same artifact."""

    place: Path
    manifest: dict[str, Any] = field(compare=False)

    @property
    def task(self) -> str:
        """Name of the task that wrote it."""
        return self.manifest["task"]

    @property
    def digest(self) -> str:
        """What identifies it."""
        return self.manifest["digest"]

    @property
    def finished(self) -> str:
        """When it was finished, ISO 8601."""
        return self.manifest["finished"]

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(entry["size"] for entry in self.manifest["files"].values())

    def read_json(self, name: str) -> Any:
        """Read one of its summaries, None where there is none."""
        return artifacts.read_json(self.place / name)

    def summary(self, name: str) -> dict[str, Any]:
        """Read one of its summaries that is a JSON object, empty where there is none."""
        found = self.read_json(name)
        return found if isinstance(found, dict) else {}


def upstream_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return task, digest and place of each artifact that a manifest says it was made from.

    The one above it in the chain comes first, then those beside, such as the baseline's.
    """
    above = manifest.get("upstream")
    return [*([above] if above else []), *manifest.get("beside", [])]


class Store:
    """An outputs folder as it is now: folders are listed and manifests are read once.

    Parameters
    ----------
    outputs : Path
    """

    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self._read: dict[str, Artifact | None] = {}
        self._places: dict[tuple[str, str], list[Path]] = {}

    def artifact(self, place: Path | str) -> Artifact | None:
        """Return the artifact at a place, or None where no manifest can be read."""
        name = os.path.normpath(place)
        if name not in self._read:
            place = Path(name)
            manifest = manifests.read(place)
            self._read[name] = Artifact(place, manifest) if manifest else None
        return self._read[name]

    def datasets(self) -> list[str]:
        """List the datasets that something was made of."""
        if not self.outputs.is_dir():
            return []
        return sorted(
            entry.name
            for entry in os.scandir(self.outputs)
            if entry.is_dir(follow_symlinks=False)
            and not entry.name.startswith(".")
            and entry.name not in RESERVED
        )

    def places(self, dataset: str = "*", step: str = "*") -> list[Path]:
        """List the folders of artifacts, whole or not, by dataset and the step's folder."""
        if (dataset, step) not in self._places:
            names = self.datasets() if dataset == "*" else [dataset]
            steps = [place for name in names for place in _folders(f"{self.outputs}/{name}")]
            # Plain texts are sorted and compared a good deal faster than paths.
            self._places[dataset, step] = [
                Path(place)
                for folder in steps
                if fnmatch.fnmatchcase(os.path.basename(folder), step)
                for place in _folders(folder)
            ]
        return self._places[dataset, step]

    def all(self, dataset: str = "*", step: str = "*") -> list[Artifact]:
        """List the artifacts that have a manifest."""
        found = (self.artifact(place) for place in self.places(dataset, step))
        return [artifact for artifact in found if artifact is not None]

    def runs(self, dataset: str = "*") -> list[Artifact]:
        """List the reports, newest first."""
        found = [item for item in self.all(dataset, "8_*") if item.task == _LAST]
        return sorted(found, key=lambda item: (item.finished, item.digest), reverse=True)

    @functools.cached_property
    def latest(self) -> dict[str, Path]:
        """The links to the newest reports: ``dataset/model`` to the place."""
        links = sorted((self.outputs / "latest").glob("*/*"))
        return {
            f"{link.parent.name}/{link.name}": Path(os.path.realpath(link))
            for link in links
            if link.is_symlink()
        }

    def above(self, artifact: Artifact) -> list[Artifact]:
        """Return the artifacts that one was made from, those that are gone left out."""
        found = (
            self.artifact(f"{artifact.place}/{entry['place']}")
            for entry in upstream_of(artifact.manifest)
        )
        return [item for item in found if item is not None]

    def holes(self, artifact: Artifact) -> dict[Path, Artifact]:
        """Return what an artifact was made from, directly or not, and is gone or unreadable.

        Returns
        -------
        dict of Path to Artifact
            Each place with the artifact that names it; what is above a hole is not known.
        """
        found: dict[Path, Artifact] = {}
        for item in self.lineage(artifact):
            for entry in upstream_of(item.manifest):
                place = Path(os.path.normpath(item.place / entry["place"]))
                if self.artifact(place) is None:
                    found.setdefault(place, item)
        return found

    def has_hole(self, artifact: Artifact) -> bool:
        """Say whether something that an artifact was made from, directly or not, is gone."""
        return bool(self.holes(artifact))

    def lineage(self, artifact: Artifact) -> Iterator[Artifact]:
        """Yield an artifact and all that it was made from, once each, the nearest first."""
        waiting, seen = [artifact], {artifact.place}
        while waiting:
            item = waiting.pop(0)
            yield item
            for other in self.above(item):
                if other.place not in seen:
                    seen.add(other.place)
                    waiting.append(other)

    def chain(self, artifact: Artifact) -> Iterator[Artifact]:
        """Yield an artifact and those above it in its own chain, what stands beside left out.

        Each is yielded once, also where damaged manifests lead round in a circle.
        """
        found: Artifact | None = artifact
        seen: set[Path] = set()
        while found is not None and found.place not in seen:
            seen.add(found.place)
            yield found
            above = found.manifest.get("upstream")
            found = self.artifact(f"{found.place}/{above['place']}") if above else None

    def below(self, artifact: Artifact) -> list[Artifact]:
        """Return the artifacts that were made from one, directly or not."""
        dataset = artifact.place.parent.parent.name
        return [
            item
            for item in self.all(dataset)
            if item != artifact and artifact in self.lineage(item)
        ]

    def of(self, artifact: Artifact, task: str) -> Artifact | None:
        """Return the artifact of a task in the chain of one."""
        return next((item for item in self.chain(artifact) if item.task == task), None)

    def find(self, name: str) -> Artifact:
        """Find an artifact by path, by ``dataset/model``, or by the beginning of its digest.

        Raises
        ------
        PipelineError
            If there is none, or more than one, or its manifest cannot be read.
        """
        for place in (Path(name), self.outputs / name, self.outputs / "latest" / name):
            real = Path(os.path.realpath(place))
            for folder in map(self._spelled, (real, *real.parents)):
                found = self.artifact(folder)
                if found is not None:
                    return found
                if self._is_place(folder):
                    raise PipelineError(
                        f"{folder}: {manifests.why_unreadable(folder)}; "
                        f"`pipeline verify --repair {name}` moves the folder aside and the next "
                        "run builds it again."
                    )
        wanted = name.rsplit("-", 1)[-1]
        if len(wanted) >= 4:
            near = [
                item
                for item in (self.artifact(place) for place in self.places())
                if item is not None and item.digest.startswith(wanted)
            ]
            if len(near) == 1:
                return near[0]
            if near:
                places = ", ".join(self.short(item.place) for item in near[:4])
                raise PipelineError(f"{name!r} is the beginning of several: {places}; write more.")
        raise PipelineError(
            f"nothing in {self.outputs} is called {name!r}; name a folder, <dataset>/<model>, or "
            f"the first digits of a run's digest; {nearest(name, self.latest)}."
        )

    def short(self, place: Path) -> str:
        """Write a place from the outputs folder on."""
        if str(place).startswith(f"{self.outputs}/"):
            return str(place)[len(str(self.outputs)) + 1 :]
        real = os.path.relpath(os.path.realpath(place), os.path.realpath(self.outputs))
        return str(place) if real.startswith("..") else real

    def _is_place(self, folder: Path) -> bool:
        """Say whether a folder is where an artifact belongs."""
        step = folder.parent
        is_inside = step.parent.parent == self.outputs and step.parent.name in self.datasets()
        return is_inside and folder.is_dir()

    def _spelled(self, real: Path) -> Path:
        """Write a real path below the outputs folder as the other places are written."""
        inside = os.path.relpath(real, os.path.realpath(self.outputs))
        return real if inside.startswith("..") else self.outputs / inside


def _folders(parent: str) -> list[str]:
    """List the folders in a folder, without the pipeline's own, sorted."""
    try:
        with os.scandir(parent) as entries:
            return sorted(
                entry.path for entry in entries if not entry.name.startswith(".") and entry.is_dir()
            )
    except (FileNotFoundError, NotADirectoryError):
        return []
