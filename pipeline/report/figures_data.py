"""Figures of the section on data."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.report.sources import Run
from pipeline.report.style import COLOURS, FONT, SOFT, drawing, shown

Words = Mapping[str, Sequence[tuple[str, float]]]
_HATCHES = ("", "///", "...")
_CLOUD_SIZE = {"width": 560, "height": 300, "scale": 1.5}  # pixels


def draw(
    run: Run, counts: Mapping[str, Sequence[int]], distinctive: Words, clouds: Words, folder: Path
) -> None:
    """Draw class sizes, lengths, distinctive words and word clouds into PNG files of a folder.

    ``counts`` has the rows of each class by part; ``distinctive`` and ``clouds`` have the words of
    each class with their z-scores, the largest first.
    """
    _class_sizes(run.class_names, counts, folder / "class_sizes.png")
    _lengths(run.tokens.lengths, run.vectors.get("sequence_length"), folder / "lengths.png")
    if distinctive:
        _distinctive_words(distinctive, folder / "telling_words.png")
    for number, words in enumerate(clouds.values()):
        colour = COLOURS[number % len(COLOURS)]
        _word_cloud(dict(words), colour, folder / f"word_cloud_{number + 1}.png")


def _lengths(counts: np.ndarray, sequence_length: int | None, path: Path) -> None:
    """Draw a histogram of tokens in a text, with the sequence length."""
    top = max(int(np.percentile(counts, 99.8)), sequence_length or 1) + 1
    step = max(-(-top // 60), 1)
    edges = np.arange(0, top + step + 1, step) - 0.5
    with drawing(path) as axis:
        axis.hist(np.minimum(counts, top), bins=edges, color=COLOURS[0], edgecolor="white", lw=0.4)
        if sequence_length:
            longer = np.mean(counts > sequence_length)
            label = f"sequence length {sequence_length}; {longer:.1%} of the texts are longer"
            axis.axvline(sequence_length + 0.5, color=COLOURS[1], ls="--", label=label)
            axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1))
        axis.set(xlabel="tokens in a text", ylabel="texts")
        axis.grid(axis="x", visible=False)


def _class_sizes(names: Sequence[str], counts: Mapping[str, Sequence[int]], path: Path) -> None:
    """Draw the rows of each class in each part."""
    with drawing(path, figsize=(5.6, 1.3 + 0.5 * len(names))) as axis:
        left = np.zeros(len(names))
        for (part, rows), colour, hatch in zip(counts.items(), COLOURS, _HATCHES, strict=False):
            style = {"color": colour, "hatch": hatch, "edgecolor": "white"}
            axis.barh(range(len(names)), rows, left=left, label=part, **style)
            left += rows
        for row, total in enumerate(left):
            axis.text(total + 0.01 * left.max(), row, f"{total:,.0f}", va="center", color=SOFT)
        axis.set(xlabel="rows", xlim=(0, 1.13 * left.max()))
        axis.set_yticks(range(len(names)), [shown(name) for name in names])
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
        axis.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))


def _distinctive_words(words: Words, path: Path) -> None:
    """Draw z-scores of the distinctive words, one panel for each class."""
    columns = min(len(words), 2)
    rows = -(-len(words) // columns)
    size = (5.6, rows * (0.7 + 0.21 * max(map(len, words.values()))))
    with drawing(path, nrows=rows, ncols=columns, figsize=size, squeeze=False) as axes:
        for number, (axis, name) in enumerate(zip(axes.flat, words, strict=False)):
            values, colour = [z for _, z in words[name]], COLOURS[number % len(COLOURS)]
            axis.hlines(range(len(values)), 0, values, color=colour, ls="-")
            axis.plot(values, range(len(values)), "o", color=colour, ms=4)
            axis.set_yticks(range(len(values)), [shown(word, 18) for word, _ in words[name]])
            axis.invert_yaxis()
            axis.set_xlim(left=0)
            axis.set_title(shown(name))
            axis.grid(axis="y", visible=False)
        for axis in axes[-1]:
            axis.set_xlabel("z-score of the log odds")
        for axis in list(axes.flat)[len(words) :]:
            axis.set_visible(False)


def _word_cloud(scores: dict[str, float], colour: str, path: Path) -> None:
    """Draw words, larger ones for larger scores."""
    from matplotlib.font_manager import findfont
    from wordcloud import WordCloud

    cloud = WordCloud(
        **_CLOUD_SIZE,
        background_color="white",
        prefer_horizontal=1.0,
        color_func=lambda *_, **__: colour,
        random_state=0,
        font_path=findfont(FONT),
    )
    cloud.generate_from_frequencies(scores).to_image().quantize(32).save(path)
