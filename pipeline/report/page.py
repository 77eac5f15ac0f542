"""Write the report: the page, the model card and the figures."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipeline.report import (
    coverage,
    data,
    headline,
    lineage,
    model_card,
    previous,
    results,
    training,
    trust,
)
from pipeline.report.advice import next_steps
from pipeline.report.render import render
from pipeline.report.sources import Run
from pipeline.report.verdict import verdict

logger = logging.getLogger(__name__)


def write_report(
    evaluated: Path,
    command: str,
    folder: Path,
    *,
    command_of: Callable[[Mapping[str, Any]], str],
    positive_named: bool = False,
    word_clouds: bool = False,
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write ``report.html``, ``model_card.md`` and ``figures/*.png``.

    Parameters
    ----------
    evaluated : Path
        Folder of the Evaluate artifact of the run.
    command : str
        Command that repeats the run.
    folder : Path
        Existing folder for the files.
    command_of : callable
        Returns the command of another run on the same rows from its settings.
    positive_named : bool
        Whether the user chose the positive class; its recall is then shown first.
    word_clouds : bool
        Whether the page has a word cloud for each class.
    defaults : mapping
        Defaults, by name, of the settings that have another value.
    """
    run = Run(evaluated, command, command_of, positive_named)
    figures = folder / "figures"
    figures.mkdir()
    words = coverage.measure(run)
    warnings = list(coverage.problems(run, words))
    for warning in warnings:
        logger.warning("%s", warning.sentence)
    content = {
        "run": run,
        "warnings": warnings,
        "next_steps": list(next_steps(run, warnings)),
        "verdict": verdict(run),
        "findings": list(trust.findings(run)),
        "chosen_on": trust.chosen_on(run),
        "without_copies": headline.WITHOUT_COPIES,
        "changed_by_copies": headline.changed_by_copies(run),
        "data": data.section(run, words, figures, word_clouds),
        "training": training.section(run, figures),
        "results": results.section(run, figures),
        "few_classes": results.FEW_CLASSES,
        "lineage": lineage.section(run, defaults),
        "previous": previous.section(run),
    }
    card = model_card.sections(content)
    html = render({**content, "card": card}, run.metrics, figures)
    (folder / "report.html").write_text(html, encoding="utf-8")
    (folder / "model_card.md").write_text(model_card.markdown(run, card), encoding="utf-8")
