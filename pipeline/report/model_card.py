"""The model card, after Mitchell et al. 2019, "Model Cards for Model Reporting".

Its text is in ``templates/model_card.txt``: a heading begins with ``##``, a paragraph with ``-``.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.report.render import fill_text
from pipeline.report.sources import Run

Section = tuple[str, list[str]]


def sections(content: Mapping[str, Any]) -> list[Section]:
    """Return the headings of the card with their paragraphs, from the content of the page."""
    card: list[Section] = []
    for line in fill_text("model_card.txt", content).splitlines():
        mark, _, text = line.partition(" ")
        if mark == "##":
            card.append((text, []))
        elif mark == "-":
            card[-1][1].append(text)
    return card


def markdown(run: Run, card: Sequence[Section]) -> str:
    """Return the card as Markdown; markup in names and texts is escaped."""
    lines = [f"# Model card: {_escape(run.model)} on {_escape(run.dataset)}", ""]
    for heading, paragraphs in card:
        lines += [f"## {heading}", "", *(f"- {_escape(text)}" for text in paragraphs), ""]
    lines += ["Command:", "", *(f"    {line}" for line in run.command.splitlines()), ""]
    return "\n".join(lines)


def _escape(text: str) -> str:
    """Escape what Markdown or HTML would read as markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", text)
