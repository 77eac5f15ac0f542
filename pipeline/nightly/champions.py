"""The artifacts that the champions of all registries are made from."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import RegistryError, StorageError
from pipeline.nightly import ledger
from pipeline.nightly.ledger import Champion
from pipeline.store.manifests import MANIFEST
from pipeline.store.outputs import Store

#: Folders below a dataset's: records of its nights, and results of their gates. No run needs them.
NIGHTS, GATES = "nights", "gates"


def kept(store: Store, older: int | None = None) -> list[tuple[str, Champion]]:
    """Return the champions to keep, each with its dataset.

    Besides the present champion these are the ``older`` latest ones of each dataset, or all.
    """
    result = []
    for folder in _registries(store):
        champions = ledger.read(folder).champions()[: None if older is None else older + 1]
        try:
            pointed = ledger.champion(folder)
        except RegistryError:  # the ledger names the champion too
            pointed = None
        if pointed is not None and pointed not in champions:
            champions.insert(0, pointed)
        result += [(folder.name, champion) for champion in champions]
    return result


def digests(store: Store, older: int | None = None) -> set[str]:
    """Return the digests of the champions to keep and of their reports."""
    champions = {(dataset, champion.digest) for dataset, champion in kept(store, older)}
    result = {digest for _, digest in champions}
    for folder in _registries(store):
        for entry in ledger.read(folder).changes:
            if entry.champion and (folder.name, entry.champion.digest) in champions:
                result.update(entry.digests.values())
    return result


def needs(store: Store, older: int | None = None) -> dict[Path, str]:
    """Return the folders that the champions to keep are made from, each with its champion."""
    result: dict[Path, str] = {}
    for dataset, champion in kept(store, older):
        artifact = store.artifact(store.outputs / champion.path)
        for item in store.lineage(artifact) if artifact else ():
            result.setdefault(item.path, f"{dataset} of {champion.date}")
    return result


def refuse(store: Store, folders: list[Path]) -> None:
    """Raise StorageError if a champion is made from one of the folders."""
    needed = needs(store)
    for folder in folders:
        if folder in needed:
            raise StorageError(
                f"{store.short(folder)} cannot be deleted: the champion {needed[folder]} is made "
                "from it, and Rollback may go back there; pipeline gc --champions N deletes older "
                "champions."
            )


def is_night(folder: Path) -> bool:
    """Return whether a folder is the record of a night."""
    return folder.parent.name == NIGHTS and (folder / MANIFEST).is_file()


def is_gate(folder: Path) -> bool:
    """Return whether a folder is the result of a gate of a night."""
    return folder.parent.name == GATES


def _registries(store: Store) -> Iterator[Path]:
    """Yield the folders of registries."""
    root = store.outputs / "registry"
    if root.is_dir():
        yield from (path for path in sorted(root.iterdir()) if path.is_dir())
