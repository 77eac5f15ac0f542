"""Find artifacts in an outputs folder: by path, by digest, by run, and by what they need."""

import fnmatch
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import DamagedArtifactError, NotFoundError, nearest
from pipeline.store import manifests
from pipeline.store.files import read_json

#: Folders in the outputs folder that are not datasets.
RESERVED = ("latest", "registry", "history", "experiments")


@dataclass(frozen=True)
class Artifact:
    """A folder with a valid manifest; artifacts with the same path are equal."""

    path: Path
    manifest: dict[str, Any] = field(compare=False)

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        return self.path.parent.parent.name

    @property
    def task(self) -> str:
        """Name of the task that wrote it."""
        return str(self.manifest["task"])

    @property
    def digest(self) -> str:
        """Digest of task, version, settings and inputs: 16 hexadecimal digits."""
        return str(self.manifest["digest"])

    @property
    def finished(self) -> str:
        """Time of publishing, ISO 8601."""
        return str(self.manifest["finished"])

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(entry["size"] for entry in self.manifest["files"].values())

    def read_json(self, name: str) -> Any:
        """Return the content of a JSON file, None where it is missing or is not JSON."""
        return read_json(self.path / name)

    def summary(self, name: str) -> dict[str, Any]:
        """Return the content of a JSON file, empty where it is missing or no JSON object."""
        content = self.read_json(name)
        return content if isinstance(content, dict) else {}


