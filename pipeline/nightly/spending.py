"""How often holdout rows were used to decide, and what level of chance the next use gets.

Each comparison on the same holdout rows is another opportunity for a false promotion. The levels of
all comparisons on one set add up to at most 1 - confidence, however many nights follow. By
Bonferroni's inequality that also bounds the probability of any false promotion on the set.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.nightly.ledger import KEPT, PROMOTED, Entry

#: The level of the k-th comparison falls as 1 / k ** 1.3. A steeper sequence gives more to the
#: first nights and less to later ones: docs/nights-power.md has the probabilities of promotion.
EXPONENT = 1.3
_SUM = 3.9319492118  # of 1 / k ** 1.3 over all k: Riemann's zeta function at 1.3
_SKETCH = 64  # hashes kept of a set of rows
_SAME = 6  # common hashes from which two sets are one: about a tenth of the rows


def level(confidence: float, number: int) -> float:
    """Return the level of a comparison on holdout rows that were used before.

    Parameters
    ----------
    confidence : float
        1 minus the probability of any false promotion on one set of holdout rows.
    number : int
        1 for the first comparison on the set.

    Examples
    --------
    >>> [round(level(0.95, number), 5) for number in (1, 30)]
    [0.01272, 0.00015]
    """
    return (1 - confidence) / (_SUM * number**EXPONENT)


def sketch(texts: Iterable[str]) -> list[str]:
    """Return the smallest hashes of a set of texts, which tell later whether rows are in common.

    Rows may be added to a set by hand, and the set stays the same one: the share of smallest hashes
    that two sets have in common estimates the share of texts in common (Broder 1997, "On the
    resemblance and containment of documents").

    Parameters
    ----------
    texts : iterable of str
        Raw texts of the holdout rows.

    Returns
    -------
    list of str
        At most 64 hexadecimal hashes of 8 bytes, ascending.
    """
    encoded = (text.encode(errors="surrogatepass") for text in set(texts))
    return sorted(hashlib.blake2b(text, digest_size=8).hexdigest() for text in encoded)[:_SKETCH]


def comparisons(entries: Sequence[Entry], holdout: Sequence[str]) -> int:
    """Count the nights that compared a model with a champion on a set of holdout rows.

    A night that was decided again counts each time. Lines from before sketches were recorded count
    too: too high a number costs power, too low a number would promote falsely.

    Parameters
    ----------
    entries : sequence of Entry
        All lines of the ledger.
    holdout : sequence of str
        `sketch` of the set.
    """
    compared = (
        entry
        for entry in entries
        if entry.decision in (PROMOTED, KEPT) and entry.against is not None
    )
    return sum(_is_same(entry.metrics.get("holdout"), holdout) for entry in compared)


def _is_same(known: Any, holdout: Sequence[str]) -> bool:
    """Return whether two sketches are of one set, grown or not."""
    if known is None:
        return True
    return len(set(known) & set(holdout)) >= min(_SAME, len(known), len(holdout))
