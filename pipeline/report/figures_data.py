"""Figures of the section on data."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.report import fonts
from pipeline.report.sources import Run
from pipeline.report.style import COLOURS, SOFT, drawing, labels_of, shown

Words = Mapping[str, Sequence[tuple[str, float]]]
_HATCHES = ("", "///", "...")
_CLOUD_SIZE = {"width": 700, "height": 375}  # pixels


def draw(
    run: Run, counts: Mapping[str, Sequence[int]], distinctive: Words, clouds: Words, folder: Path
) -> None:
    """Draw class sizes, lengths, distinctive words and word clouds into PNG files of a folder.

    ``counts`` has the rows of each class by part; ``distinctive`` and ``clouds`` have the words of
    each class with their z-scores, the largest first.
    """
    fonts.warn_if_missing(run.class_names)
    lengths, limit = run.tokens.lengths, run.vectors.get("sequence_length")
    rows = run.source_of(sum(map(sum, counts.values())), "labelled rows")
    _class_sizes(run.class_names, counts, folder / "class_sizes.png", rows)
    _lengths(lengths, limit, folder / "lengths.png", run.source_of(len(lengths), "rows"))
    if distinctive:
        _distinctive_words(distinctive, folder / "distinctive_words.png", rows)
    for number, (name, words) in enumerate(clouds.items()):
        colour, path = COLOURS[number % len(COLOURS)], folder / f"word_cloud_{number + 1}.png"
        _word_cloud(dict(words), name, colour, path, rows)


def _lengths(counts: np.ndarray, sequence_length: int | None, path: Path, source: str) -> None:
    """Draw a histogram of tokens in a text, with the sequence length."""
    top = max(int(np.percentile(counts, 99.8)), sequence_length or 1) + 1
    step = max(-(-top // 60), 1)
    edges = np.arange(0, top + step + 1, step) - 0.5
    with drawing(path, source) as axis:
        axis.hist(np.minimum(counts, top), bins=edges, color=COLOURS[0], edgecolor="white", lw=0.4)
        if sequence_length:
            longer = np.mean(counts > sequence_length)
            label = f"sequence length {sequence_length}; {longer:.1%} of the texts are longer"
            axis.axvline(sequence_length + 0.5, color=COLOURS[1], ls="--", label=label)
            axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1))
        axis.set(xlabel="tokens in a text", ylabel="texts")
        axis.grid(axis="x", visible=False)


def _class_sizes(
    names: Sequence[str], counts: Mapping[str, Sequence[int]], path: Path, source: str
) -> None:
    """Draw the rows of each class in each part."""
    height = 0.5 if len(names) <= 4 else max(0.2, 0.32 - 0.01 * len(names))  # inches of a class
    with drawing(path, source, figsize=(4.8, 1.3 + height * len(names))) as axis:
        left = np.zeros(len(names))
        for (part, rows), colour, hatch in zip(counts.items(), COLOURS, _HATCHES, strict=False):
            style = {"color": colour, "hatch": hatch, "edgecolor": "white"}
            axis.barh(range(len(names)), rows, left=left, label=part, **style)
            left += rows
        for row, total in enumerate(left):
            axis.text(total + 0.01 * left.max(), row, f"{total:,.0f}", va="center", color=SOFT)
        axis.set(xlabel="rows", xlim=(0, 1.17 * left.max()))
        axis.set_yticks(range(len(names)), labels_of(names, 24))
        axis.set_ylim(len(names) - 0.4, -0.6)
        axis.grid(axis="y", visible=False)
        axis.xaxis.get_major_locator().set_params(nbins=5)
        axis.figure.legend(ncols=3, loc="outside upper left")


def _distinctive_words(words: Words, path: Path, source: str) -> None:
    """Draw z-scores of the distinctive words, one panel for each class."""
    columns = min(len(words), 2)
    rows = -(-len(words) // columns)
    size = (4.8, rows * (0.6 + 0.2 * max(map(len, words.values()))))
    titles = labels_of(list(words), 18)
    shape = {"nrows": rows, "ncols": columns, "figsize": size, "squeeze": False}
    with drawing(path, source, **shape) as axes:
        for number, (axis, name) in enumerate(zip(axes.flat, words, strict=False)):
            values, colour = [z for _, z in words[name]], COLOURS[number % len(COLOURS)]
            axis.hlines(range(len(values)), 0, values, color=colour, ls="-")
            axis.plot(values, range(len(values)), "o", color=colour, ms=4)
            axis.set_yticks(range(len(values)), [shown(word, 14) for word, _ in words[name]])
            axis.invert_yaxis()
            axis.set_xlim(left=0)
            axis.set_title(titles[number], fontsize=9)
            axis.grid(axis="y", visible=False)
        for axis in axes[-1]:
            axis.set_xlabel("z-score of the log odds")
        for axis in list(axes.flat)[len(words) :]:
            axis.set_visible(False)


def _word_cloud(scores: dict[str, float], name: str, colour: str, path: Path, source: str) -> None:
    """Draw words, larger ones for larger scores; words that the font lacks are left out."""
    from wordcloud import WordCloud

    # Unlike matplotlib, WordCloud has one font for all words.
    font_path, words = fonts.font_file(scores)
    cloud = WordCloud(
        **_CLOUD_SIZE,
        background_color="white",
        prefer_horizontal=1.0,
        color_func=lambda *_, **__: colour,
        random_state=0,
        font_path=font_path,
    )
    cloud.generate_from_frequencies({word: scores[word] for word in words})
    with drawing(path, source, figsize=(4.8, 3)) as axis:
        axis.imshow(cloud.to_array(), interpolation="none")
        axis.set_title(shown(name, 48))
        axis.set_axis_off()
