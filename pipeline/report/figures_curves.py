"""ROC and precision-recall curves of model and baselines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.evaluation.curves import sweep
from pipeline.report.sources import Run, ScoredRows
from pipeline.report.style import INK, SOFT, UNIT, above_axes, drawing, labels_of, shown

_MOST_CLASSES = 6  # with a curve each; of more classes, the lowest ones are drawn
_LOWEST = 4
_MOST_BASELINES = 2
_MAX_POINTS = 1000  # of a curve
_GRID = np.linspace(0, 1, 1001)  # of mean curves

_Line = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class _Kind:
    """A kind of curve: its metric in ``metrics.json`` and how it is computed."""

    metric: str
    area: str
    axes: Mapping[str, str]
    drawstyle: str

    def line(self, is_positive: np.ndarray, scores: np.ndarray) -> _Line:
        """Return x and y at all thresholds."""
        swept = sweep(is_positive, scores)
        if self is _ROC:
            return swept.false_positive_rate, swept.recall
        return swept.recall, swept.precision

    def on_grid(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return y at each x of the grid."""
        if self is _ROC:
            return np.interp(_GRID, x, y)
        return y[np.minimum(np.searchsorted(x, _GRID), len(y) - 1)]


_ROC = _Kind(
    "roc_auc",
    "Area under the curve",
    {"xlabel": "false positive rate", "ylabel": "true positive rate"},
    "default",
)
# Steps, because average precision is the area below them.
_PRECISION = _Kind(
    "average_precision",
    "Average precision",
    {"xlabel": "recall", "ylabel": "precision"},
    "steps-pre",
)


@dataclass(frozen=True)
class _Curve:
    """A curve with its area, its label and the style of its line."""

    area: float
    label: str
    line: _Line
    style: Mapping[str, Any]


def draw_curves(run: Run, folder: Path) -> None:
    """Draw ``roc.png`` and ``precision_recall.png`` of the test rows into a folder."""
    source = run.source_of(len(run.scored.labels), "test rows")
    _draw_kind(run, _ROC, folder / "roc.png", source)
    _draw_kind(run, _PRECISION, folder / "precision_recall.png", source)


def _draw_kind(run: Run, kind: _Kind, path: Path, source: str) -> None:
    """Draw curves of model and baselines with their areas, and the line of a random order."""
    curves = list(_curves(run, kind))
    with drawing(path, source, figsize=(4.6, 3.9 + 0.19 * len(curves))) as axis:
        for curve in curves:
            label = f"{curve.area:.3f}  {curve.label}"
            axis.plot(*curve.line, label=label, drawstyle=kind.drawstyle, **curve.style)
        area, label, style = (0.5, "", ":") if kind is _ROC else (*_prevalence(run), "--")
        heights = (0, 1) if kind is _ROC else (area, area)
        label = f"{area:.3f}  random order{label}"
        axis.plot((0, 1), heights, color=SOFT, lw=1, ls=style, label=label)
        axis.set(xlim=UNIT, ylim=UNIT, **kind.axes)
        axis.legend(title=_title(kind.area, run, curves), **above_axes())


def _prevalence(run: Run) -> tuple[float, str]:
    """Return the precision of a random order, and what it is."""
    labels, positive = run.scored.labels, run.metrics["positive_label"]
    if positive:
        share = float(np.mean(labels == run.class_names.index(positive)))
        return share, " (prevalence)"
    return 1 / max(len(np.unique(labels)), 1), " (mean prevalence)"


def _curves(run: Run, kind: _Kind) -> Iterator[_Curve]:
    """Yield the curves of model and baselines: of the positive class, else means and classes.

    A class whose area the test rows do not define has no curve, such as a class without rows.
    """
    metrics, positive = run.metrics, run.metrics["positive_label"]
    by_class = {name: entry["by_class"] for name, entry in metrics["baselines"].items()}
    by_class[run.model] = metrics["test"]["by_class"]
    scored = {run.model: run.scored}
    for name, baseline in list(run.baselines.items())[: _MOST_BASELINES if positive else 1]:
        scored.setdefault(name, baseline.scored)
    areas = {
        name: {label: by_class[name][label][kind.metric] for label in run.class_names}
        for name in scored
    }
    defined = [label for label in run.class_names if areas[run.model][label] is not None]
    if positive in defined:
        yield from _of_positive(run, kind, scored, areas)
    elif not positive and defined:
        yield from _means(run, kind, scored, areas, defined)
        yield from _of_classes(run, kind, areas[run.model], defined)


_Areas = Mapping[str, Mapping[str, float]]


def _of_positive(
    run: Run, kind: _Kind, scored: Mapping[str, ScoredRows], areas: _Areas
) -> Iterator[_Curve]:
    """Yield the curves of the positive class of model and baselines."""
    positive = run.metrics["positive_label"]
    for number, (name, rows) in enumerate(scored.items()):
        style = {"lw": 2.2 if number == 0 else 1.3, "zorder": 3 - number / 10}
        line = _thinned(*_line(run, rows, positive, kind))
        yield _Curve(areas[name][positive], shown(name), line, style)


def _means(
    run: Run,
    kind: _Kind,
    scored: Mapping[str, ScoredRows],
    areas: _Areas,
    classes: Sequence[str],
) -> Iterator[_Curve]:
    """Yield the mean curves over classes of model and baseline."""
    styles: list[dict[str, Any]] = [
        {"lw": 2.4, "color": INK, "ls": "-", "zorder": 3},
        {"lw": 1.6, "color": SOFT, "ls": "--", "zorder": 3},
    ]
    for (name, rows), style in zip(scored.items(), styles, strict=False):
        lines = [kind.on_grid(*_line(run, rows, label, kind)) for label in classes]
        area = float(np.mean([areas[name][label] for label in classes]))
        label = f"mean of classes, {shown(name)}"
        yield _Curve(area, label, (_GRID, np.mean(lines, axis=0)), style)


def _of_classes(
    run: Run, kind: _Kind, areas: Mapping[str, float], classes: Sequence[str]
) -> Iterator[_Curve]:
    """Yield the curves of the classes, only the lowest ones of many."""
    labels = dict(zip(run.class_names, labels_of(run.class_names, 34), strict=True))
    if len(run.class_names) > _MOST_CLASSES:
        classes = sorted(classes, key=lambda name: areas[name])[:_LOWEST]
    for name in classes:
        line = _thinned(*_line(run, run.scored, name, kind))
        yield _Curve(areas[name], labels[name], line, {"lw": 1.2})


def _line(run: Run, rows: ScoredRows, name: str, kind: _Kind) -> _Line:
    """Return x and y of the curve of a class against the others."""
    code = run.class_names.index(name)
    scores = rows.raw[:, code]
    if len(run.class_names) == 2 and code == 0:
        scores = -rows.raw[:, 1]  # as in the metrics: rounding of 1 - p could make false ties
    return kind.line(rows.labels == code, scores)


def _thinned(x: np.ndarray, y: np.ndarray) -> _Line:
    """Return a line with at most 1,000 of its points."""
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MAX_POINTS)).astype(int))
    return x[kept], y[kept]


def _title(area: str, run: Run, curves: Sequence[_Curve]) -> str:
    """Return the title of a legend: what its numbers are, and which curves are drawn."""
    if not curves:
        return "Not defined: the class has no test rows,\nor all test rows are of one class"
    if run.metrics["positive_label"]:
        return f"{area}, class {shown(run.metrics['positive_label'], 30)}"
    if len(run.class_names) > _MOST_CLASSES:
        return f"{area}: each class against the others,\nthe {_LOWEST} lowest classes and the mean"
    return f"{area}: each class against the others"
