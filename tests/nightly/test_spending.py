"""Levels of comparisons on the same holdout rows, and the table of docs/nights-power.md."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import zeta
from scipy.stats import binom

from pipeline.nightly import spending
from pipeline.nightly.ledger import Champion, Entry

PAGE = Path(__file__).parents[2] / "docs" / "nights-power.md"
_ROW = re.compile(r"^\| ([\d,]+) \| (\d+) \| (\d+) % \|(.+)\|$", re.MULTILINE)
ROWS = [match.groups() for match in _ROW.finditer(PAGE.read_text(encoding="utf-8"))]


def test_levels_of_all_comparisons_add_up_to_the_allowed_probability():
    numbers = np.arange(1, 100_001).astype(float)
    spent = spending.level(0.95, numbers).sum()
    rest = 0.05 * zeta(1.3, 100_001) / zeta(1.3)
    assert spent < 0.05
    assert spent + rest == pytest.approx(0.05, rel=1e-9)


def entry(day, decision, against, **metrics):
    champion = Champion(day, "c", "p") if decision == "promoted" else None
    return Entry(day, decision, "", day, metrics=metrics, against=against, champion=champion)


def test_comparisons_on_the_same_rows_are_counted():
    texts = [f"text {number}" for number in range(500)]
    here, elsewhere = spending.sketch(texts), spending.sketch(text + "!" for text in texts)
    entries = [
        entry("2026-11-01", "promoted", None, holdout=here),  # without a champion
        entry("2026-11-02", "kept", "c", holdout=here),
        entry("2026-11-02", "kept", "c", holdout=here),  # decided again: counts again
        entry("2026-11-03", "unchanged", "c"),
        entry("2026-11-04", "drift_stop", "c"),
        entry("2026-11-05", "promoted", "c", holdout=here),
        entry("2026-11-06", "kept", "c", holdout=elsewhere),
        entry("2026-11-07", "kept", "c"),  # of a version without sketches
    ]
    assert spending.comparisons(entries, here) == 4
    assert spending.comparisons(entries, elsewhere) == 2
    grown = spending.sketch([*texts, *(f"more {number}" for number in range(1000))])
    assert spending.comparisons(entries, grown) == 4
    assert spending.comparisons([], here) == 0


def test_small_set_that_grew_remains_the_same_set():
    assert spending.sketch(["b", "a", "a"]) == spending.sketch(["a", "b"])
    entries = [entry("2026-11-02", "kept", "c", holdout=spending.sketch(["a", "b"]))]
    assert spending.comparisons(entries, spending.sketch(["a", "b", "c"])) == 1


def power(rows, gain, discordant, level):
    """Return the probability that McNemar's exact one-sided test detects the gain."""
    probability = 0.0
    low, high = binom.ppf([1e-6, 1 - 1e-6], rows, discordant).astype(int)
    for number in range(low, high + 1):
        won = np.arange(number + 2)
        least = won[binom.sf(won - 1, number, 0.5) <= level][0]
        share = (discordant + gain) / 2 / discordant
        probability += binom.pmf(number, rows, discordant) * binom.sf(least - 1, number, share)
    return probability


@pytest.mark.parametrize(("rows", "gain", "discordant", "shares"), ROWS, ids=str)
def test_row_of_the_power_table(rows, gain, discordant, shares):
    levels = [spending.level(0.95, number) for number in (1, 30, 365)]
    numbers = int(rows.replace(",", "")), int(gain) / 100, int(discordant) / 100
    powers = [100 * power(*numbers, level) for level in levels]
    documented = [int(share.strip(" %")) for share in shares.split("|")]
    assert [round(one) for one in powers] == pytest.approx(documented, abs=1)


def test_power_table_is_complete():
    assert len(ROWS) == 24
