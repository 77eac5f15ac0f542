"""What the registries need to stay: the champions in place, and those that a rollback goes to."""

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.nightly import ledger
from pipeline.nightly.ledger import Champion
from pipeline.store.artifacts import MANIFEST
from pipeline.store.outputs import Store

#: Below a dataset's folder: the records of its nights, which nothing is made from.
NIGHTS = "nights"


def kept(store: Store, older: int | None = None) -> list[tuple[str, Champion]]:
    """List the champions that are kept, with their datasets.

    Parameters
    ----------
    store : Store
    older : int or None
        How many of each dataset to keep besides the one in place, the latest first; all when left
        out.
    """
    found = []
    for folder in _registries(store):
        known = ledger.read(folder).champions()
        known = known[: None if older is None else older + 1]
        try:
            named = ledger.champion(folder)
        except PipelineError:  # the ledger says it too
            named = None
        if named is not None and named not in known:
            known.insert(0, named)
        found += [(folder.name, champion) for champion in known]
    return found


def digests(store: Store, older: int | None = None) -> set[str]:
    """Return the digests of kept champions and of the reports on them."""
    champions = {(dataset, champion.digest) for dataset, champion in kept(store, older)}
    found = {digest for _, digest in champions}
    for folder in _registries(store):
        for entry in ledger.read(folder).changes:
            if entry.champion and (folder.name, entry.champion.digest) in champions:
                found.update(entry.digests.values())
    return found


def needs(store: Store, older: int | None = None) -> dict[Path, str]:
    """Return every folder that a kept champion is made of, and which champion that is."""
    found: dict[Path, str] = {}
    for dataset, champion in kept(store, older):
        artifact = store.artifact(store.outputs / champion.path)
        for item in store.lineage(artifact) if artifact else ():
            found.setdefault(item.place, f"{dataset} of {champion.date}")
    return found


def refuse(store: Store, places: list[Path]) -> None:
    """Raise where a champion would lose what it is made of.

    Raises
    ------
    PipelineError
        With the folder and the champion.
    """
    needed = needs(store)
    for place in places:
        if place in needed:
            raise PipelineError(
                f"{store.short(place)} cannot be deleted: the champion {needed[place]} is made of "
                "it, and Rollback may go back there; pipeline gc --champions N lets go of older "
                "champions."
            )


def is_night(place: Path) -> bool:
    """Say whether a folder is the record of a night."""
    return place.parent.name == NIGHTS and (place / MANIFEST).is_file()


def _registries(store: Store) -> Iterator[Path]:
    """Yield the folders of registries."""
    root = store.outputs / "registry"
    if root.is_dir():
        for name in sorted(os.listdir(root)):
            if (root / name).is_dir():
                yield root / name
