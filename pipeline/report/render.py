"""Templates: every text is escaped, and every figure of ``metrics.json`` says which it is."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from pipeline.report.style import Figure

Key = str | int | list[str | int]
_TEMPLATE = "report.html"
MISSING = "–"


def render(content: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Fill the page's template.

    Parameters
    ----------
    content : mapping
        What the template shows.
    metrics : mapping
        ``metrics.json``.

    Returns
    -------
    str
        HTML.
    """
    marked = Marked(metrics)
    environment = _environment()
    environment.globals |= {
        "number": marked.number,
        "percent": marked.percent,
        "interval": marked.interval,
        "points": marked.points,
        "value": marked.value,
    }
    return environment.get_template(_TEMPLATE).render(**content)


def fill(template: str, content: Mapping[str, Any], package: str = "pipeline.report") -> str:
    """Fill a template of a package, which may include those of the report; returns HTML."""
    return _environment(package).get_template(template).render(**content)


def _environment(package: str = "pipeline.report") -> Any:
    """Return what reads templates, with the filters that all of them use."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("pipeline.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["image"] = image
    environment.filters |= {
        "count": lambda number: f"{number:,}",
        "duration": duration,
        "p_value": p_value,
        "three": _three,
        "memory": memory,
    }
    return environment


class Marked:
    """Write figures of ``metrics.json`` as HTML that says where they come from.

    Each is a ``<data value="..." data-metric="/test/accuracy">``: the exact value, and its JSON
    pointer (RFC 6901), so that a page can be checked against the file. Paths are given key by key,
    or as lists of keys.
    """

    def __init__(self, metrics: Mapping[str, Any]) -> None:
        self._metrics = metrics

    def value(self, *path: Key) -> Any:
        """Return what stands at a path, None where the path ends early."""
        found: Any = self._metrics
        for key in _flat(path):
            if isinstance(found, Mapping):
                found = found.get(key)
            elif isinstance(found, list) and isinstance(key, int) and key < len(found):
                found = found[key]
            else:
                return None
        return found

    def number(self, *path: Key) -> Markup:
        """Write a figure with three decimals, or a count with separators."""
        value = self.value(*path)
        return self._mark(path, f"{value:,}" if isinstance(value, int) else _three(value))

    def percent(self, *path: Key) -> Markup:
        """Write a share in percent."""
        value = self.value(*path)
        return self._mark(path, MISSING if value is None else f"{100 * value:.1f} %")

    def points(self, *path: Key) -> Markup:
        """Write a difference of shares in percentage points, with its sign."""
        value = self.value(*path)
        return self._mark(path, MISSING if value is None else _minus(f"{100 * value:+.1f}"))

    def interval(self, *path: Key, how: str = "number") -> Markup:
        """Write the interval of the figure at a path; nothing where there is none."""
        keys = _flat(path)
        for depth in range(len(keys), -1, -1):
            place = (*keys[:depth], "intervals", *keys[depth:])
            bounds = self.value(*place)
            if bounds:
                write = getattr(self, how)
                return Markup("{} to {}").format(write(*place, 0), write(*place, 1))
        return Markup("")

    def _mark(self, path: tuple[Key, ...], text: str) -> Markup:
        """Wrap a figure's text."""
        keys = (str(key).replace("~", "~0").replace("/", "~1") for key in _flat(path))
        pointer = "".join(f"/{key}" for key in keys)
        exact = json.dumps(self.value(*path))
        return Markup('<data value="{}" data-metric="{}">{}</data>').format(exact, pointer, text)


def _flat(path: tuple[Key, ...]) -> list[str | int]:
    """Join keys and lists of keys to one list."""
    keys: list[str | int] = []
    for key in path:
        keys += key if isinstance(key, list) else [key]
    return keys


def image(figure: Figure) -> Markup:
    """Write a figure with the picture inside, its size and its alternative text."""
    width, height = figure.size
    data = base64.b64encode(figure.path.read_bytes()).decode()
    caption = Markup("<figcaption>{}</figcaption>").format(figure.caption) if figure.caption else ""
    return Markup(
        '<figure><img src="data:image/png;base64,{}" width="{}" height="{}" alt="{}">{}</figure>'
    ).format(Markup(data), width, height, escape(figure.alt), caption)


def duration(seconds: float | None) -> str:
    """Write a time with a fitting unit."""
    if seconds is None:
        return MISSING
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.1f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min"


def memory(mib: float | None) -> str:
    """Write an amount of memory, given in MiB, with a fitting unit."""
    if mib is None:
        return MISSING
    return f"{mib:,.0f} MiB" if mib < 1000 else f"{mib / 1024:,.1f} GiB"


def p_value(value: float) -> str:
    """Write a p-value."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _three(value: float | None) -> str:
    """Write a figure with three decimals, or a dash where it is not defined."""
    return MISSING if value is None else _minus(f"{value:.3f}")


def _minus(text: str) -> str:
    """Write a minus sign in the place of a hyphen."""
    return text.replace("-", "−")
