"""The history of a dataset's nights as one page that opens offline."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipeline.nightly import figures_history
from pipeline.report.render import fill
from pipeline.report.style import Figure
from pipeline.store import artifacts

_DRAWN = 90  # nights in the figures; the table has all
_FIGURES = ("metric", "drift", "rows", "shares", "minutes", "memory")
_OUTCOMES = {
    "promoted": "promoted",
    "kept": "champion kept",
    "unchanged": "unchanged data",
    "contract_broken": "contract broken",
    "drift_stop": "stopped by drift",
    "rollback": "rolled back",
}
_NAMES = {
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss (nats)",
    "matthews": "Matthews correlation",
    "brier": "Brier score",
}
_STOPPED = {"contract_broken": "contract broken", "drift_stop": "stopped by drift"}


def write_history(
    dataset: str,
    entries: Sequence[Mapping[str, Any]],
    nights: Sequence[Mapping[str, Any]],
    page: Path,
    unreadable: Sequence[tuple[int, str]] = (),
) -> None:
    """Write the page, replaced as a whole.

    Parameters
    ----------
    dataset : str
    entries : sequence of mapping
        Lines of the ledger (`pipeline.nightly.ledger.Entry.as_json`).
    nights : sequence of mapping
        What is there of records (`pipeline.nightly.night.Night.as_json`), in any order; a night
        of the ledger without one is shown with what the ledger says.
    page : Path
        ``outputs/history/<dataset>.html``; links to reports go from there to ``../<report>``.
    unreadable : sequence of (int, str)
        Lines of the ledger that are none.
    """
    lines = history_lines(entries, nights, page.parent.parent)
    with artifacts.explained(page):
        page.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            content = page_content(dataset, lines, Path(folder))
            html = fill("history.html", {**content, "unreadable": list(unreadable)})
        # What no file can hold, half of a surrogate pair, raw data can bring into a reason.
        artifacts.write_atomically(page, html.encode(errors="replace").decode())


def history_lines(
    entries: Sequence[Mapping[str, Any]], nights: Sequence[Mapping[str, Any]], outputs: Path
) -> list[dict[str, Any]]:
    """Join the ledger's lines with the records of their nights, in the ledger's order.

    Parameters
    ----------
    entries, nights : sequence of mapping
        See `write_history`.
    outputs : Path
        Where the reports and pictures that are still there are looked for.

    Returns
    -------
    list of dict
        One for each line: what the table shows, the metric with its interval, the champion after
        the line, and the champion's metric as far as it is known.
    """
    records = {(night["date"], night.get("redo", 0)): night for night in nights}
    decided = [entry for entry in entries if entry["decision"] != "rollback"]
    counts = {entry["date"]: entry.get("redo", 0) for entry in decided}  # the last of each date
    metric = _metric(entries, records)
    known: dict[str, float] = {}  # the metric by digest, as last measured
    champion: Mapping[str, Any] | None = None
    lines = []
    for entry in entries:
        is_rollback = entry["decision"] == "rollback"
        redo = entry.get("redo", 0)
        night = {} if is_rollback else records.get((entry["date"], redo), {})
        values, intervals = _values(night, metric)
        if champion is not None and "champion" in values:
            known[champion["digest"]] = values["champion"]
        champion = entry["champion"] if is_rollback else entry["champion"] or champion
        if entry["champion"] and "challenger" in values:
            known[entry["champion"]["digest"]] = values["challenger"]
        lines.append(
            {
                "date": entry["date"],
                # A rollback has no night of its own; it is drawn on its day.
                "day": entry["time"][:10] if is_rollback else entry["date"],
                "outcome": entry["decision"],
                "label": _OUTCOMES[entry["decision"]],
                "reason": entry["reason"],
                "model": night.get("model"),
                "metric": _NAMES.get(metric or "", (metric or "").replace("_", " ")),
                "value": values.get("challenger"),
                "interval": intervals.get("challenger"),
                "champion": champion,
                "crowned": None if is_rollback else entry["champion"],
                "champion_value": known.get(champion["digest"]) if champion else None,
                "is_change": is_rollback or entry["champion"] is not None,
                "redo": redo,
                "counts": is_rollback or redo == counts[entry["date"]],
                "rows": night.get("rows"),
                "seconds": night.get("seconds"),
                "minutes": night["seconds"] / 60 if night.get("seconds") else None,
                "memory": night.get("peak_memory_mib"),
                "drift": _drift(night),
                "shares": ((night.get("contract") or {}).get("measures") or {}).get("class_shares"),
                "uses": _uses(night),
                "links": list(_links(night, outputs)),
            }
        )
    return lines


def page_content(dataset: str, lines: Sequence[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Gather what the template shows, figures drawn into a folder."""
    nights = sorted(
        (line for line in lines if line["outcome"] != "rollback" and line["counts"]),
        key=lambda line: line["date"],
    )
    changes = [line for line in lines if line["is_change"]]
    champion = lines[-1]["champion"] if lines else None
    crowned = next((line for line in reversed(lines) if line["is_change"]), None)
    own = [line for line in lines if champion and line["crowned"] == champion]
    return {
        "dataset": dataset,
        "lines": list(reversed(lines)),
        "nights": nights,
        "last": nights[-1] if nights else None,
        "changes": changes,
        "champion": champion,
        "champion_line": own[-1] if own else None,
        "champion_value": lines[-1]["champion_value"] if lines else None,
        "rolled_back": crowned if crowned and crowned["outcome"] == "rollback" else None,
        "metric": lines[-1]["metric"] if lines else None,
        "uses": next((line["uses"] for line in reversed(lines) if line["uses"]), None),
        "counts": {
            label: number
            for outcome, label in _OUTCOMES.items()
            if (number := sum(line["outcome"] == outcome and line["counts"] for line in lines))
        },
        "drawn": _DRAWN,
        "figures": _figures(nights[-_DRAWN:], lines, folder),
    }


