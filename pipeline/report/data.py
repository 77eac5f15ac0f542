"""The section on data: rows, classes, words and samples."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.report import figures_data
from pipeline.report.coverage import Coverage
from pipeline.report.distinctive_words import WordCounts, function_words, placeholders
from pipeline.report.sources import Run

_PARTS = ("train", "validation", "test")
_FREQUENT, _DISTINCTIVE, _IN_CLOUD = 15, 12, 60  # words
_SAMPLES, _CONTRADICTIONS = 3, 10  # texts
_MOST_CLASSES = 12  # classes with their own word lists and clouds
_LONGEST_TEXT = 280  # characters of a text on the page


def section(
    run: Run, coverage: Coverage, folder: Path, word_clouds: bool = False
) -> dict[str, Any]:
    """Return the content of the section, and draw its figures into a folder."""
    names, classes = run.class_names, run.balance["classes"]
    labels = run.parts.labels.astype(np.int64)
    counts = {part: [classes[part][name] for name in names] for part in _PARTS}
    words, distinctive, clouds = _words(run, labels)
    clouds = clouds if word_clouds else {}
    figures_data.draw(run, counts, distinctive, clouds, folder)
    return {
        "labelled": int((labels >= 0).sum()),
        "repeated_raw": _repeats(run.rows, "raw"),
        "repeated_clean": _repeats(run.rows, "clean"),
        "contradictions": [
            {**entry, "clean": truncate(entry["clean"])}
            for entry in run.profile["contradictions"][:_CONTRADICTIONS]
        ],
        "parts": _PARTS,
        "classes": list(zip(names, zip(*counts.values(), strict=True), strict=True)),
        **words,
        "coverage": coverage,
        "diversity": _diversity(run, labels),
        "samples": _samples(run, labels),
        "distinctive": distinctive,
        "clouds": clouds,
    }


def truncate(text: str) -> str:
    """Shorten a text for the page.

    Examples
    --------
    >>> len(truncate("a" * 1000))
    280
    """
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def sample(candidates: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw some of the candidates without replacement, in ascending order.

    Examples
    --------
    >>> sample(np.array([6, 4, 5]), 10, np.random.default_rng(0)).tolist()
    [4, 5, 6]
    """
    return np.sort(rng.choice(candidates, min(size, len(candidates)), replace=False))


def _words(
    run: Run, labels: np.ndarray
) -> tuple[dict[str, Any], figures_data.Words, figures_data.Words]:
    """Return lists of frequent words, then the distinctive words for figure and word clouds."""
    names, steps = run.class_names[:_MOST_CLASSES], run.bundle["steps"]
    counts = WordCounts.of(run.tokens, labels, len(run.class_names))
    marks = placeholders(run.tokens.words, steps["CleanText"], steps["Tokenize"])
    function = function_words(steps["Tokenize"])
    excluded = marks | function
    kinds = {"placeholders such as <user>": marks, "English function words": function}
    content = {
        "frequent": [
            ("all classes", counts.frequent(_FREQUENT, without=excluded)),
            *((name, counts.frequent(_FREQUENT, k, excluded)) for k, name in enumerate(names)),
        ],
        "excluded_words": " and ".join(kind for kind, words in kinds.items() if words),
        "has_placeholders": bool(marks),
    }
    distinctive, clouds = (
        {
            name: words
            for k, name in enumerate(names)
            if (words := counts.distinctive(n_words, k, without))
        }
        for n_words, without in ((_DISTINCTIVE, marks), (_IN_CLOUD, excluded))
    )
    return content, distinctive, clouds


def _repeats(rows: pa.Table, column: str) -> int:
    """Count labelled rows with the text of an earlier labelled row."""
    texts = rows.filter(pc.is_valid(rows["label"]))[column]
    return len(texts) - pc.count_distinct(texts).as_py()


def _diversity(run: Run, labels: np.ndarray) -> dict[str, tuple[float, float]]:
    """Return mean lexical diversity and mean length of the texts of each class with rows."""
    lengths, diversity = run.tokens.lengths, run.diversity
    is_of_class = {name: labels == index for index, name in enumerate(run.class_names)}
    return {
        name: (float(np.nanmean(diversity[rows])), float(lengths[rows].mean()))
        for name, rows in is_of_class.items()
        if rows.any()
    }


def _samples(run: Run, labels: np.ndarray) -> list[tuple[str, list[str]]]:
    """Return a few texts of each class."""
    samples, rng = [], np.random.default_rng(0)
    for index, name in enumerate(run.class_names):
        drawn = sample(np.flatnonzero(labels == index), _SAMPLES, rng)
        texts = run.rows["raw"].take(pa.array(drawn)).to_pylist()
        samples.append((name, [truncate(text) for text in texts]))
    return samples
