"""What the figures show: curves, counts, names in any script, and where a picture is from."""

import logging
import warnings
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from pipeline.evaluation.calibration import reliability
from pipeline.evaluation.curves import curve_table, sweep
from pipeline.evaluation.metrics import evaluate
from pipeline.nightly import figures_history
from pipeline.report import figures_data, figures_results, fonts
from pipeline.report.figures_curves import draw_curves
from pipeline.report.figures_probabilities import draw_probabilities
from pipeline.report.sources import ScoredRows
from pipeline.report.style import drawing, labels_of, shown

INVISIBLE = str.maketrans("", "", "\u2068\u2069")


def scored_rows(n_classes, labels, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.random((len(labels), n_classes)) + 0.4 * np.eye(n_classes)[labels]
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    return ScoredRows(labels, probabilities, probabilities, probabilities.argmax(axis=1))


def figures_run(names, labels=None, positive=None, threshold=None):
    """Return a stand-in for a run, with a baseline, whose metrics follow from made-up rows."""
    labels = np.arange(120) % len(names) if labels is None else np.asarray(labels)
    rows, baseline = (scored_rows(len(names), labels, seed) for seed in (0, 1))
    names = list(names)
    test, other = (
        evaluate(labels, scored.raw, names, predicted=scored.decided) for scored in (rows, baseline)
    )
    diagram = reliability(labels, rows.raw)
    sweeps = {name: sweep(labels == k, rows.calibrated[:, k]) for k, name in enumerate(names)}
    curves = curve_table(sweeps, {"raw": diagram, "calibrated": diagram})
    return SimpleNamespace(
        model="bilstm",
        dataset="toy",
        class_names=names,
        scored=rows,
        baselines={"naive_bayes": SimpleNamespace(scored=baseline)},
        decision={
            "temperature": 1.3,
            "not_chosen_because": None if threshold else "no goal",
        },
        metrics={
            "positive_label": positive,
            "test": test,
            "baselines": {"naive_bayes": other, "majority": other},
            "threshold": {"threshold": threshold},
            "slices": [],
        },
        read_table=lambda task, name: curves,
        source_of=lambda n_rows, of: f"bilstm-0123abcd on toy, {n_rows:,} {of}",
    )


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Return a function that draws results of a run and returns the figures by name.

    PNG files, which take most of the time, are only written with ``saves``.
    """
    figures = {}
    save = Figure.savefig

    def keep(figure, path, **options):
        figures[path.stem] = figure
        if draw.saves:
            save(figure, path, **options)

    monkeypatch.setattr(Figure, "savefig", keep)

    def draw(run, function=figures_results.draw_results):
        function(run, tmp_path)
        return figures

    draw.saves, draw.figures = False, figures
    return draw


def texts_of(figure):
    return [text.get_text().translate(INVISIBLE) for text in figure.findobj(Text)]


def legend_of(axis):
    return [text.get_text().translate(INVISIBLE) for text in axis.get_legend().get_texts()]


def tick_labels(axis):
    return [text.get_text().translate(INVISIBLE) for text in axis.get_yticklabels()]


@pytest.mark.parametrize(
    ("figure", "metric", "random_order"),
    [
        ("roc", "roc_auc", "0.500  random order"),
        ("precision_recall", "average_precision", "0.250  random order (prevalence)"),
    ],
)
def test_curves_of_a_class_show_the_baseline_with_areas(drawn, figure, metric, random_order):
    labels = np.arange(120) % 4 == 0
    run = figures_run(("bad", "good"), labels.astype(int), positive="good")
    axis = drawn(run, draw_curves)[figure].axes[0]
    area, other = (
        scored["by_class"]["good"][metric]
        for scored in (run.metrics["test"], run.metrics["baselines"]["naive_bayes"])
    )
    assert legend_of(axis) == [f"{area:.3f}  bilstm", f"{other:.3f}  naive_bayes", random_order]
    assert len(axis.lines) == 3


@pytest.mark.parametrize("figure", ["roc", "precision_recall"])
def test_area_below_the_drawn_mean_curve_is_the_metric(drawn, figure):
    run = figures_run(("bad", "good", "odd"), np.arange(18) % 3)
    axis = drawn(run, draw_curves)[figure].axes[0]
    x, y = axis.lines[0].get_data()
    stated = float(legend_of(axis)[0].split()[0])
    area = np.trapezoid(y, x) if figure == "roc" else np.sum(np.diff(x) * y[1:])
    assert area == pytest.approx(stated, abs=0.003)


@pytest.mark.parametrize(("n_classes", "n_lines"), [(3, 3), (6, 6), (7, 4), (30, 4)])
def test_curves_of_many_classes_are_the_lowest_ones(drawn, n_classes, n_lines):
    run = figures_run([f"c{k}" for k in range(n_classes)])
    axis = drawn(run, draw_curves)["roc"].axes[0]
    assert len(axis.lines) == n_lines + 3  # two means and the diagonal
    areas = [entry["roc_auc"] for entry in run.metrics["test"]["by_class"].values()]
    assert legend_of(axis)[2].split()[0] in {f"{area:.3f}" for area in sorted(areas)[:n_lines]}


@pytest.mark.parametrize(
    ("names", "labels", "positive"),
    [
        (("bad", "good"), [1, 1], "good"),
        (("bad", "good"), [0, 0, 0], "good"),
        (("bad", "good"), [0, 1], "bad"),
        (("bad", "good", "odd"), [1, 1, 0], None),
        (("bad", "good", "odd"), [2, 2], None),
        (("bad", "good", "odd"), [2, 2], "bad"),
    ],
)
def test_tiny_test_sets_are_drawn(drawn, names, labels, positive):
    run = figures_run(names, labels, positive)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures = drawn(run)
    axis = figures["roc"].axes[0]
    defined = [
        name
        for name, entry in run.metrics["test"]["by_class"].items()
        if entry["roc_auc"] is not None
    ]
    title = axis.get_legend().get_title().get_text()
    assert title.startswith("Not defined") == (not defined)
    if positive is None:
        labels = [label.split("  ")[1] for label in legend_of(axis)]
        assert {name for name in names if name in labels} == set(defined)


def test_threshold_plot_has_precision_and_the_chosen_threshold(drawn):
    axis = drawn(figures_run(("bad", "good"), positive="good", threshold=0.4))[
        "threshold_sweep"
    ].axes[0]
    labels = ["precision", "recall", "F1", "accuracy", "chosen 0.400"]
    assert legend_of(axis) == labels
    assert list(axis.lines[-1].get_xdata()) == [0.4, 0.4]


def test_calibration_plot_counts_the_rows_before_and_after(drawn):
    run = figures_run(("bad", "good"), positive="good")
    _, below = drawn(run, draw_probabilities)["reliability"].axes
    before, after = ([bar.get_height() for bar in bars] for bars in below.containers)
    assert sum(before) == sum(after) == len(run.scored.labels)


def test_histograms_count_the_rows_of_each_true_class(drawn):
    run = figures_run(("bad", "good"), np.arange(90) % 3 // 2, positive="good", threshold=0.4)
    axes = drawn(run, draw_probabilities)["probabilities"].axes
    assert [sum(bar.get_height() for bar in axis.patches) for axis in axes] == [30, 60]
    assert [list(axis.lines[0].get_xdata()) for axis in axes] == [[0.4, 0.4]] * 2


def test_histograms_of_several_classes_separate_correct_predictions(drawn):
    run = figures_run(("bad", "good", "odd"), np.repeat([0, 1], [30, 20]))
    axes = [
        axis for axis in drawn(run, draw_probabilities)["probabilities"].axes if axis.get_visible()
    ]
    counts = [[sum(bar.get_height() for bar in bars) for bars in axis.containers] for axis in axes]
    matrix = run.metrics["test"]["confusion_matrix"]
    assert counts == [[matrix[k][k], sum(matrix[k]) - matrix[k][k]] for k in (0, 1)]


@pytest.mark.parametrize(
    ("n_classes", "example"), [(2, "60\n100.0%"), (6, "20\n100.0%"), (10, "12"), (30, None)]
)
def test_confusion_matrix_has_as_many_numbers_as_fit(drawn, n_classes, example):
    run = figures_run([f"class {k}" for k in range(n_classes)])
    run.metrics["test"]["confusion_matrix"] = (
        120 // n_classes * np.eye(n_classes, dtype=int)
    ).tolist()
    figure = drawn(run)["confusion_matrix"]
    numbers = [text.get_text() for text in figure.axes[0].texts]
    assert (example in numbers) if example else not numbers
    width, height = figure.get_size_inches()
    assert width < 6
    assert height < 6


def test_confusion_matrix_shows_classes_without_test_rows_in_grey(drawn):
    figure = drawn(figures_run(("bad", "good", "odd"), [0, 1, 1]))["confusion_matrix"]
    shades = figure.axes[0].images[0].get_array()
    assert shades.mask.all(axis=1).tolist() == [False, False, True]


NAMES = [
    "$cost_a$",
    "_hidden",
    r"a_b^2\frac{x}{y} %d",
    "two\nlines",
    "عربي جدا",
    "x" * 80,
    "x" * 81,
]
LABELS = [
    *("$cost_a$", "_hidden", r"a_b^2\frac{x}{y} %d", "two lines", "عربي جدا"),
    *(f"{number}: {'x' * 17}…{'x' * 16}" for number in (6, 7)),
]


def test_names_are_drawn_as_they_are(drawn):
    figures = drawn(figures_run(NAMES[:6]))
    legend = [label.split("  ", 1)[1] for label in legend_of(figures["roc"].axes[0])]
    assert legend[2:-1] == [*LABELS[:5], LABELS[5].removeprefix("6: ")]
    assert all(not text.get_parse_math() for text in figures["roc"].findobj(Text))
    assert tick_labels(figures["confusion_matrix"].axes[0])[:2] == ["$cost_a$", "_hidden"]
    assert labels_of(NAMES, 34) != labels_of(NAMES[:6], 34)
    assert [label.translate(INVISIBLE) for label in labels_of(NAMES, 34)] == LABELS


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        ("short", 10, "short"),
        ("the customer complains about it", 14, "the cus…out it"),
        ("快乐快乐快乐快乐", 8, "快乐…乐"),
        ("नमस्तेनमस्तेनमस्ते", 8, "नमस्ते…मस्ते"),
        ("a\x00b\r\n\tc\u2028d\u202ee\u200b", 28, "a b c de"),
        ("👩\u200d💻👩\u200d💻👩\u200d💻", 9, "👩\u200d💻…👩\u200d💻"),
        ("lone \ud800", 28, "lone ?"),
        ("_x", 28, "\u2068_x\u2069"),
        ("עברית", 28, "\u2068עברית\u2069"),
        ("a" * 10_000_000, 5, "aa…aa"),
    ],
    ids=[
        "short",
        "long",
        "wide",
        "marks",
        "control",
        "joined",
        "surrogate",
        "legend",
        "rtl",
        "huge",
    ],
)
def test_names_are_truncated_in_the_middle_on_one_line(text, longest, expected):
    assert shown(text, longest) == expected


@pytest.fixture
def only_default(monkeypatch):
    """Let the default font be the only one installed, whatever this machine has."""
    from matplotlib.font_manager import fontManager

    default = [entry for entry in fontManager.ttflist if entry.name == fonts.DEFAULT]
    monkeypatch.setattr(fontManager, "ttflist", default)
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", list)
    forget()
    yield monkeypatch
    monkeypatch.undo()
    forget()


def forget():
    """Forget which fonts were found, and the warnings that were given."""
    fonts._reported.clear()
    for cached in (fonts._chain, fonts._add_new_fonts):
        cached.cache_clear()


def test_missing_scripts_are_warned_of_once_and_drawn(only_default, drawn, caplog):
    run = figures_run(["快乐", "हिन्दी", "русский", "🔥"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fonts.warn_if_missing(run.class_names)
        drawn.saves = True
        drawn(run, draw_curves)
    (record,) = caplog.records
    assert record.getMessage() == (
        "W401: no installed font has the Chinese, Japanese or Korean, Devanagari and emoji or "
        "symbol characters of class names or words, so the pictures of the report show boxes for "
        "them; the tables show the characters. Install fonts, for example "
        "`apt install fonts-noto-cjk fonts-noto-core fonts-symbola`."
    )
    # Boxes look the same, so classes get the number of their row in the tables.
    labels = [label.split(": ")[0] for label in tick_labels(drawn(run)["confusion_matrix"].axes[0])]
    assert labels == ["1", "2", "русский", "4"]


def test_emoji_in_words_are_not_warned_of(only_default, tmp_path, caplog):
    with drawing(tmp_path / "a.png", "toy") as axis:
        axis.set_title(shown("fire 🔥"))
    assert not caplog.records


def test_font_that_was_just_installed_is_used(only_default, drawn, caplog, tmp_path):
    path = write_font(tmp_path / "chinese.ttf", "Made Up Sans", "快乐")
    only_default.setattr("matplotlib.font_manager.findSystemFonts", lambda: [str(path)])
    figure = drawn(figures_run(["快乐", "bad"]))["confusion_matrix"]
    families = {tuple(text.get_fontfamily()) for text in figure.findobj(Text)}
    assert families == {(fonts.DEFAULT, "Made Up Sans")}
    assert not caplog.records
    assert fonts.font_file(["快乐", "快", "bad"]) == (str(path), ["快乐", "快"])


@pytest.mark.parametrize(
    ("rates", "panels"),
    [([0.1, 0.1, 0.1], 2), ([0.1, 0.1, 0.05], 3)],
    ids=["constant rate", "changing rate"],
)
def test_training_curves_mark_the_kept_epoch_in_every_panel(drawn, rates, panels):
    run = SimpleNamespace(
        history=pd.DataFrame(
            {"epoch": [1, 2, 3], "loss": [3, 2, 1], "val_f1": [0, 1, 0], "learning_rate": rates}
        ),
        training={"best_epoch": 2},
        balance={"rows": {"train": 80}},
        source_of=lambda n_rows, of: f"{n_rows} {of}",
    )
    axes = drawn(run, figures_results.draw_training)["training_curves"].axes
    assert len(axes) == panels
    assert all(list(axis.lines[-1].get_xdata()) == [2, 2] for axis in axes)
    assert legend_of(axes[0]) == ["training", "kept epoch 2"]


def test_legend_of_nights_has_classes_that_begin_with_an_underscore(drawn, tmp_path):
    nights = [{"date": f"2026-11-0{day}", "shares": {"_child0": 0.4, "$b$": 0.6}} for day in (1, 2)]
    figures_history.shares(nights, tmp_path / "shares.png", "toy")
    assert legend_of(drawn.figures["shares"].axes[0]) == ["_child0", "$b$"]


def test_no_message_of_matplotlib_about_fonts(drawn, caplog):
    with caplog.at_level(logging.WARNING):
        drawn(figures_run(("bad", "good"), positive="good"))
    assert not caplog.records


def test_every_picture_says_where_it_is_from(drawn, tmp_path):
    drawn.saves = True
    figures = drawn(figures_run(("bad", "good"), positive="good"))
    assert len(figures) == 7
    for name, figure in figures.items():
        source = "bilstm-0123abcd on toy, 120 test rows"
        assert source in texts_of(figure), name
        picture = Image.open(tmp_path / f"{name}.png")
        title = name.replace("_", " ")
        expected = {"Title": f"{title}: {source}", "Source": source}
        assert picture.text == expected
        assert picture.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
        assert picture.width * 96 / 150 < 480  # readable on a phone without zooming


def test_pictures_have_the_same_bytes_whatever_the_user_configured(drawn, tmp_path):
    run, drawn.saves = figures_run(("bad", "good"), positive="good"), True
    drawn(run, draw_probabilities)
    first = {path.name: path.read_bytes() for path in tmp_path.glob("*.png")}
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "text.usetex": True}):
        drawn(run, draw_probabilities)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.png")} == first


def test_word_cloud_is_drawn_in_a_font_that_has_the_words(only_default, tmp_path):
    path = write_font(tmp_path / "chinese.ttf", "Made Up Sans", "快乐")
    only_default.setattr("matplotlib.font_manager.findSystemFonts", lambda: [str(path)])
    run = SimpleNamespace(
        class_names=["快"],
        tokens=SimpleNamespace(lengths=np.array([2, 3])),
        vectors={},
        source_of=lambda n_rows, of: f"{n_rows} {of}",
    )
    counts = {"train": [1], "validation": [0], "test": [1]}
    figures_data.draw(run, counts, {}, {"快": [("快乐", 2.0), ("乐", 1.0)]}, tmp_path)
    cloud = np.asarray(Image.open(tmp_path / "word_cloud_1.png").convert("L"))
    assert (cloud[50:-50] < 200).any()


def write_font(path, name, characters):
    """Write a font in which each character is a square."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    square = pen.glyph()
    glyphs = dict.fromkeys((".notdef", *(f"u{ord(one)}" for one in characters)), square)
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(list(glyphs))
    font.setupCharacterMap({ord(one): f"u{ord(one)}" for one in characters})
    font.setupGlyf(glyphs)
    font.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 100)))
    font.setupHorizontalHeader(ascent=900, descent=-100)
    font.setupNameTable({"familyName": name, "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    return path
