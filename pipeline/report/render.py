"""Fill the templates: texts are escaped, and each metric carries its path in ``metrics.json``."""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from pipeline.report.style import Figure

_MISSING = "–"

_Key = str | int | list[str | int]


def render(content: Mapping[str, Any], metrics: Mapping[str, Any], figures: Path) -> str:
    """Return the page as HTML, from its content, ``metrics.json`` and the folder of its figures."""
    marked = _Marked(metrics)
    environment = _environment()
    for name in ("number", "percent", "interval", "points", "value"):
        environment.globals[name] = getattr(marked, name)
    environment.globals["picture"] = lambda name, *texts: _image(
        Figure(figures / f"{name}.png", *texts)
    )
    environment.globals["has_picture"] = lambda name: (figures / f"{name}.png").is_file()
    return environment.get_template("report.html").render(**content)


def fill(template: str, content: Mapping[str, Any], package: str = "pipeline.report") -> str:
    """Fill a template of a package, which may include those of the report; returns HTML."""
    return _environment(package).get_template(template).render(**content)


def fill_text(template: str, content: Mapping[str, Any]) -> str:
    """Fill a template of plain text, in which white space of values becomes a single space."""
    environment = _environment().overlay(
        autoescape=False,
        finalize=lambda value: " ".join(value.split()) if isinstance(value, str) else value,
    )
    return environment.get_template(template).render(**content)


def _environment(package: str = "pipeline.report") -> Any:
    """Return the Jinja environment with the filters of all templates."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("pipeline.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["image"] = _image
    environment.filters |= {
        "count": lambda number: f"{number:,}",
        "duration": _duration,
        "p_value": p_value,
        "three": lambda value: _shown(value, "{:.3f}"),
        "memory": _memory,
    }
    environment.filters["whole_options"] = whole_options
    return environment


class _Marked:
    """Write metrics of ``metrics.json`` as HTML with their source.

    Each is a ``<data value="..." data-metric="/test/accuracy">``: the exact value and its JSON
    pointer (RFC 6901), so that a page can be compared with the file. A path is a sequence of keys
    and lists of keys.
    """

    def __init__(self, metrics: Mapping[str, Any]) -> None:
        self._metrics = metrics

    def value(self, *path: _Key) -> Any:
        """Return the value at a path, None if a key is missing."""
        value: Any = self._metrics
        for key in _flatten(path):
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def number(self, *path: _Key) -> Markup:
        """Write a metric with three decimals, or a count with separators."""
        is_count = isinstance(self.value(*path), int)
        return self._mark(path, "{:,}" if is_count else "{:.3f}")

    def percent(self, *path: _Key) -> Markup:
        """Write a share in percent."""
        return self._mark(path, "{:.1f} %", 100)

    def points(self, *path: _Key) -> Markup:
        """Write a difference of shares in percentage points, with its sign."""
        return self._mark(path, "{:+.1f}", 100)

    def interval(self, *path: _Key) -> Markup:
        """Write the interval of the metric at a path, empty if it has none."""
        keys = _flatten(path)
        for depth in range(len(keys), -1, -1):
            ends = (*keys[:depth], "intervals", *keys[depth:])
            if self.value(*ends):
                return Markup("{} to {}").format(self.number(*ends, 0), self.number(*ends, 1))
        return Markup("")

    def _mark(self, path: tuple[_Key, ...], pattern: str, factor: int = 1) -> Markup:
        """Write a metric in an element with its exact value and its JSON pointer."""
        value = self.value(*path)
        keys = (str(key).replace("~", "~0").replace("/", "~1") for key in _flatten(path))
        return Markup('<data value="{}" data-metric="{}">{}</data>').format(
            json.dumps(value),
            "".join(f"/{key}" for key in keys),
            _shown(None if value is None else factor * value, pattern),
        )


def _duration(seconds: float | None) -> str:
    """Write a time with a fitting unit."""
    if seconds is None:
        return _MISSING
    if seconds < 1e-5:
        return f"{seconds * 1e6:.1f} µs"
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _memory(mib: float | None) -> str:
    """Write an amount of memory, from MiB, with a fitting unit."""
    if mib is None:
        return _MISSING
    return f"{mib:,.0f} MiB" if mib < 1000 else f"{mib / 1024:,.1f} GiB"


def whole_options(text: str) -> Markup:
    """Write a text in which no line ends inside an option of a command.

    Examples
    --------
    >>> str(whole_options("try --seed 1 & see"))
    'try <span class="nowrap">--seed</span> 1 &amp; see'
    """
    return Markup(re.sub(r"--\w[\w-]*", r'<span class="nowrap">\g<0></span>', str(escape(text))))


def p_value(value: float) -> str:
    """Write a p-value.

    Examples
    --------
    >>> p_value(0.00002)
    'p < 0.001'
    """
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _flatten(path: tuple[_Key, ...]) -> list[str | int]:
    """Join keys and lists of keys to one list."""
    return [key for keys in path for key in (keys if isinstance(keys, list) else [keys])]


def _image(figure: Figure) -> Markup:
    """Write a figure with its picture, size, alternative text and caption."""
    width, height = figure.size
    picture = base64.b64encode(figure.path.read_bytes()).decode()
    caption = Markup("<figcaption>{}</figcaption>").format(figure.caption) if figure.caption else ""
    return Markup(
        '<figure><img src="data:image/png;base64,{}" width="{}" height="{}" alt="{}">{}</figure>'
    ).format(Markup(picture), width, height, figure.alt, caption)


def _shown(value: float | None, pattern: str) -> str:
    """Write a metric with a minus sign, or a dash if it is not defined."""
    return _MISSING if value is None else pattern.format(value).replace("-", "−")
