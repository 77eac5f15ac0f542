import pytest
from runs import SCORED, made_up_run

from pipeline.report.headline import changed_by_copies


@pytest.mark.parametrize(
    ("positive_named", "first"), [(False, "accuracy"), (True, "F1 of good")], ids=str
)
def test_metrics_without_copies_begin_with_the_headline(positive_named, first):
    without = {**SCORED, "accuracy": 0.8, "macro": {"f1": 0.7}, "by_class": {"good": {"f1": 0.6}}}
    run = made_up_run(positive_named=positive_named)
    run.metrics["leaks"]["without_exact_and_near"] = without
    assert next(iter(changed_by_copies(run))) == first
    assert len(changed_by_copies(run)) == 3


@pytest.mark.parametrize(("after", "changed"), [(0.8951, []), (0.8949, ["accuracy"])])
def test_change_of_more_than_half_a_point_counts(after, changed):
    run = made_up_run()
    run.metrics["leaks"]["without_exact_and_near"] = {**SCORED, "accuracy": after}
    assert list(changed_by_copies(run)) == changed
