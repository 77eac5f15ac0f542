"""The table of docs/nights-power.md, computed anew."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from pipeline.nightly.spending import level

PAGE = Path(__file__).parents[2] / "docs" / "nights-power.md"
_ROW = re.compile(r"^\| ([\d,]+) \| (\d+) \| (\d+) % \|(.+)\|$", re.MULTILINE)
ROWS = [match.groups() for match in _ROW.finditer(PAGE.read_text(encoding="utf-8"))]


def power(rows, gain, discordant, chance):
    """Return the probability that McNemar's exact one-sided test shows the gain."""
    found = 0.0
    low, high = binom.ppf([1e-6, 1 - 1e-6], rows, discordant).astype(int)
    for number in range(low, high + 1):
        won = np.arange(number + 2)
        least = won[binom.sf(won - 1, number, 0.5) <= chance][0]
        share = (discordant + gain) / 2 / discordant
        found += binom.pmf(number, rows, discordant) * binom.sf(least - 1, number, share)
    return found


@pytest.mark.parametrize(("rows", "gain", "discordant", "shares"), ROWS, ids=lambda one: str(one))
def test_row_of_the_table(rows, gain, discordant, shares):
    found = [
        power(int(rows.replace(",", "")), int(gain) / 100, int(discordant) / 100, level(0.95, k))
        for k in (1, 30, 365)
    ]
    written = [int(share.strip(" %")) for share in shares.split("|")]
    assert [round(100 * one) for one in found] == pytest.approx(written, abs=1)


def test_table_is_there():
    assert len(ROWS) == 24
