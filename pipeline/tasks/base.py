"""The base class of the steps: settings, digest, path, and publishing of the artifact."""

import contextlib
import functools
import logging
import os
import time
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import luigi

from pipeline.errors import PipelineError, RawFileError
from pipeline.models import specs
from pipeline.settings.parameter import SettingParameter, check_options
from pipeline.settings.resolve import resolve
from pipeline.settings.resolved import Settings
from pipeline.settings.setting import Setting
from pipeline.store import files, previews, publishing
from pipeline.store.manifests import digest_of, is_complete, read_manifest
from pipeline.tasks import progress, provenance, step_log
from pipeline.tasks.config import outputs_folder, url_of
from pipeline.tasks.graph import once

logger = logging.getLogger("luigi-interface")


class Artifact(luigi.Target):
    """The folder of an artifact; ``path`` is None if raw files are missing to derive it."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def exists(self) -> bool:
        """Return whether the artifact is complete."""
        return self.path is not None and is_complete(self.path)

    def __str__(self) -> str:
        return str(self.path)


class Named(luigi.Task):
    """A task with settings, which luigid and mails show without its default values."""

    @classmethod
    @functools.cache
    def get_params(cls) -> list[tuple[str, Any]]:
        """Return names and parameters; cached per class, since Luigi asks hundreds of times."""
        parameters: list[tuple[str, Any]] = super().get_params()
        return parameters

    @classmethod
    def get_param_values(cls, *args: Any) -> list[tuple[str, Any]]:
        """Return names and values of the parameters; raise if an option is empty."""
        check_options()
        values: list[tuple[str, Any]] = super().get_param_values(*args)
        return values

    @classmethod
    def declared(cls) -> dict[str, Setting]:
        """Return the settings that can change bytes, also those of the steps above, by name."""
        return {
            name: parameter.setting
            for name, parameter in cls.get_params()
            if isinstance(parameter, SettingParameter) and parameter.changes_bytes
        }

    def user_values(self) -> dict[str, Any]:
        """Return the values of the user by name; None without one."""
        return {name: getattr(self, name) for name in self.declared()}

    def resolved(self) -> Settings:
        """Return the values of all `declared` settings, defaults of model and preset filled in."""
        declared = self.declared()
        return (specs.resolve if "model" in declared else resolve)(self.user_values(), declared)

    def value(self, name: str) -> Any:
        """Return the value of one setting, or its default if the user gave none."""
        setting: Setting = dict(self.get_params())[name].setting
        return resolve({name: getattr(self, name)}, {name: setting})[name]

    def to_str_params(
        self, only_significant: bool = False, only_public: bool = False
    ) -> dict[str, str]:
        """Return parameters as text: all if they identify the task, else those of the user."""
        texts: dict[str, str] = super().to_str_params(only_significant, only_public)
        if only_significant:
            return texts
        parameters = dict(self.get_params())
        return {
            name: text
            for name, text in texts.items()
            if text or parameters[name].task_value(self.task_family, name) is not None
        }

    def last_step(self) -> "Step | None":
        """Return the last step of the chain that the task runs, None without one."""
        return None

    def on_failure(self, exception: BaseException) -> str:
        """Return the text for luigid and mails: the message of a user error, else a traceback."""
        if isinstance(exception, PipelineError):
            return f"{exception.code}: {exception}"
        text: str = super().on_failure(exception)
        return text

    def __repr__(self) -> str:
        shown = []
        for name, parameter in self.get_params():
            value = getattr(self, name)
            if value is None or not parameter.significant:
                continue
            is_setting = isinstance(parameter, SettingParameter)
            is_default = is_setting and value == parameter.setting.default
            if name in ("dataset", "model") or not is_default:
                shown.append(f"{name}={parameter.serialize(value)}")
        return f"{self.task_family}({', '.join(shown)})"


class Step(Named):
    """A step of the chain: it reads the artifacts above it and writes one artifact.

    A step declares its own parameters, ``folder``, `label` and `build`. ``@requires`` adds the
    parameters of the step above.
    """

    version = 1  # increased when the same settings produce different bytes
    folder = ""  # in the outputs folder of the dataset
    resumes = False  # whether the next run continues the work of an interrupted run
    main_table = ""  # the Parquet table of head.csv, if the artifact has several
    page = ""  # the file that the task's page in luigid links to; empty: the folder
    dataset: str
    _progress: progress.TaskProgress | None = None

    @property
    def place(self) -> str:
        """What a line of the log begins with if the step belongs to no known run."""
        return f"[{self.folder[0]}/8]"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.dataset is None:  # a step that is run by itself, without --dataset
            self.dataset = self.value("dataset")

    @property
    def label(self) -> str:
        """Readable part of the name of the artifact's folder; by default that of the step above."""
        return self.required[0].label

    @abstractmethod
    def build(self, out: publishing.Workspace) -> None:
        """Do the work and write the files of the artifact."""

    @abstractmethod
    def summary(self) -> str:
        """Describe the complete artifact in a few words, for the log."""

    def fetch(self) -> None:
        """Get missing input files."""

    def show_progress(self, share: float, text: str) -> None:
        """Show the share of the work that is done, 0 to 1, and the current activity."""
        if self._progress is not None:
            self._progress(share, text)

    def last_step(self) -> "Step":
        """Return the step itself."""
        return self

    @functools.cached_property
    def required(self) -> "list[Step]":
        """The steps that this one requires, the one above it in the chain first."""
        return [step for step in luigi.task.flatten(self.requires()) if isinstance(step, Step)]

    def upstream(self) -> "Step | None":
        """Return the step above this one in the chain; None for the first."""
        return next(iter(self.required), None)

    def chain(self) -> "Iterator[Step]":
        """Yield this step and those above it, the first step of the chain last."""
        step: Step | None = self
        while step is not None:
            yield step
            step = step.upstream()

    def path_of(self, family: str) -> Path:
        """Return the folder of a step above this one, by the name of its task."""
        return next(step for step in self.chain() if step.task_family == family).path()

    def folders(self) -> dict[str, Path]:
        """Return the folders of this step and of those above it, by the name of the task."""
        return {step.task_family: step.path() for step in self.chain()}

    def settings(self) -> Settings:
        """Return the settings of this step alone, with defaults: they are part of the digest."""
        above = self.upstream()
        inherited = dict(above.get_params()) if above else {}
        declared = {name: s for name, s in self.declared().items() if name not in inherited}
        return resolve(self.user_values(), declared)

    def external_inputs(self) -> dict[str, str]:
        """Return the sha256 of each input file that no step wrote; part of the digest."""
        return {}

    def check_inputs(self) -> None:
        """Raise if files or packages that the settings require are missing."""

    def checksum(self, path: Path) -> str:
        """Return the sha256 of an input file, cached until the file changes."""
        return files.remembered_sha256(path, outputs_folder() / ".sha256")

    def code_specs(self) -> tuple[Any, ...]:
        """Return the models and representations whose code `build` runs."""
        return ()

    @once
    def digest(self) -> str:
        """Return the digest: it covers task, version, settings, and everything above."""
        return digest_of(
            self.task_family,
            self.version,
            self.settings(),
            self.external_inputs(),
            [step.digest() for step in self.required],
            provenance.code_of(self).fingerprint if provenance.code_in_digest() else None,
        )

    @once
    def path(self) -> Path:
        """Return the folder of the artifact."""
        outputs = outputs_folder()
        return outputs / self.dataset / self.folder / f"{self.label}-{self.digest()}"

    def output(self) -> Artifact:
        """Return the artifact; its path is None until everything above it is complete."""
        return Artifact(self.path() if self._is_ready() else None)

    @once
    def complete(self) -> bool:
        """Return whether the artifact and everything above it is complete."""
        return self._is_ready() and is_complete(self.path())

    def _is_ready(self) -> bool:
        return all(step.complete() for step in self.required)

    def run(self) -> None:
        """Build the artifact, unless it exists and only a step above it was missing."""
        started = time.monotonic()
        try:
            with progress.TaskProgress(self) as self._progress:
                is_new = self._build_if_missing()
        except Exception as error:
            step_log.failed(self, started, error)
            raise
        finally:
            self._progress = None
        step_log.finished(self, started, step_log.COMPUTED if is_new else step_log.REUSED)

    def _build_if_missing(self) -> bool:
        """Build and publish the artifact; return whether it was missing."""
        self.fetch()
        path = self.path()
        progress.set_link(self, url_of(path / self.page))
        if is_complete(path):
            progress.set_status(self, 1.0, "exists already")
            return False
        with self.partial_folder() if self.resumes else contextlib.nullcontext() as partial:
            # Another run of the same work may have finished while this one waited for the folder.
            is_missing = not is_complete(self.path())
            if is_missing:
                self._publish(partial)
        previews.write_readme(outputs_folder())
        return is_missing

    def partial_folder(self) -> contextlib.AbstractContextManager[Path]:
        """Open the folder of interrupted work.

        It is emptied if code, libraries, inputs or the number of cores changed, because the rest
        would then get other bytes.
        """
        return publishing.partial_folder(outputs_folder(), self.digest(), self._made_by())

    def saved_work(self) -> tuple[str, float]:
        """Return how far an interrupted run came, such as ``epoch 2 of 5``, and the share done.

        The text is empty where the next run starts from the beginning.
        """
        return "", 0.0

    def _saved_folder(self) -> Path | None:
        """Return the folder of interrupted work that `partial_folder` would keep, if any."""
        return publishing.saved_folder(outputs_folder(), self.digest(), self._made_by())

    def _made_by(self) -> dict[str, Any]:
        """Return what interrupted work depends on besides the digest."""
        manifests = (read_manifest(step.path()) for step in self.chain() if step != self)
        return {
            "code": provenance.code_of(self).fingerprint,
            "libraries": provenance.library_versions(loaded_only=False),
            "input": files.digest([m["files"] if m else None for m in manifests]),
            "cores": len(os.sched_getaffinity(0)),
        }

    def _publish(self, partial: Path | None) -> None:
        """Build the artifact and publish it."""
        path, digest = self.path(), self.digest()
        # Set before Arrow is imported: with its own allocator the kernel zeroes large blocks again
        # and again. Grouping 1.6 million texts took 1.7 s instead of 0.6 s.
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        logger.debug("%s -> %s", self.task_family, path)
        progress.set_status(self, 0.0, f"building {self.label}")
        provenance.code_of(self)  # read now, so that an edit during the run is not recorded

        def description() -> dict[str, Any]:
            if self.digest() != digest:
                raise RawFileError(
                    f"an input file of {self.task_family} changed while it ran, so its result is "
                    "discarded; run again when the file no longer changes."
                )
            return self.description()

        with publishing.publish(path, description) as out:
            out.partial = partial
            self.build(out)
            previews.write_heads(out.folder, self.main_table)
        manifest = read_manifest(path) or {}
        rows = f"{manifest['rows_out']:,} rows in " if manifest.get("rows_out") is not None else ""
        progress.set_status(self, 1.0, f"{rows}{manifest.get('seconds', 0):.1f} s")

    def description(self) -> dict[str, Any]:
        """Return what the manifest records about the provenance of the artifact."""
        references = [
            {
                "task": step.task_family,
                "digest": step.digest(),
                "place": os.path.relpath(step.path(), self.path()),
            }
            for step in self.required
        ]
        code = provenance.code_of(self)
        return {
            "task": self.task_family,
            "version": self.version,
            "digest": self.digest(),
            "settings": dict(self.settings()),
            "outside": self.external_inputs(),
            "upstream": references[0] if references else None,
            **({"beside": references[1:]} if references[1:] else {}),
            "code": {
                "fingerprint": code.fingerprint,
                "in_digest": provenance.code_in_digest(),
                "parts": dict(code.parts),
            },
            "libraries": provenance.library_versions(),
            "git_commit": provenance.git_commit(),
        }
