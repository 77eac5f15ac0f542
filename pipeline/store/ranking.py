"""Rank runs by their validation rows, among runs with the same split.

Test metrics rank nothing: if they chose the run, they would be too good.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.store.files import canonical
from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import headline, run_row, split_digest

#: Settings of Vectorize that decide the split.
SPLIT = (
    *("split_seed", "validation_seed", "folds", "fold"),
    *("test_fraction", "validation_fraction", "group_duplicates"),
)
_DATA_STEPS = ("DownloadData", "CleanText")
_MODEL_STEPS = ("Tokenize", "Vectorize", "TrainModel")
_HEADING = ("dataset", "model", "representation", "seed")  # shown elsewhere, or part of the model


@dataclass(frozen=True)
class ScoredRun:
    """A run with a report, or a run of ``--no-test``, which has validation metrics only."""

    store: Store
    artifact: Artifact  # of Report or Validate

    @cached_property
    def steps(self) -> dict[str, Artifact]:
        """The artifacts of its chain by task."""
        return {step.task: step for step in self.store.chain(self.artifact)}

    @cached_property
    def row(self) -> dict[str, Any]:
        """The row of ``pipeline ls``: that of `run_row`, and what is known of validation rows."""
        settings = self.settings("TrainModel")
        return {
            **run_row(self.store, self.artifact),
            "validation_macro_f1": self.validation["macro_f1"],
            "validation_accuracy": self.validation["accuracy"],
            "seed": settings.get("seed"),
            "no_test": self.artifact.task != "Report",
        }

    @cached_property
    def validation(self) -> dict[str, float | None]:
        """Headline metrics of validation rows; None where the model was trained on them too."""
        trained = self.steps.get("TrainModel")
        if trained is None or "refitted_on_validation" in trained.summary("training.json"):
            return headline({})
        for task, name in (("Evaluate", "metrics.json"), ("Validate", "validation.json")):
            if task in self.steps:
                return headline(self.steps[task].summary(name).get("validation"))
        return headline({})

    @cached_property
    def split(self) -> str | None:
        """The sha256 of ``split.parquet``, None where it was deleted."""
        return split_digest(self.store, self.artifact)

    def settings(self, *tasks: str) -> dict[str, Any]:
        """Return the settings of some steps."""
        found = (self.steps[task].manifest["settings"] for task in tasks if task in self.steps)
        return {name: value for settings in found for name, value in settings.items()}

    @cached_property
    def decision(self) -> dict[str, Any]:
        """The settings of Evaluate that change predictions: Validate uses none."""
        settings = self.settings("Evaluate")
        names = ("threshold_goal", "positive_label")
        is_chosen = settings.get("threshold_goal", "none") != "none"
        return {name: settings[name] for name in names if name in settings} if is_chosen else {}

    @cached_property
    def candidate(self) -> str:
        """A key that is equal for runs that differ only by seed."""
        trained = self.steps.get("TrainModel")
        if trained is None:
            return str(self.artifact.path)
        settings = {n: v for n, v in trained.manifest["settings"].items() if n != "seed"}
        above = (trained.manifest["upstream"] or {}).get("digest")
        return canonical([settings, trained.manifest.get("version"), above, self.decision])


def scored_runs(store: Store, dataset: str = "*") -> list[ScoredRun]:
    """Return the reports and the runs of ``--no-test`` without a report, newest first."""
    reports = [ScoredRun(store, artifact) for artifact in store.runs(dataset)]
    reported = {run.steps["TrainModel"] for run in reports if "TrainModel" in run.steps}
    validated = [
        ScoredRun(store, artifact)
        for artifact in store.all(dataset, "7_*")
        if artifact.task == "Validate"
    ]
    runs = reports + [run for run in validated if run.steps.get("TrainModel") not in reported]
    return sorted(runs, key=lambda run: (run.artifact.finished, run.artifact.digest), reverse=True)


def comparable(newest_first: Iterable[ScoredRun]) -> list[list[ScoredRun]]:
    """Group the runs of a dataset: same split, and same version of the task that scores."""
    runs = list(newest_first)
    evaluated = [run.steps["Evaluate"] for run in runs if "Evaluate" in run.steps]
    newest = max((artifact.manifest["version"] for artifact in evaluated), default=0)
    groups: dict[tuple[Any, ...], list[ScoredRun]] = defaultdict(list)
    for run in runs:
        scorer = run.steps.get("Evaluate")
        version = scorer.manifest["version"] if scorer else newest
        # Without its split a run is comparable with none.
        groups[run.split or run.artifact.path, version].append(run)
    return list(groups.values())


def ranking_metric(runs: Iterable[ScoredRun]) -> str:
    """Return the metric that ranks runs: macro F1, or accuracy where one has no macro F1."""
    scores = [run.validation for run in runs if set(run.validation.values()) != {None}]
    return "macro_f1" if all(row["macro_f1"] is not None for row in scores) else "accuracy"


def rankings(newest_first: Sequence[ScoredRun]) -> list[dict[str, Any]]:
    """Rank the runs of a dataset.

    Returns
    -------
    list of dict
        One for each split: ``dataset``, ``split`` (its settings that differ from those of other
        splits), ``rows`` (digest of the split), ``metric`` (that ranks) and ``candidates``, the
        best first: ``rank`` (None without validation metrics), ``model``, ``settings`` (those that
        differ from other candidates), ``validation`` and ``test`` (each mean and range of
        ``metric`` over seeds) and ``runs`` (rows of the runs by seed).
    """
    groups = comparable(newest_first)
    splits = [_split_settings(group[0]) for group in groups]
    varying = set(_varying([{name: split.get(name) for name in SPLIT} for split in splits]))
    return [
        {
            "dataset": group[0].artifact.dataset,
            "split": {name: split[name] for name in SPLIT if name in varying and name in split},
            "rows": group[0].split and group[0].split[:8],
            "metric": ranking_metric(group),
            "candidates": _candidates(group),
        }
        for group, split in zip(groups, splits, strict=True)
    ]


def _split_settings(run: ScoredRun) -> dict[str, Any]:
    """Return the settings of a split; the fold only of a cross-validation."""
    settings = run.settings("Vectorize")
    unused = () if settings.get("folds") else ("folds", "fold")
    return {name: settings[name] for name in SPLIT if name in settings and name not in unused}


def _candidates(group: Sequence[ScoredRun]) -> list[dict[str, Any]]:
    """Describe the candidates of a split, the best by validation rows first."""
    metric = ranking_metric(group)
    by_candidate: dict[str, dict[Any, ScoredRun]] = defaultdict(dict)
    for run in group:  # the newest of the runs with the same seed counts
        by_candidate[run.candidate].setdefault(run.row["seed"], run)
    seeds = [
        sorted(runs.values(), key=lambda run: run.row["seed"] or 0)
        for runs in by_candidate.values()
    ]
    candidates = [
        {
            "rank": None,
            "model": runs[0].row["model"],
            "settings": settings,
            "validation": _spread(run.validation[metric] for run in runs),
            "test": _spread(run.row[metric] for run in runs),
            "runs": [run.row for run in runs],
        }
        for runs, settings in zip(seeds, _differences([runs[0] for runs in seeds]), strict=True)
    ]
    scored = [entry for entry in candidates if entry["validation"]["mean"] is not None]
    scored.sort(key=lambda entry: -entry["validation"]["mean"])
    for rank, entry in enumerate(scored, start=1):
        entry["rank"] = rank
    return scored + [entry for entry in candidates if entry["rank"] is None]


def _differences(runs: Sequence[ScoredRun]) -> list[dict[str, Any]]:
    """Return the settings of each run that differ from other runs.

    Settings of the steps from tokens to model are compared within a model, because other models
    have other defaults.
    """
    data = [run.settings(*_DATA_STEPS) for run in runs]
    model = [{**run.settings(*_MODEL_STEPS), **run.decision} for run in runs]
    names = [run.row["model"] for run in runs]
    of_data = _varying(data)
    of_model = {
        name: _varying([row for row, other in zip(model, names, strict=True) if other == name])
        for name in set(names)
    }
    return [
        {
            key: row[key]
            for row, keys in ((data[at], of_data), (model[at], of_model[names[at]]))
            for key in keys
            if key in row and key not in (*SPLIT, *_HEADING)
        }
        for at in range(len(runs))
    ]


def _varying(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names whose values are not the same in all rows, sorted."""
    names = {name for row in rows for name in row}
    return sorted(name for name in names if len({canonical([row.get(name)]) for row in rows}) > 1)


def _spread(values: Iterable[float | None]) -> dict[str, float | None]:
    """Return mean, minimum and maximum of the values that are not None."""
    numbers = [value for value in values if value is not None]
    if not numbers:
        return {"mean": None, "least": None, "most": None}
    return {"mean": statistics.fmean(numbers), "least": min(numbers), "most": max(numbers)}
