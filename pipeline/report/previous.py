"""What changed since the previous run of the same model on the same dataset."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
import pyarrow.compute as pc

from pipeline.evaluation.paired import exact_test
from pipeline.report.headline import headlines
from pipeline.report.lineage import setting_text
from pipeline.report.render import p_value
from pipeline.report.sources import Run
from pipeline.store.code_hash import changed_parts
from pipeline.store.manifests import is_complete
from pipeline.store.outputs import Artifact
from pipeline.store.run import FinishedRun, metric_at

_NEEDED = ("Report", "Evaluate", "TrainModel")  # artifacts of a run that can be compared
_AFTER_ALL = "9999"  # later than every time of publishing


class Change(NamedTuple):
    """A setting that differs, with both values as text."""

    name: str
    before: str
    now: str


def section(run: Run) -> dict[str, Any] | None:
    """Return the content of the section, None for the first run of a model on a dataset."""
    report = _previous_report(run)
    if report is None:
        return None
    before = FinishedRun(report.path, run.store)
    return {
        "link": _link(report),
        "finished": report.finished[:16].replace("T", " "),
        "changes": list(_changed_settings(before, run)),
        "other_changes": list(_other_changes(before, run)),
        "metrics": [
            (name, metric_at(before.metrics["test"], keys), ["test", *keys])
            for name, keys in headlines(run).items()
        ],
        "rows": before.metrics["test"]["rows"],
        **_paired(before, run),
    }


def _previous_report(run: Run) -> Artifact | None:
    """Return the newest report of the model that was published before the first one of this run.

    A report of this run can exist already: an older version of the page, or the same one if it is
    built again. Runs between that report and now came later, so they are not previous.
    """
    own, others = _AFTER_ALL, []
    for report in run.store.runs(run.dataset):  # newest first
        steps = {step.task: step for step in run.store.chain(report)}
        if not all(task in steps and is_complete(steps[task].path) for task in _NEEDED):
            continue
        if steps["Evaluate"].path == run.artifact.path:
            own = report.finished
        elif steps["TrainModel"].manifest["settings"]["model"] == run.model:
            others.append(report)
    return next((report for report in others if report.finished < own), None)


def _link(report: Artifact) -> str:
    """Return the relative address of a report.

    It is right from the folder of a report and from the link in ``latest``, which a browser does
    not resolve: both are three folders below the outputs folder.
    """
    places = (report.dataset, report.path.parent.name, report.path.name, "report.html")
    return "../../../" + "/".join(map(quote, places))


def _steps_of_both(before: FinishedRun, run: Run) -> Iterator[tuple[str, Any, Any]]:
    """Yield task, manifest before and manifest now of each step up to Evaluate."""
    for task, manifest in reversed(run.manifests.items()):
        if task in before.manifests:
            yield task, before.manifests[task], manifest


def _changed_settings(before: FinishedRun, run: Run) -> Iterator[Change]:
    """Yield the settings that differ; the description of the dataset is none."""
    for task, old, new in _steps_of_both(before, run):
        names = {} if task == "DownloadData" else {**old["settings"], **new["settings"]}
        for name in names:
            values = (side["settings"].get(name) for side in (old, new))
            text, new_text = map(setting_text, values)
            if text != new_text:
                yield Change(name, text, new_text)


def _other_changes(before: FinishedRun, run: Run) -> Iterator[str]:
    """Yield what else differs: raw files, description of the dataset, code, libraries."""
    changed_code = []
    for task, old, new in _steps_of_both(before, run):
        if task == "DownloadData":
            if old["settings"] != new["settings"]:
                yield "description of the dataset"
            if old["outside"] != new["outside"]:
                yield "raw files"
        elif old["outside"] != new["outside"]:
            yield f"input files of {task}"
        parts = [side.get("code", {}).get("parts", {}) for side in (old, new)]
        if changed_parts(*parts) or old["version"] != new["version"]:
            changed_code.append(task)
    if changed_code:
        yield f"code of {', '.join(changed_code)}"
    libraries = [side.manifests["Evaluate"].get("libraries", {}) for side in (before, run)]
    # The manifest has the libraries that its process had loaded: another run may have loaded more.
    shared = libraries[0].keys() & libraries[1].keys()
    names = sorted(name for name in shared if libraries[0][name] != libraries[1][name])
    if names:
        yield f"versions of {', '.join(names)}"


def _paired(before: FinishedRun, run: Run) -> dict[str, Any]:
    """Return whether the test rows are the same, and the test of the accuracy on them."""
    raw_files = [side.manifests["DownloadData"]["outside"] for side in (before, run)]
    old, new = _test_rows(before), _test_rows(run)
    is_same = raw_files[0] == raw_files[1] and all(
        np.array_equal(old[column], new[column]) for column in ("id", "label")
    )
    if not is_same:
        return {"same_rows": False, "test": ""}
    right, right_before = (rows["decided"] == rows["label"] for rows in (new, old))
    groups = run.duplicate_groups.loc[new["id"]].to_numpy()
    return {
        "same_rows": True,
        "test": p_value(exact_test(right, right_before, groups).two_sided),
    }


def _test_rows(run: FinishedRun) -> dict[str, np.ndarray]:
    """Return id, label and predicted class of the test rows, ordered by id."""
    columns: Sequence[str] = ("id", "label", "decided")
    table = run.read_table("Evaluate", "predictions.parquet", [*columns, "part"])
    rows = table.filter(pc.equal(table["part"], "test")).sort_by("id")
    return {name: np.array(rows[name].to_pylist()) for name in columns}
