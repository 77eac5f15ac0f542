"""The report's section on data: what went in."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.report import figures_data
from pipeline.report.coverage import Coverage
from pipeline.report.distinctive_words import WordCounts, function_words, placeholders
from pipeline.report.sources import Run
from pipeline.report.style import Figure

_Words = dict[str, list[tuple[str, float]]]

PARTS = ("train", "validation", "test")
_FREQUENT, _TELLING, _CLOUD, _SAMPLES = 15, 12, 60, 3
_MOST_CLASSES = 12  # with word lists and clouds of their own
_LONGEST_TEXT = 280  # characters of a text on the page


def section(run: Run, words: Coverage, figures: Path) -> dict[str, Any]:
    """Gather what the section shows, and draw its figures.

    Parameters
    ----------
    run : Run
    words : Coverage
    figures : Path
        Folder of the figures.

    Returns
    -------
    dict
    """
    names = run.class_names
    labels = run.parts.labels.astype(np.int64)
    counts = WordCounts.of(run.tokens, labels, len(names))
    steps = run.bundle["steps"]
    stands_in = placeholders(run.tokens.words, steps["CleanText"], steps["Tokenize"])
    function = function_words(steps["Tokenize"])
    stop_words = stands_in | function
    told = names[:_MOST_CLASSES]
    telling = {name: counts.telling(_TELLING, k, stands_in) for k, name in enumerate(told)}
    clouds = {name: counts.telling(_CLOUD, k, stop_words) for k, name in enumerate(told)}
    other = run.balance["rows"]
    return {
        "profile": run.profile,
        "records": run.profile["records"],
        "kept": run.profile["kept"],
        "set_aside": run.profile["set_aside"],
        "reasons": list(run.profile["reasons"].items()),
        "labelled": int((labels >= 0).sum()),
        "repeated_raw": _repeats(run.rows, "raw"),
        "repeated_clean": _repeats(run.rows, "clean"),
        "on_two_sides": run.balance["texts_on_two_sides"],
        "contradictions": [
            {**entry, "clean": cut(entry["clean"])} for entry in run.profile["contradictions"][:10]
        ],
        "parts": PARTS,
        "classes": [
            (name, [run.balance["classes"][part][name] for part in PARTS]) for name in names
        ],
        "unlabelled": other["unlabelled"],
        "excluded": other["excluded"],
        "frequent": [("all classes", counts.frequent(_FREQUENT, without=stop_words))]
        + [(name, counts.frequent(_FREQUENT, k, stop_words)) for k, name in enumerate(told)],
        "excluded_words": " and ".join(
            (["placeholders such as <user>"] if stands_in else [])
            + (["English function words"] if function else [])
        ),
        "has_placeholders": bool(stands_in),
        "coverage": words,
        "lengths": run.token_summary["length_percentiles"],
        "mean_length": run.token_summary["mean_length"],
        "diversity": _diversity(run, labels),
        "samples": _samples(run, labels),
        "figures": _figures(run, telling, clouds, figures),
    }


def cut(text: str) -> str:
    """Shorten a text for the page."""
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _repeats(rows: pa.Table, column: str) -> int:
    """Count labelled rows whose text a labelled row before them has."""
    texts = rows.filter(pc.is_valid(rows["label"]))[column]
    return len(texts) - pc.count_distinct(texts).as_py()


def _diversity(run: Run, labels: np.ndarray) -> list[tuple[str, float, float]]:
    """Return mean lexical diversity and mean length of each class' texts."""
    lengths = run.tokens.lengths
    found = []
    for index, name in enumerate(run.class_names):
        mine = labels == index
        if mine.any():
            diversity = float(np.nanmean(run.diversity[mine]))
            found.append((name, diversity, float(lengths[mine].mean())))
    return found


def _samples(run: Run, labels: np.ndarray) -> list[tuple[str, list[str]]]:
    """Draw a few texts of each class, the same ones for the same rows."""
    rng = np.random.default_rng(0)
    samples = []
    for index, name in enumerate(run.class_names):
        mine = np.flatnonzero(labels == index)
        drawn = np.sort(rng.choice(mine, min(_SAMPLES, len(mine)), replace=False))
        texts = run.rows["raw"].take(pa.array(drawn)).to_pylist()
        samples.append((name, [cut(text) for text in texts]))
    return samples


def _figures(run: Run, telling: _Words, clouds: _Words, folder: Path) -> dict[str, Any]:
    """Draw class sizes, lengths, telling words and word clouds."""
    names = run.class_names
    sizes, lengths, words = (
        folder / f"{name}.png" for name in ("class_sizes", "lengths", "telling_words")
    )
    counts = {part: [run.balance["classes"][part][name] for name in names] for part in PARTS}
    figures_data.class_sizes(names, counts, sizes)
    figures_data.lengths(run.tokens.lengths, run.vectors.get("sequence_length"), lengths)
    shown = {name: found for name, found in telling.items() if found}
    drawn: dict[str, Any] = {
        "sizes": Figure(sizes, "Bar chart: rows of each class, by part of the split"),
        "lengths": Figure(lengths, "Histogram: tokens in a text", "Tokens in a text, all rows."),
        "clouds": [],
    }
    if shown:
        figures_data.telling_words(shown, words)
        drawn["telling"] = Figure(
            words,
            "Words that tell each class from the others: "
            + "; ".join(f"{name}: {', '.join(w for w, _ in some)}" for name, some in shown.items()),
            "Log odds with an informative prior (Monroe et al. 2008), class against the rest.",
        )
    for number, (name, found) in enumerate(clouds.items()):
        if found:
            path = folder / f"word_cloud_{number + 1}.png"
            figures_data.word_cloud(dict(found), number, path)
            alt = f"Word cloud of {name}: {', '.join(word for word, _ in found[:10])}"
            drawn["clouds"].append(Figure(path, alt, name))
    return drawn
