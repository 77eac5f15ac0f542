"""The history of a dataset's nights as one page that opens offline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipeline.nightly import figures_history
from pipeline.report.render import fill
from pipeline.report.style import Figure
from pipeline.store import files

_DRAWN = 90  # nights in the figures; the table has all
_STOPPED = {"contract_broken": "contract broken", "drift_stop": "stopped by drift"}
_OUTCOMES = {
    "promoted": "promoted",
    "kept": "champion kept",
    "unchanged": "unchanged data",
    **_STOPPED,
    "rollback": "rolled back",
}
_METRIC_NAMES = {
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss (nats)",
    "matthews": "Matthews correlation",
    "brier": "Brier score",
}


def write_history(
    dataset: str,
    entries: Sequence[Mapping[str, Any]],
    nights: Sequence[Mapping[str, Any]],
    page: Path,
    unreadable: Sequence[tuple[int, str]] = (),
) -> None:
    """Write the history page atomically.

    ``entries`` and ``nights`` are lines of the ledger and records as JSON; a line without a record
    is shown with the content of the ledger. ``unreadable`` has number and text of damaged lines.
    """
    lines = history_lines(entries, nights, page.parent.parent)
    with files.explained(page):
        page.parent.mkdir(parents=True, exist_ok=True)
        with files.scratch_folder() as folder:
            content = _content(dataset, lines, folder)
            content["unreadable"] = list(unreadable)
            html = fill("history.html", content, package="pipeline.nightly")
        # A reason may quote raw data with half of a surrogate pair, which UTF-8 cannot encode.
        files.write_atomically(page, html.encode(errors="replace").decode())


def history_lines(
    entries: Sequence[Mapping[str, Any]], nights: Sequence[Mapping[str, Any]], outputs: Path
) -> list[dict[str, Any]]:
    """Join the lines of the ledger with the records of their nights, in the order of the ledger.

    Each has the cells of its row of the table, the champion after the line, and the champion's
    metric as last measured. Reports and pictures are looked up in the outputs folder.
    """
    records = {(night["date"], night["redo"]): night for night in nights}
    latest = {e["date"]: e["redo"] for e in entries if e["decision"] != "rollback"}
    pairs = [
        (e, {} if e["decision"] == "rollback" else records.get((e["date"], e["redo"]), {}))
        for e in entries
    ]
    # Decisions by another metric than the latest cannot be drawn with the others.
    metrics = [_comparison(night)["metric"] for _, night in pairs if _comparison(night)]
    metric = metrics[-1] if metrics else ""
    measured: dict[str, float] = {}  # the metric as last measured, by digest of the model
    champion: Mapping[str, Any] | None = None
    lines = []
    for entry, night in pairs:
        is_rollback, new_champion = entry["decision"] == "rollback", entry["champion"]
        comparison = _comparison(night)
        is_drawn = comparison.get("metric") == metric
        values = comparison["values"] if is_drawn else {}
        if champion is not None and "champion" in values:
            measured[champion["digest"]] = values["champion"]
        if is_rollback or new_champion:
            champion = new_champion
        if new_champion and "challenger" in values:
            measured[new_champion["digest"]] = values["challenger"]
        line = {
            "metric": _METRIC_NAMES.get(metric, metric.replace("_", " ")),
            "value": values.get("challenger"),
            "interval": comparison["intervals"].get("challenger") if is_drawn else None,
            "champion": champion,
            "promoted": None if is_rollback else new_champion,
            "champion_value": measured.get(champion["digest"]) if champion else None,
            "is_change": is_rollback or new_champion is not None,
            "is_latest": is_rollback or entry["redo"] == latest[entry["date"]],
            # A rollback refers to the night of its champion, and is drawn on its own day.
            "day": entry["time"][:10] if is_rollback else entry["date"],
        }
        lines.append(line | _cells(entry, night, outputs))
    return lines


def _comparison(night: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the numbers of a night's decision, an empty mapping without a decision."""
    return (night.get("decision") or {}).get("figures") or {}


