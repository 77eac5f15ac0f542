"""Stand-ins for the runs that the report reads, with plain values that a test changes."""

from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pandas as pd

from pipeline.report.suggestion import with_option

BASELINE = {
    "difference": {
        "accuracy": {"value": 0.05, "interval": [0.01, 0.09]},
        "macro_f1": {"value": 0.05, "interval": [0.01, 0.09]},
    },
    "mcnemar": {"only_model_right": 60, "only_baseline_right": 10, "p_value": 0.001},
}
SCORED = {
    "rows": 1000,
    "accuracy": 0.9,
    "macro": {"f1": 0.88},
    "by_class": {
        "bad": {"rows": 400, "recall": 0.85, "f1": 0.86},
        "good": {"rows": 600, "recall": 0.93, "f1": 0.92},
    },
}


def made_up_run(model="bilstm", **changes):
    """Return a run that needs no advice; changes are values by dotted path."""
    run = SimpleNamespace(
        model=model,
        command=f"luigi --module pipeline RunAll --dataset toy --model {model}",
        positive_named=False,
        class_names=["bad", "good"],
        settings={"dropout": 0.5, "units": [64], "epochs": 20, "patience": 3, "seed": 0},
        profile={"contradicting_texts": 0, "partitions": {"labelled": 10_000}},
        training={"epochs": 8, "best_epoch": 5},
        balance={"rows": {"train": 8000, "validation": 1000, "test": 1000}},
        decision={"threshold": None, "temperature": 1.0, "not_chosen_because": "no threshold"},
        bundle={
            "representation": "sequences",
            "steps": {"Vectorize": {"group_duplicates": "exact"}},
        },
        vectors={},
        other_runs=[],
        trained_on_validation=False,
        validation_predictions=predictions(0.9),
        duplicate_groups=pd.Series(np.arange(1000)),
        metrics={
            "positive_label": "good",
            "test": {**deepcopy(SCORED), "intervals": {"accuracy": [0.88, 0.92]}},
            "validation": deepcopy(SCORED),
            "train": {**deepcopy(SCORED), "rows": 8000, "accuracy": 0.95},
            "baselines": {"majority": deepcopy(BASELINE), "naive_bayes": deepcopy(BASELINE)},
            "verdict": {
                "baseline": "naive_bayes",
                "level": "better",
                "metric": "accuracy",
                "p_value": 0.001,
                "chosen_by": {"part": "validation", "metric": "accuracy", "values": {}},
            },
            "threshold": {"threshold": None, "reached": True, "goal": "f1", "floor": None},
            "calibration": {
                "temperature": 1.0,
                "raw": {"expected_calibration_error": 0.02},
                "calibrated": {
                    "expected_calibration_error": 0.02,
                    "by_chance": {"mean": 0.02, "upper": 0.03},
                },
            },
            "leaks": {
                "exact": 0,
                "near": 0,
                "without_exact": None,
                "without_exact_and_near": None,
            },
            "slices": [],
        },
    )
    run.command_of = lambda settings: with_option(run.command, "model", settings["model"])
    for path, value in changes.items():
        *keys, last = path.split(".")
        target = vars(run)
        for key in keys:
            target = target[key]
        target[last] = value
    return run


def other_run(model="logistic_regression", accuracy=0.95, **attributes):
    """Return another run on the same split, with its accuracy on validation and test rows."""
    scored = {**deepcopy(SCORED), "accuracy": accuracy}
    run = SimpleNamespace(
        model=model,
        settings={"model": model},
        metrics={"validation": scored, "test": attributes.pop("test", scored)},
        trained_on_validation=False,
        differs_by_seed=False,
        validation_predictions=predictions(accuracy),
    )
    vars(run).update(attributes)
    return run


def predictions(accuracy):
    """Return labels and predicted classes of 1,000 validation rows, the first ones correct."""
    label = np.where(np.arange(1000) % 5 < 2, "bad", "good")
    wrong = np.where(label == "bad", "good", "bad")
    is_right = np.arange(1000) < round(1000 * accuracy)
    return pd.DataFrame({"label": label, "decided": np.where(is_right, label, wrong)})
