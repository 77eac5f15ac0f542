import pytest
from runs import BASELINE, made_up_run

from pipeline.report.verdict import verdict


def run_with(level, metric="accuracy", p_value=0.2, name="naive_bayes", **changes):
    found = {"baseline": name, "level": level, "metric": metric, "p_value": p_value}
    return made_up_run(**{"metrics.verdict": found, **changes})


@pytest.mark.parametrize(
    ("run", "title"),
    [
        (run_with("better"), "bilstm beats the baseline naive_bayes."),
        (run_with("worse"), "bilstm is worse than the baseline naive_bayes."),
        (run_with("no better"), "bilstm does not beat the baseline naive_bayes."),
        (
            run_with("better", name="majority"),
            "bilstm beats a model that always predicts the largest class.",
        ),
        (
            run_with("mixed", **{"metrics.baselines.naive_bayes.difference.macro_f1.value": -0.1}),
            "bilstm has a higher accuracy than the baseline naive_bayes, but a lower macro F1.",
        ),
        (
            run_with("mixed", "macro_f1"),
            "bilstm has a higher macro F1 than the baseline naive_bayes, and no other difference "
            "beyond chance.",
        ),
    ],
    ids=["better", "worse", "no better", "majority", "mixed", "mixed by macro F1"],
)
def test_title_has_the_level_and_the_baseline(run, title):
    assert verdict(run).title == title


def test_level_and_p_value_are_of_the_same_test():
    # Only the model is right in 4 rows: the interval is above 0, and the test is not significant.
    compared = {"interval": [0.002, 0.008], "value": 0.004}
    run = run_with(
        "no better",
        p_value=0.125,
        **{"metrics.baselines.naive_bayes.difference": {"accuracy": compared}},
    )
    result = verdict(run)
    assert (result.level, result.p_value) == ("no better", 0.125)
    assert "beats" not in result.title


@pytest.mark.parametrize(
    ("names", "chosen", "part", "chosen_by"),
    [
        ("n", "n", "validation", ""),
        ("nl", "l", "validation", "the stronger of two baselines by accuracy on validation rows"),
        (
            "nlv",
            "l",
            "validation",
            "the strongest of three baselines by accuracy on validation rows",
        ),
        (
            "nl",
            "n",
            None,
            "the first of the baselines, without validation rows to choose one",
        ),
        ("", "majority", "validation", ""),
    ],
    ids=["one", "two", "three", "no validation rows", "none"],
)
def test_verdict_has_the_reason_for_the_baseline(names, chosen, part, chosen_by):
    run = run_with("better", name=chosen)
    run.metrics["baselines"] = dict.fromkeys([*names, "majority"], BASELINE)
    run.metrics["verdict"]["chosen_by"] = {"part": part, "metric": "accuracy", "values": {}}
    assert verdict(run).chosen_by == chosen_by


def test_verdict_has_the_metric_that_decided_and_its_path():
    result = verdict(run_with("worse", "macro_f1"))
    assert (result.metric, result.key, result.path) == ("macro F1", "macro_f1", ["macro", "f1"])
    assert verdict(run_with("better")).path == ["accuracy"]
