"""Write the report: the page, the model card and the figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.report import advice, data, lineage, results
from pipeline.report.card import card, markdown
from pipeline.report.render import render
from pipeline.report.sources import Run


def write_report(
    places: Mapping[str, Path], command: str, folder: Path, *, positive_named: bool = False
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
    """
    run = Run(places, command, positive_named)
    figures = folder / "figures"
    figures.mkdir()
    sections = card(run)
    html = render(page_content(run, figures, sections), run.metrics)
    (folder / "report.html").write_text(html, encoding="utf-8")
    (folder / "model_card.md").write_text(markdown(run, sections), encoding="utf-8")


def page_content(run: Run, figures: Path, sections: list[tuple[str, list[str]]]) -> dict[str, Any]:
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
        "verdict": advice.verdict(run),
        "trust": list(advice.trust(run)),
        "next_steps": list(advice.next_steps(run)),
        "baselines": sorted(metrics["baselines"], key=lambda name: name == "majority"),
        "metrics": metrics,
        "decision": run.decision,
        "data": data.section(run, figures),
        "training": results.training(run, figures),
        "results": results.results(run, figures),
        "steps": lineage.steps(run),
        "versions": lineage.versions(run),
        "preparation_seconds": lineage.preparation_seconds(run),
        "card": sections,
    }
