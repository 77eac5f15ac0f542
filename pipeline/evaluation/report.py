"""The report: one HTML file that opens offline."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def render(content: Mapping[str, Any], figures: Mapping[str, tuple[Path, str]]) -> str:
    """Fill the template; every text is escaped and every figure is inside the file.

    Parameters
    ----------
    content : mapping
        What the template shows.
    figures : mapping
        PNG file and alternative text of each figure, by its name in the template.

    Returns
    -------
    str
        HTML.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pipeline.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = _figure
    environment.filters["count"] = lambda number: f"{number:,}"
    images = {
        name: {"data": base64.b64encode(path.read_bytes()).decode(), "alt": alt}
        for name, (path, alt) in figures.items()
    }
    return environment.get_template("report.html").render(**content, images=images)


def _figure(value: float | None) -> str:
    """Write a metric with three decimals, or a dash where it is not defined."""
    return "–" if value is None else f"{value:.3f}"
