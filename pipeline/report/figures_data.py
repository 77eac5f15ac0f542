"""Figures about the data."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.report.style import COLOURS, SOFT, drawing, shown

_CLOUD_SIZE = (560, 300)  # pixels before scaling
_CLOUD_WORDS = 60


def lengths(counts: np.ndarray, sequence_length: int | None, path: Path) -> None:
    """Draw how many texts have how many tokens, the sequence length marked.

    Parameters
    ----------
    counts : ndarray of int, shape (n_texts,)
        Tokens of each text.
    sequence_length : int or None
        The length that texts are padded or cut to.
    path : Path
        Where the PNG goes.
    """
    top = max(int(np.percentile(counts, 99.8)), sequence_length or 1) + 1
    step = max(-(-top // 60), 1)
    edges = np.arange(0, top + step + 1, step) - 0.5
    with drawing(path) as axis:
        axis.hist(np.minimum(counts, top), bins=edges, color=COLOURS[0], edgecolor="white", lw=0.4)
        if sequence_length:
            cut = np.mean(counts > sequence_length)
            label = f"sequence length {sequence_length}; {cut:.1%} of the texts are longer"
            axis.axvline(sequence_length + 0.5, color=COLOURS[1], ls="--", label=label)
            axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1))
        axis.set_xlabel("tokens in a text")
        axis.set_ylabel("texts")
        axis.grid(axis="x", visible=False)


def class_sizes(names: Sequence[str], counts: Mapping[str, Sequence[int]], path: Path) -> None:
    """Draw the rows of each class in each part.

    Parameters
    ----------
    names : sequence of str
        Classes.
    counts : mapping of str to sequence of int
        Rows of each class, by part.
    path : Path
        Where the PNG goes.
    """
    with drawing(path, figsize=(5.6, 1.3 + 0.5 * len(names))) as axis:
        left = np.zeros(len(names))
        for number, (part, rows) in enumerate(counts.items()):
            axis.barh(
                range(len(names)),
                rows,
                left=left,
                color=COLOURS[number],
                edgecolor="white",
                hatch=("", "///", "...")[number % 3],
                label=part,
            )
            left += rows
        top = left.max()
        for place, total in enumerate(left):
            axis.text(total + 0.01 * top, place, f"{total:,.0f}", va="center", color=SOFT)
        axis.set_xlim(0, 1.13 * top)
        axis.set_yticks(range(len(names)), [shown(name) for name in names])
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
        axis.set_xlabel("rows")
        axis.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))


def telling_words(words: Mapping[str, Sequence[tuple[str, float]]], path: Path) -> None:
    """Draw the words that tell each class from the others.

    Parameters
    ----------
    words : mapping of str to sequence of (str, float)
        Words and z-scores of each class, the largest first.
    path : Path
        Where the PNG goes.
    """
    columns = min(len(words), 2)
    rows = -(-len(words) // columns)
    longest = max((len(found) for found in words.values()), default=0)
    size = (5.6, rows * (0.7 + 0.21 * longest))
    with drawing(path, nrows=rows, ncols=columns, figsize=size, squeeze=False) as axes:
        for axis, (name, found), number in zip(
            axes.flat, words.items(), range(len(words)), strict=False
        ):
            values = [value for _, value in found]
            axis.hlines(range(len(found)), 0, values, color=COLOURS[number % 7], ls="-")
            axis.plot(values, range(len(found)), "o", color=COLOURS[number % 7], ms=4)
            axis.set_yticks(range(len(found)), [shown(word, 18) for word, _ in found])
            axis.invert_yaxis()
            axis.set_xlim(left=0)
            axis.set_title(shown(name))
            axis.grid(axis="y", visible=False)
        for axis in axes[-1]:
            axis.set_xlabel("z-score of the log odds")
        for axis in list(axes.flat)[len(words) :]:
            axis.set_visible(False)


def word_cloud(weights: Mapping[str, float], number: int, path: Path) -> None:
    """Draw the words that are typical of a class, larger where more typical.

    Parameters
    ----------
    weights : mapping of str to float
        Above 0.
    number : int
        Of the class, for its colour.
    path : Path
        Where the PNG goes.
    """
    from wordcloud import WordCloud

    def colour(*_: Any, **__: Any) -> str:
        return COLOURS[number % len(COLOURS)]

    cloud = WordCloud(
        width=_CLOUD_SIZE[0],
        height=_CLOUD_SIZE[1],
        scale=1.5,
        background_color="white",
        max_words=_CLOUD_WORDS,
        prefer_horizontal=1.0,
        color_func=colour,
        random_state=0,
        font_path=_font(),
    )
    cloud.generate_from_frequencies(dict(weights)).to_image().quantize(32).save(path)


def _font() -> str:
    """Return the font of the other figures."""
    from matplotlib.font_manager import findfont

    return findfont("DejaVu Sans")
