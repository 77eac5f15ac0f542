"""Write the report: the page, the model card and the figures."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.report import coverage, data, headline, lineage, results
from pipeline.report.advice import next_steps
from pipeline.report.model_card import card, markdown
from pipeline.report.render import render
from pipeline.report.sources import Run
from pipeline.report.suggestion import Suggestion
from pipeline.report.trust import chosen_on, trust
from pipeline.report.verdict import verdict

logger = logging.getLogger("luigi-interface")


def write_report(
    places: Mapping[str, Path],
    command: str,
    folder: Path,
    *,
    positive_named: bool = False,
    command_of: Callable[[Mapping[str, Any]], str] | None = None,
) -> None:
    """Write ``report.html``, ``model_card.md`` and ``figures/*.png``.

    Parameters
    ----------
    places : mapping
        Folder of each step's artifact, by task, Evaluate first.
    command : str
        What makes the run again.
    folder : Path
        Where the files go.
    positive_named : bool
        Whether the user named the class that matters; its recall then comes first.
    command_of : callable or None
        Returns the command of another run on the same rows, given its settings.
    """
    run = Run(places, command, positive_named, command_of)
    figures = folder / "figures"
    figures.mkdir()
    words = coverage.measure(run)
    warnings = list(coverage.problems(run, words))
    for warning in warnings:
        logger.warning("%s", warning.sentence)
    steps = list(next_steps(run, warnings))
    sections = card(run, steps)
    html = render(page_content(run, figures, words, warnings, steps, sections), run.metrics)
    (folder / "report.html").write_text(html, encoding="utf-8")
    (folder / "model_card.md").write_text(markdown(run, sections), encoding="utf-8")


def page_content(
    run: Run,
    figures: Path,
    words: coverage.Coverage,
    warnings: list[Suggestion],
    steps: list[Suggestion],
    sections: list[tuple[str, list[str]]],
) -> dict[str, Any]:
    """Gather what the template shows."""
    metrics = run.metrics
    return {
        "model": run.model,
        "representation": run.bundle["representation"],
        "dataset": run.dataset,
        "source": run.source,
        "title": run.source["title"] or run.dataset,
        "date": run.manifests["Evaluate"]["finished"][:10],
        "command": run.command,
        "class_names": run.class_names,
        "positive": metrics["positive_label"],
        "positive_named": run.positive_named,
        "verdict": verdict(run),
        "warnings": warnings,
        "trust": list(trust(run)),
        "chosen_on": chosen_on(run),
        "next_steps": steps,
        "without_copies": headline.WITHOUT_COPIES,
        "changed_by_copies": headline.changed_by_copies(run),
        "baselines": sorted(metrics["baselines"], key=lambda name: name == "majority"),
        "metrics": metrics,
        "decision": run.decision,
        "data": data.section(run, words, figures),
        "training": results.training(run, figures),
        "results": results.results(run, figures),
        "steps": lineage.steps(run),
        "versions": lineage.versions(run),
        "preparation_seconds": lineage.preparation_seconds(run),
        "card": sections,
    }
