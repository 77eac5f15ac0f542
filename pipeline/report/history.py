"""The history of a dataset's nights as one page that opens offline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_history(
    dataset: str,
    entries: Sequence[Mapping[str, Any]],
    nights: Sequence[Mapping[str, Any]],
    page: Path,
    unreadable: Sequence[tuple[int, str]] = (),
) -> None:
    """Write the page, replaced as a whole.

    Parameters
    ----------
    dataset : str
    entries : sequence of mapping
        Lines of the ledger (`pipeline.nightly.ledger.Entry.as_json`).
    nights : sequence of mapping
        What is there of records (`pipeline.nightly.night.Night.as_json`), in any order; a night
        of the ledger without one is shown with what the ledger says.
    page : Path
        ``outputs/history/<dataset>.html``; links to reports go from there to ``../<report>``.
    unreadable : sequence of (int, str)
        Lines of the ledger that are none.
    """
    raise NotImplementedError