def upstream_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return task, digest and path of each artifact that an artifact was directly made from.

    The step above in the chain comes first, then what the artifact also requires.
    """
    above = manifest.get("upstream")
    return [*([above] if above else []), *manifest.get("beside", [])]


class Store:
    """An outputs folder; folders are listed once and manifests are read once."""

    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self._artifacts: dict[str, Artifact | None] = {}
        self._listed: dict[tuple[str, str], list[Path]] = {}

    def artifact(self, path: Path | str) -> Artifact | None:
        """Return the artifact in a folder, None where there is no valid manifest."""
        name = os.path.normpath(path)
        if name not in self._artifacts:
            manifest = manifests.read(Path(name))
            self._artifacts[name] = Artifact(Path(name), manifest) if manifest else None
        return self._artifacts[name]

    def datasets(self) -> list[str]:
        """Return the names of the datasets that have artifacts, sorted."""
        names = map(os.path.basename, _folders(str(self.outputs)))
        return [
            name
            for name in names
            if name not in RESERVED and not (self.outputs / name).is_symlink()
        ]

    def folders(self, dataset: str = "*", step: str = "*") -> list[Path]:
        """Return the folders of artifacts, complete or not.

        ``dataset`` is a name or ``*``; ``step`` is a pattern of the step's folder, as ``7_*``.
        """
        if (dataset, step) not in self._listed:
            names = self.datasets() if dataset == "*" else [dataset]
            steps = [path for name in names for path in _folders(f"{self.outputs}/{name}")]
            self._listed[dataset, step] = [
                Path(path)
                for folder in steps
                if fnmatch.fnmatchcase(os.path.basename(folder), step)
                for path in _folders(folder)
            ]
        return self._listed[dataset, step]

    def all(self, dataset: str = "*", step: str = "*") -> list[Artifact]:
        """Return the artifacts with a valid manifest, selected as in `folders`."""
        artifacts = map(self.artifact, self.folders(dataset, step))
        return [artifact for artifact in artifacts if artifact is not None]

    def runs(self, dataset: str = "*") -> list[Artifact]:
        """Return the reports, newest first."""
        reports = [item for item in self.all(dataset, "8_*") if item.task == "Report"]
        return sorted(reports, key=lambda item: (item.finished, item.digest), reverse=True)

    @functools.cached_property
    def latest(self) -> dict[str, Path]:
        """The targets of the links to the newest reports, by ``dataset/model``."""
        links = sorted((self.outputs / "latest").glob("*/*"))
        return {
            f"{link.parent.name}/{link.name}": Path(os.path.realpath(link))
            for link in links
            if link.is_symlink()
        }

    def above(self, artifact: Artifact) -> list[Artifact]:
        """Return the artifacts that an artifact was directly made from and that still exist."""
        artifacts = map(self.artifact, _paths_above(artifact))
        return [item for item in artifacts if item is not None]

    def missing_inputs(self, artifact: Artifact) -> dict[Path, Artifact]:
        """Return the missing or damaged folders that an artifact was made from, directly or not.

        Each has an artifact that needs it as value. Folders above missing ones are not included.
        """
        missing: dict[Path, Artifact] = {}
        for item in self.lineage(artifact):
            for name in _paths_above(item):
                if self.artifact(name) is None:
                    missing.setdefault(Path(os.path.normpath(name)), item)
        return missing

    def lineage(self, artifact: Artifact) -> Iterator[Artifact]:
        """Yield an artifact and everything that it was made from, once each, nearest first."""
        waiting, seen = [artifact], {artifact.path}
        while waiting:
            item = waiting.pop(0)
            yield item
            new = [other for other in self.above(item) if other.path not in seen]
            seen.update(other.path for other in new)
            waiting += new

    def chain(self, artifact: Artifact) -> Iterator[Artifact]:
        """Yield an artifact and the steps above it, without what these also require."""
        item: Artifact | None = artifact
        seen: set[Path] = set()  # damaged manifests may form a circle
        while item is not None and item.path not in seen:
            seen.add(item.path)
            yield item
            above = item.manifest["upstream"]
            item = self.artifact(f"{item.path}/{above['place']}") if above else None

    def below(self, artifact: Artifact) -> list[Artifact]:
        """Return the artifacts that were made from an artifact, directly or not."""
        others = [item for item in self.all(artifact.dataset) if item != artifact]
        return [item for item in others if artifact in self.lineage(item)]

    def of(self, artifact: Artifact, task: str) -> Artifact | None:
        """Return the artifact of a task in an artifact's chain, None where it is missing."""
        return next((item for item in self.chain(artifact) if item.task == task), None)

    def find(self, name: str) -> Artifact:
        """Find an artifact by path, by ``dataset/model``, or by the first digits of its digest.

        Raise DamagedArtifactError where its manifest cannot be read, NotFoundError where no or
        several artifacts have the name.
        """
        for path in (Path(name), self.outputs / name, self.outputs / "latest" / name):
            real = Path(os.path.realpath(path))
            for folder in map(self._in_outputs, (real, *real.parents)):
                artifact = self.artifact(folder)
                if artifact is not None:
                    return artifact
                dataset = folder.parent.parent
                is_inside = dataset.parent == self.outputs and dataset.name in self.datasets()
                if is_inside and folder.is_dir():
                    raise DamagedArtifactError(
                        f"{folder}: {manifests.why_unreadable(folder)}; "
                        f"`pipeline verify --repair {name}` moves the folder aside and the next "
                        "run builds it again."
                    )
        return self._find_by_digest(name)

    def _find_by_digest(self, name: str) -> Artifact:
        """Find an artifact by the first digits of its digest; a label before them is ignored."""
        digits = name.rsplit("-", 1)[-1]
        items = [item for item in self.all() if len(digits) >= 4 and item.digest.startswith(digits)]
        if len(items) == 1:
            return items[0]
        if items:
            paths = ", ".join(self.short(item.path) for item in items[:4])
            raise NotFoundError(
                f"several artifacts have a digest that begins with {digits!r}: {paths}; give more "
                "digits."
            )
        raise NotFoundError(
            f"no artifact in {self.outputs} has the name {name!r}; give a folder, "
            "<dataset>/<model>, or at least 4 digits of a run's digest; "
            f"{nearest(name, self.latest)}."
        )

    def short(self, path: Path) -> str:
        """Return a path relative to the outputs folder, unchanged where it is not inside."""
        if str(path).startswith(f"{self.outputs}/"):
            return str(path)[len(str(self.outputs)) + 1 :]
        relative = os.path.relpath(os.path.realpath(path), os.path.realpath(self.outputs))
        return str(path) if relative.startswith("..") else relative

    def _in_outputs(self, real: Path) -> Path:
        """Return a resolved path that begins with ``self.outputs`` where it is inside."""
        relative = os.path.relpath(real, os.path.realpath(self.outputs))
        return real if relative.startswith("..") else self.outputs / relative


def _paths_above(artifact: Artifact) -> list[str]:
    """Return the folders of the artifacts that an artifact was directly made from."""
    return [f"{artifact.path}/{entry['place']}" for entry in upstream_of(artifact.manifest)]


def _folders(parent: str) -> list[str]:
    """Return the subfolders of a folder whose names do not begin with a dot, sorted."""
    try:
        with os.scandir(parent) as entries:
            return sorted(
                entry.path for entry in entries if not entry.name.startswith(".") and entry.is_dir()
            )
    except (FileNotFoundError, NotADirectoryError):
        return []
