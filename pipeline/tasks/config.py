"""Sections of luigi.cfg that all tasks share, and the URLs of artifacts."""

import os
import urllib.parse
from pathlib import Path

import luigi

from pipeline.settings.parameter import ChoiceParameter, TextParameter


class paths(luigi.Config):
    """Folders of raw files and of artifacts."""

    data = TextParameter(default="data", description="folder of raw files")
    outputs = TextParameter(default="outputs", description="folder of artifacts")


def set_option(section: str, name: str, value: str) -> None:
    """Set an option as if luigi.cfg had it; percent signs and ``${`` have no special meaning."""
    # Luigi replaces ${NAME} by variables of the environment, and has no other way to write $.
    os.environ["PIPELINE_DOLLAR"] = "$"
    value = value.replace("%", "%%").replace("${", "${PIPELINE_DOLLAR}{")
    luigi.configuration.get_config().set(section, name, value)


def data_folder() -> Path:
    """Return the folder of raw files."""
    return Path(str(paths().data))


def outputs_folder() -> Path:
    """Return the folder of artifacts."""
    return Path(str(paths().outputs))


def relative_to_outputs(path: Path) -> str:
    """Return a path relative to the folder of artifacts, with slashes."""
    return Path(os.path.relpath(path, outputs_folder())).as_posix()


class pipeline(luigi.Config):
    """Options of all steps."""

    code_changes = ChoiceParameter(
        choices=["warn", "rerun", "ignore"],
        default="warn",
        description="what to do if the code of an artifact has changed: warn and keep it, rerun "
        "(the hash of the code becomes part of the digest), or ignore",
    )
    address = TextParameter(
        default="none",
        description="URL of a web server that serves the outputs folder; the task pages of luigid "
        "link to it, or to files if it is none",
    )


def url_of(path: Path) -> str:
    """Return the URL of a path in the outputs folder, for pages and mails.

    It is a ``file:`` URL if ``[pipeline] address`` is none.
    """
    base: str = pipeline().address
    if base == "none":
        return path.resolve().as_uri()
    return f"{base.rstrip('/')}/{urllib.parse.quote(relative_to_outputs(path))}"
