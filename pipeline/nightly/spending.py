"""Alpha spending: the significance level of each comparison on one set of holdout rows.

Each comparison on the same rows is another opportunity for a false promotion. The levels of all
comparisons on one set add up to at most 1 - confidence, however many nights follow. By Bonferroni's
inequality this bounds the probability of any false promotion on the set (for sequences of tests see
Foster and Stine 2008, "Alpha-investing").
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.nightly.ledger import KEPT, PROMOTED, Entry

# The level of comparison k falls as 1 / k ** 1.3. A steeper sequence gives more to the first nights
# and less to later ones; docs/nights-power.md lists the probabilities of promotion.
_EXPONENT = 1.3
_ZETA = 3.9319492118  # sum of 1 / k ** 1.3 over all k, Riemann's zeta function at 1.3
_SKETCH = 64  # hashes of a set of rows
_COMMON = 6  # common hashes of two sketches of one set: about a tenth of the rows


def level(confidence: float, number: int) -> float:
    """Return the significance level of a comparison; ``number`` is 1 for the first on the set.

    Examples
    --------
    >>> [round(level(0.95, number), 5) for number in (1, 30)]
    [0.01272, 0.00015]
    """
    return (1 - confidence) / (_ZETA * number**_EXPONENT)


def sketch(texts: Iterable[str]) -> list[str]:
    """Return the 64 smallest hashes of a set of texts, which identify the set when it has grown.

    The share of smallest hashes that two sets have in common estimates the share of common texts
    (Broder 1997, "On the resemblance and containment of documents"). A set to which rows were added
    by hand remains the same set.

    Examples
    --------
    >>> sketch(["good", "good"])
    ['07878fd8745bb530']
    """
    encoded = (text.encode(errors="surrogatepass") for text in set(texts))
    return sorted(hashlib.blake2b(text, digest_size=8).hexdigest() for text in encoded)[:_SKETCH]


def comparisons(entries: Sequence[Entry], holdout: Sequence[str]) -> int:
    """Count the nights that compared a model with a champion on the set of a `sketch`.

    A night that was decided again counts each time. Lines without a sketch, from earlier versions,
    count too: a number that is too high costs power, one that is too low promotes falsely.
    """
    return sum(
        entry.decision in (PROMOTED, KEPT)
        and entry.against is not None
        and _is_same(entry.metrics.get("holdout"), holdout)
        for entry in entries
    )


def _is_same(earlier: Any, holdout: Sequence[str]) -> bool:
    """Return whether two sketches are of one set, to which rows may have been added."""
    if earlier is None:
        return True
    return len(set(earlier) & set(holdout)) >= min(_COMMON, len(earlier), len(holdout))
