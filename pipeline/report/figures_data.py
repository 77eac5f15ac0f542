"""Figures of the section on data."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.report.sources import Run
from pipeline.report.style import COLOURS, FONT, SOFT, Figure, drawing, shown

Words = Mapping[str, Sequence[tuple[str, float]]]
_HATCHES = ("", "///", "...")
_CLOUD_SIZE = {"width": 560, "height": 300}  # pixels before scaling


def draw(
    run: Run, counts: Mapping[str, Sequence[int]], distinctive: Words, clouds: Words, folder: Path
) -> dict[str, Any]:
    """Draw class sizes, lengths, distinctive words and word clouds.

    Parameters
    ----------
    run : Run
    counts : mapping of str to sequence of int
        Rows of each class, by part.
    distinctive, clouds : mapping of str to sequence of (str, float)
        Words and z-scores of each class, the largest first, for one figure and for word clouds.
    folder : Path

    Returns
    -------
    dict
        ``sizes``, ``lengths`` and ``distinctive`` (absent without such words): `Figure`;
        ``clouds``: list of `Figure`.
    """
    distinctive = {name: words for name, words in distinctive.items() if words}
    sequence_length = run.vectors.get("sequence_length")
    figures: dict[str, Any] = {
        "sizes": _class_sizes(run.class_names, counts, folder),
        "lengths": _lengths(run.tokens.lengths, sequence_length, folder),
        "clouds": [
            _word_cloud(name, words, number, folder)
            for number, (name, words) in enumerate(clouds.items())
            if words
        ],
    }
    if distinctive:
        figures["distinctive"] = _distinctive_words(distinctive, folder)
    return figures


def _lengths(counts: np.ndarray, sequence_length: int | None, folder: Path) -> Figure:
    """Draw a histogram of tokens in a text, with the sequence length."""
    top = max(int(np.percentile(counts, 99.8)), sequence_length or 1) + 1
    step = max(-(-top // 60), 1)
    edges = np.arange(0, top + step + 1, step) - 0.5
    path = folder / "lengths.png"
    with drawing(path) as axis:
        axis.hist(np.minimum(counts, top), bins=edges, color=COLOURS[0], edgecolor="white", lw=0.4)
        if sequence_length:
            longer = np.mean(counts > sequence_length)
            label = f"sequence length {sequence_length}; {longer:.1%} of the texts are longer"
            axis.axvline(sequence_length + 0.5, color=COLOURS[1], ls="--", label=label)
            axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1))
        axis.set_xlabel("tokens in a text")
        axis.set_ylabel("texts")
        axis.grid(axis="x", visible=False)
    return Figure(path, "Histogram: tokens in a text", "Tokens in a text, all rows.")


def _class_sizes(names: Sequence[str], counts: Mapping[str, Sequence[int]], folder: Path) -> Figure:
    """Draw the rows of each class in each part."""
    path = folder / "class_sizes.png"
    with drawing(path, figsize=(5.6, 1.3 + 0.5 * len(names))) as axis:
        left = np.zeros(len(names))
        for (part, rows), colour, hatch in zip(counts.items(), COLOURS, _HATCHES, strict=False):
            look = {"color": colour, "hatch": hatch, "edgecolor": "white"}
            axis.barh(range(len(names)), rows, left=left, label=part, **look)
            left += rows
        top = left.max()
        for row, total in enumerate(left):
            axis.text(total + 0.01 * top, row, f"{total:,.0f}", va="center", color=SOFT)
        axis.set_xlim(0, 1.13 * top)
        axis.set_yticks(range(len(names)), [shown(name) for name in names])
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
        axis.set_xlabel("rows")
        axis.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    return Figure(path, "Bar chart: rows of each class, by part of the split")


def _distinctive_words(words: Words, folder: Path) -> Figure:
    """Draw z-scores of the distinctive words, one panel for each class."""
    columns = min(len(words), 2)
    rows = -(-len(words) // columns)
    longest = max(map(len, words.values()))
    size = (5.6, rows * (0.7 + 0.21 * longest))
    path = folder / "telling_words.png"
    with drawing(path, nrows=rows, ncols=columns, figsize=size, squeeze=False) as axes:
        for number, (axis, (name, pairs)) in enumerate(zip(axes.flat, words.items(), strict=False)):
            values, colour = [value for _, value in pairs], COLOURS[number % len(COLOURS)]
            axis.hlines(range(len(pairs)), 0, values, color=colour, ls="-")
            axis.plot(values, range(len(pairs)), "o", color=colour, ms=4)
            axis.set_yticks(range(len(pairs)), [shown(word, 18) for word, _ in pairs])
            axis.invert_yaxis()
            axis.set_xlim(left=0)
            axis.set_title(shown(name))
            axis.grid(axis="y", visible=False)
        for axis in axes[-1]:
            axis.set_xlabel("z-score of the log odds")
        for axis in list(axes.flat)[len(words) :]:
            axis.set_visible(False)
    lists = (f"{name}: {', '.join(word for word, _ in pairs)}" for name, pairs in words.items())
    return Figure(
        path,
        f"Distinctive words of each class: {'; '.join(lists)}",
        "Distinctive words: log odds with an informative prior (Monroe et al. 2008) of each class "
        "against the other classes.",
    )


def _word_cloud(name: str, words: Sequence[tuple[str, float]], number: int, folder: Path) -> Figure:
    """Draw the distinctive words of a class as a cloud."""
    from matplotlib.font_manager import findfont
    from wordcloud import WordCloud

    path = folder / f"word_cloud_{number + 1}.png"
    colour = COLOURS[number % len(COLOURS)]
    cloud = WordCloud(
        **_CLOUD_SIZE,
        scale=1.5,
        background_color="white",
        prefer_horizontal=1.0,
        color_func=lambda *_, **__: colour,
        random_state=0,
        font_path=findfont(FONT),
    )
    cloud.generate_from_frequencies(dict(words)).to_image().quantize(32).save(path)
    return Figure(path, f"Word cloud of {name}: {', '.join(word for word, _ in words[:10])}", name)
