"""What every step shares: its own settings, its digest, its place, and publishing."""

import contextlib
import functools
import logging
import os
import subprocess
import sys
import urllib.parse
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from importlib import util
from pathlib import Path
from typing import Any

import luigi

from pipeline.errors import PipelineError
from pipeline.settings.parameter import SettingParameter
from pipeline.settings.setting import Setting
from pipeline.store import artifacts, previews
from pipeline.tasks import code_changes, progress

logger = logging.getLogger("luigi-interface")

_LIBRARIES = (
    "luigi",
    "tensorflow",
    "keras",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "nltk",
    "ftfy",
    "simplemma",
    "skops",
    "matplotlib",
)
_MODULES = {"scikit-learn": "sklearn"}


class paths(luigi.Config):
    """Where raw files and artifacts lie."""

    data = luigi.Parameter(default="data", description="folder of raw files")
    outputs = luigi.Parameter(default="outputs", description="folder of artifacts")


class Artifact(luigi.Target):
    """A folder artifact as Luigi's target; ``path`` is None while its place is not known."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def exists(self) -> bool:
        """Say whether the folder is whole."""
        return self.path is not None and artifacts.is_complete(self.path)

    def __str__(self) -> str:
        return str(self.path)


class Named(luigi.Task):
    """A task that luigid and mails show with the parameters it was given and with plain errors.

    A chain's tasks have dozens of parameters; what is left out is what Luigi fills in by itself.
    """

    def to_str_params(
        self, only_significant: bool = False, only_public: bool = False
    ) -> dict[str, str]:
        """Return parameters as text; all of them where they identify the task."""
        found: dict[str, str] = super().to_str_params(only_significant, only_public)
        if only_significant:
            return found
        known = dict(self.get_params())
        return {
            name: text
            for name, text in found.items()
            if text or known[name].task_value(self.task_family, name) is not None
        }

    def on_failure(self, exception: BaseException) -> str:
        """Return what luigid and the mail say of a failure; of an error of ours its sentence."""
        if isinstance(exception, PipelineError):
            return str(exception)
        said: str = super().on_failure(exception)
        return said


class Step(Named):
    """A step of the chain: reads what is above it, writes one folder artifact.

    A step declares its own parameters, ``folder`` (of its kind, below the dataset's), `label` and
    `build`. What it requires comes from ``@requires``.
    """

    #: Raised when the same parameters come to give different bytes.
    version = 1
    folder = ""
    #: Whether an interrupted run leaves work that the next one takes up, in ``out.partial``.
    resumes = False
    #: Where there are several Parquet tables: the one whose first rows are in ``head.csv``.
    main_table = ""
    #: What its page in a scheduler leads to, in its folder; the folder where empty.
    page = ""
    dataset: str
    model: str | None
    pattern: str | None
    processes: int | None

    @property
    @abstractmethod
    def label(self) -> str:
        """A readable beginning of the artifact's name."""

    @abstractmethod
    def build(self, out: artifacts.Workspace) -> None:
        """Do the work and write its files."""

    @classmethod
    @functools.cache
    def get_params(cls) -> list[tuple[str, Any]]:
        """Return names and parameters; found once a class, as Luigi asks hundreds of times."""
        return super().get_params()

    @functools.cached_property
    def _required(self) -> "list[Step]":
        return [step for step in luigi.task.flatten(self.requires()) if isinstance(step, Step)]

    def required(self) -> "list[Step]":
        """Return the steps that this one requires, the one above it in the chain first."""
        return self._required

    def upstream(self) -> "Step | None":
        """Return the step above this one in the chain, or None for the first."""
        return next(iter(self._required), None)

    def chain(self) -> "Iterator[Step]":
        """Yield this step and those above it, the first step of the chain last."""
        step: Step | None = self
        while step is not None:
            yield step
            step = step.upstream()

    def path_of(self, family: str) -> Path:
        """Return the folder of a step above this one, by its task's name."""
        return next(step for step in self.chain() if step.task_family == family).path()

    def own_settings(self) -> dict[str, Setting]:
        """Return the settings that this step declares and that can change bytes."""
        above = self.upstream()
        inherited = {name for name, _ in above.get_params()} if above else set()
        return {
            name: known.setting
            for name, known in self.get_params()
            if name not in inherited and isinstance(known, SettingParameter) and known.changes_bytes
        }

    def settings(self) -> dict[str, Any]:
        """Return the step's own settings with defaults filled in: what the digest covers."""
        values = {}
        for name, setting in self.own_settings().items():
            value = getattr(self, name)
            values[name] = setting.check(setting.default) if value is None else value
        return values

    def external_inputs(self) -> dict[str, Any]:
        """Return checksums of what comes from outside the graph."""
        return {}

    def checksum(self, path: Path) -> str:
        """Return the sha256 of a file from outside the graph, read once while it stays the same."""
        return artifacts.remembered_sha256(path, Path(paths().outputs) / ".sha256")

    def registry_rows(self) -> tuple[Any, ...]:
        """Return the rows of registries whose code `build` runs."""
        return ()

    def memory(self) -> Path:
        """Return the folder of what may be forgotten and is found out again."""
        return Path(paths().outputs) / ".cache"

    def digest(self) -> str:
        """Return what identifies the artifact: task, version, settings, and all above it."""
        digests = [step.digest() for step in self.required()]
        above, beside = digests[0] if digests else None, digests[1:]
        identity = {
            "task": self.task_family,
            "version": self.version,
            "settings": self.settings(),
            "outside": self.external_inputs(),
            "upstream": above,
            **({"beside": beside} if beside else {}),
            **({"code": code_changes.behind(self).fingerprint} if code_changes.decides() else {}),
        }
        return artifacts.digest(identity)

    def path(self) -> Path:
        """Return the artifact's folder."""
        outputs = Path(paths().outputs)
        return outputs / self.dataset / self.folder / f"{self.label}-{self.digest()}"

    def output(self) -> Artifact:
        """Return the artifact; its place is not known before everything above it is there."""
        is_known = all(step.complete() for step in self.required())
        return Artifact(self.path() if is_known else None)

    def complete(self) -> bool:
        """Say whether the artifact and everything above it is whole."""
        return all(step.complete() for step in self.required()) and artifacts.is_complete(
            self.path()
        )

    def run(self) -> None:
        """Build the artifact, unless it is whole already and only something above it was not."""
        place = self.path()
        progress.lead_to(self, url_of(place / self.page))
        if artifacts.is_complete(place):
            progress.tell(self, 1.0, "was there already")
            return
        with self.partial_folder() if self.resumes else contextlib.nullcontext() as partial:
            # Whole by now where another run did the same work and this one waited for it.
            if not artifacts.is_complete(self.path()):
                self._publish(partial)
        previews.write_readme(Path(paths().outputs))

    def partial_folder(self) -> contextlib.AbstractContextManager[Path]:
        """Open the folder of work that an interrupted run leaves to the next one.

        Only the same code, libraries, input and number of cores make the same bytes of the rest.
        """
        made_by = {
            "code": code_changes.behind(self).fingerprint,
            "libraries": library_versions(_installed()),
            "input": artifacts.digest([_files(step) for step in self.chain() if step is not self]),
            "cores": len(os.sched_getaffinity(0)),
        }
        return artifacts.partial_folder(Path(paths().outputs), self.digest(), made_by)

    def _publish(self, partial: Path | None) -> None:
        """Build the artifact and publish it."""
        place, digest = self.path(), self.digest()
        # Before Arrow is first imported. Its own allocator has large blocks zeroed again and again
        # by the kernel: of 1.6 million texts, grouping took 1.7 s beside 0.6 s.
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        logger.info("%s -> %s", self.task_family, place)
        progress.tell(self, 0.0, f"at work on {self.label}")
        code_changes.behind(self)  # now: an edit while it runs is not what runs

        def description() -> dict[str, Any]:
            # What was read while it changed must not be published under the name of what was.
            if self.digest() != digest:
                raise PipelineError(
                    f"a file that {self.task_family} is made from changed while it ran; its work "
                    "is thrown away. Run again once the file is at rest."
                )
            return self.description()

        with artifacts.publish(place, description) as out:
            out.partial = partial
            self.build(out)
            previews.write_heads(out.folder, self.main_table)
        progress.tell(self, 1.0, _what_it_did(artifacts.read_manifest(place) or {}))

    def description(self) -> dict[str, Any]:
        """Return what the manifest says of how the artifact was made."""
        references = [self._reference(step) for step in self.required()]
        above, beside = references[0] if references else None, references[1:]
        return {
            "task": self.task_family,
            "version": self.version,
            "digest": self.digest(),
            "settings": self.settings(),
            "outside": self.external_inputs(),
            "upstream": above,
            **({"beside": beside} if beside else {}),
            "code": self._code(),
            "libraries": library_versions(),
            "git_commit": git_commit(),
        }

    def _reference(self, step: "Step") -> dict[str, Any]:
        """Name a step that this one requires."""
        return {
            "task": step.task_family,
            "digest": step.digest(),
            "place": os.path.relpath(step.path(), self.path()),
        }

    def _code(self) -> dict[str, Any]:
        """Return the fingerprint of what `build` runs, part by part."""
        behind = code_changes.behind(self)
        return {
            "fingerprint": behind.fingerprint,
            "in_digest": code_changes.decides(),
            "parts": dict(behind.parts),
        }

    def __repr__(self) -> str:
        return short_name(self)


def url_of(place: Path) -> str:
    """Return the address of a file or folder among the artifacts, for a scheduler's page.

    It begins with ``[pipeline] address``, where a web server shows the outputs folder, and is a
    ``file:`` address without that.
    """
    base = code_changes.pipeline().address
    if not base:
        return place.resolve().as_uri()
    inside = os.path.relpath(place, paths().outputs)
    return f"{base.rstrip('/')}/{urllib.parse.quote(Path(inside).as_posix())}"


def _what_it_did(manifest: Mapping[str, Any]) -> str:
    """Say rows and seconds in a few words."""
    rows = manifest.get("rows_out")
    counted = f"{rows:,} rows in " if rows is not None else ""
    return f"{counted}{manifest.get('seconds', 0):.1f} s"


def short_name(task: luigi.Task) -> str:
    """Write a task with dataset, model, and those settings that differ from their defaults."""
    shown = []
    for name, known in task.get_params():
        value = getattr(task, name)
        if value is None or not known.significant:
            continue
        is_default = isinstance(known, SettingParameter) and value == known.setting.default
        if name in ("dataset", "model") or not is_default:
            shown.append(f"{name}={known.serialize(value)}")
    return f"{task.task_family}({', '.join(shown)})"


def _files(step: Step) -> dict[str, Any] | None:
    """Return size and sha256 of each file of a step's artifact."""
    manifest = artifacts.read_manifest(step.path())
    return manifest["files"] if manifest else None


def _loaded() -> Iterator[str]:
    """Yield the libraries that this process has loaded."""
    return (name for name in _LIBRARIES if _MODULES.get(name, name) in sys.modules)


def _installed() -> Iterator[str]:
    """Yield the libraries that a step could load."""
    return (name for name in _LIBRARIES if util.find_spec(_MODULES.get(name, name)))


def library_versions(names: Iterable[str] | None = None) -> dict[str, str]:
    """Return the versions of Python and of libraries, of those loaded if none are named."""
    names = _loaded() if names is None else names
    from importlib import metadata  # costs as much as all of the package's other imports

    return {"python": sys.version.split()[0], **{name: metadata.version(name) for name in names}}


@functools.cache
def git_commit() -> str | None:
    """Return the commit of the package's checkout, ``-dirty`` when changed, or None."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    folder = Path(__file__).parent
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None