def _metric(
    entries: Sequence[Mapping[str, Any]],
    records: Mapping[tuple[str, int], Mapping[str, Any]],
) -> str | None:
    """Return the metric of the latest decision; earlier ones by another cannot be drawn with it."""
    for entry in reversed(entries):
        decision = records.get((entry["date"], entry.get("redo", 0)), {}).get("decision")
        if decision and entry["decision"] != "rollback":
            return decision["figures"]["metric"]
    return None


def _values(
    night: Mapping[str, Any], metric: str | None
) -> tuple[Mapping[str, float], Mapping[str, Sequence[float] | None]]:
    """Return the metric and its interval of each model that a night compared."""
    figures = (night.get("decision") or {}).get("figures")
    if not figures or figures["metric"] != metric:
        return {}, {}
    return figures["values"], figures["intervals"]


def _uses(night: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how often a night's frozen rows were compared on, and the level that this left."""
    figures = (night.get("decision") or {}).get("figures") or {}
    if not figures.get("comparison_number"):
        return None
    return {
        "number": figures["comparison_number"],
        "percent": f"{100 * figures['level']:.2g}",
        "spent": f"{100 * (1 - figures['confidence']):.2g}",
    }


def _drift(night: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return level and stability indices of a night."""
    found = night.get("drift")
    if not found:
        return None
    psi = {one["name"]: one["psi"] for one in found["distributions"]}
    worst = max(psi.items(), key=lambda pair: pair[1], default=None)
    limits = (found["limits"]["warning_psi"], found["limits"]["stop_psi"])
    return {"level": found["level"], "psi": psi, "worst": worst, "limits": limits}


def _links(night: Mapping[str, Any], outputs: Path) -> Iterator[tuple[str, str]]:
    """Yield name and address of what is there of a night's report and pictures."""
    places = []
    if night.get("report"):
        places.append(("report", f"{night['report']}/report.html"))
    again = f"-redo-{night['redo']}" if night.get("redo") else ""
    folder = f"{night.get('dataset')}/nights/{night.get('date')}{again}"
    places += [
        (Path(name).stem.replace("_", " "), f"{folder}/{name}") for name in night.get("figures", ())
    ]
    for name, place in places:
        if (outputs / place).is_file():
            yield name, quote(f"../{place}")


def _figures(
    nights: Sequence[dict[str, Any]], lines: Sequence[dict[str, Any]], folder: Path
) -> dict[str, Figure | None]:
    """Draw what there is anything to draw of, by name; None for the rest."""
    found: dict[str, Figure | None] = dict.fromkeys(_FIGURES)
    if not nights:
        return found
    first = nights[0]["date"]
    shown = [line for line in lines if line["day"] >= first]
    standing = [
        (line["day"], line["champion_value"])
        for line in shown
        if line["champion_value"] is not None
    ]
    if any(night["value"] is not None for night in nights):
        name = nights[-1]["metric"]
        path = folder / "metric.png"
        changes = [(line["day"], line["outcome"]) for line in shown if line["is_change"]]
        figures_history.metric(
            nights, sorted(standing, key=lambda pair: pair[0]), changes, name, path
        )
        alt = f"{name} on the frozen rows by night with 95 % intervals, and the champion's."
        found["metric"] = Figure(path, alt)
    drifts = [{**night, "psi": (night["drift"] or {}).get("psi")} for night in nights]
    if any(night["psi"] for night in drifts):
        limits = [night["drift"]["limits"] for night in nights if night["drift"]][-1]
        path = folder / "drift.png"
        figures_history.drift(drifts, limits, path)
        alt = "Population stability index of classes, lengths, tokens and scores by night."
        found["drift"] = Figure(path, alt)
    for key, name, alt in (
        ("rows", "rows", "Rows of each night."),
        ("minutes", "minutes", "Minutes that each night took."),
        ("memory", "peak memory (MiB)", "Peak memory of each night in MiB."),
    ):
        if any(night[key] is not None for night in nights):
            path = folder / f"{key}.png"
            marked = _STOPPED if key == "rows" else None
            figures_history.bars(nights, key, name, path, marked)
            found[key] = Figure(path, alt)
    if any(night["shares"] for night in nights):
        path = folder / "shares.png"
        figures_history.shares(nights, path)
        found["shares"] = Figure(path, "Share of each class by night.")
    return found