def _cells(entry: Mapping[str, Any], night: Mapping[str, Any], outputs: Path) -> dict[str, Any]:
    """Return the cells that depend on a single line and its record."""
    measures = (night.get("contract") or {}).get("measures") or {}
    drift, comparison = night.get("drift"), _comparison(night)
    psi = {one["name"]: one["psi"] for one in drift["distributions"]} if drift else {}
    seconds = night.get("seconds")
    return {
        "date": entry["date"],
        "outcome": entry["decision"],
        "label": _OUTCOMES[entry["decision"]],
        "reason": entry["reason"],
        "redo": entry["redo"],
        "model": night.get("model"),
        "rows": night.get("rows"),
        "seconds": seconds,
        "minutes": seconds / 60 if seconds else None,
        "memory": night.get("peak_memory_mib"),
        "shares": measures.get("class_shares") or None,
        "level": drift["level"] if drift else None,
        "limits": drift["limits"] if drift else None,
        "psi": psi or None,
        "worst": max(psi.items(), key=lambda pair: pair[1], default=None),
        # Number of comparisons on the holdout rows, level of the last one, and sum of all levels.
        "uses": {
            "number": comparison["comparison_number"],
            "percent": f"{100 * comparison['level']:.2g}",
            "spent": f"{100 * (1 - comparison['confidence']):.2g}",
        }
        if comparison.get("comparison_number")
        else None,
        "links": _links(night, outputs),
    }


def _links(night: Mapping[str, Any], outputs: Path) -> list[tuple[str, str]]:
    """Return name and URL of a night's report and pictures that exist."""
    redo = f"-redo-{night['redo']}" if night.get("redo") else ""
    folder = f"{night.get('dataset')}/nights/{night.get('date')}{redo}"
    paths = [("report", f"{night['report']}/report.html")] if night.get("report") else []
    paths += [(Path(n).stem.replace("_", " "), f"{folder}/{n}") for n in night.get("figures", ())]
    return [(name, quote(f"../{path}")) for name, path in paths if (outputs / path).is_file()]


def _content(dataset: str, lines: Sequence[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Return the content of the template; figures are drawn into a folder."""
    latest = [line for line in lines if line["is_latest"]]
    nights = sorted(
        (line for line in latest if line["outcome"] != "rollback"), key=lambda line: line["date"]
    )
    changes = [line for line in lines if line["is_change"]]
    champion = lines[-1]["champion"] if lines else None
    promotions = [line for line in lines if champion and line["promoted"] == champion]
    counts = {
        label: sum(line["outcome"] == outcome for line in latest)
        for outcome, label in _OUTCOMES.items()
    }
    return {
        "dataset": dataset,
        "lines": list(reversed(lines)),
        "nights": nights,
        "last": nights[-1] if nights else None,
        "champion": champion,
        "champion_line": promotions[-1] if promotions else None,
        "champion_value": lines[-1]["champion_value"] if lines else None,
        "rolled_back": changes[-1] if changes and changes[-1]["outcome"] == "rollback" else None,
        "metric": lines[-1]["metric"] if lines else None,
        "uses": next((line["uses"] for line in reversed(lines) if line["uses"]), None),
        "counts": {label: number for label, number in counts.items() if number},
        "drawn": _DRAWN,
        "figures": _figures(dataset, nights[-_DRAWN:], lines, folder),
    }


def _figures(
    dataset: str, nights: Sequence[dict[str, Any]], lines: Sequence[dict[str, Any]], folder: Path
) -> dict[str, Figure | None]:
    """Draw each figure that has data; return None for the others."""
    first = nights[0]["date"] if nights else ""
    source = f"{dataset}, nights from {first} to {nights[-1]['date']}" if nights else dataset
    drawn = sorted((line for line in lines if line["day"] >= first), key=lambda line: line["day"])
    figures: dict[str, Figure | None] = {}

    def draw(name: str, column: str, alt: str, function: Any, *arguments: Any) -> None:
        path = folder / f"{name}.png"
        has_data = any(night[column] is not None for night in nights)
        if has_data:
            function(nights, *arguments, path, source)
        figures[name] = Figure(path, alt) if has_data else None

    metric = nights[-1]["metric"] if nights else ""
    alt = f"{metric} on the holdout rows by night with 95 % intervals, and the champion's."
    draw("metric", "value", alt, figures_history.metric, drawn, metric)
    alt = "Population stability index of classes, lengths, tokens and scores by night."
    draw("drift", "psi", alt, figures_history.drift)
    draw("shares", "shares", "Share of each class by night.", figures_history.shares)
    bars = figures_history.bars
    draw("rows", "rows", "Rows of each night.", bars, "rows", "rows", _STOPPED)
    draw("minutes", "minutes", "Minutes of each night.", bars, "minutes", "minutes", {})
    alt = "Peak memory of each night in MiB."
    draw("memory", "memory", alt, bars, "memory", "peak memory (MiB)", {})
    return figures
