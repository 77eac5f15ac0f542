"""What the report says about the previous run of the same model on the same dataset."""

import csv
import json
import re
from types import SimpleNamespace
from urllib.parse import unquote

import pytest

from pipeline.report import previous
from pipeline.report.sources import Run

NAIVE_BAYES = {"model": "naive_bayes"}
OTHER_ALPHA = {"model": "naive_bayes", "alpha": 0.1, "max_words": 20}
OTHER_SPLIT = {"model": "linear_svm", "split_seed": 1}


def report_of(chain, **settings):
    return chain.task(dataset="toy", **{**NAIVE_BAYES, **settings}).requires()


def section(chain, **settings):
    report = report_of(chain, **settings)
    return previous.section(Run(report.path_of("Evaluate"), "luigi", report.command_of))


def page_of(chain, **settings):
    html = (report_of(chain, **settings).path() / "report.html").read_text()
    return " ".join(html.split())


@pytest.mark.parametrize("model", ["naive_bayes", "linear_svm"])
def test_first_run_of_a_model_has_no_previous_run(several, model):
    assert section(several, model=model) is None
    assert "Since the previous run" not in page_of(several, model=model)


def test_settings_that_differ_have_both_values(several):
    content = section(several, **OTHER_ALPHA)
    assert content["changes"] == [("max_words", "all", "20"), ("alpha", "1.0", "0.1")]
    assert content["other_changes"] == []


def test_metrics_on_the_same_rows_are_compared_by_a_paired_test(several):
    content = section(several, **OTHER_ALPHA)
    assert content["same_rows"]
    assert content["test"].startswith("p ")
    before = Run(report_of(several).path_of("Evaluate"), "luigi", None).metrics["test"]
    assert content["metrics"][0] == ("accuracy", before["accuracy"], ["test", "accuracy"])
    page = page_of(several, **OTHER_ALPHA)
    assert "Both runs have the same test rows" in page
    assert f'<td class="n">{before["accuracy"]:.3f}</td>' in page


def test_page_says_that_test_rows_differ(several):
    content = section(several, **OTHER_SPLIT)
    assert {("split_seed", "0", "1"), ("cost", "2.0", "0.25")} <= set(content["changes"])
    assert not content["same_rows"]
    page = page_of(several, **OTHER_SPLIT)
    assert "The test rows differ" in page
    assert '<th class="n">change</th>' not in page


@pytest.mark.parametrize("latest", [False, True], ids=["folder of the report", "latest"])
def test_link_leads_to_the_previous_report(several, latest):
    folder = report_of(several, **OTHER_SPLIT).path()
    if latest:
        folder = several.outputs / "latest" / "toy" / "linear_svm"
        assert folder.is_symlink()
    (link,) = re.findall(r'<a href="([^"#]+report\.html)">', page_of(several, **OTHER_SPLIT))
    before = report_of(several, model="linear_svm", seed=1, cost=2.0)
    # As a browser does, which does not resolve the symbolic link.
    depth = link.count("../")
    target = folder.parents[depth - 1] / unquote(link.removeprefix(depth * "../"))
    assert target == before.path() / "report.html"
    assert target.is_file()


def test_later_runs_are_not_previous_when_a_report_is_built_again(mine):
    mine.run(dataset="toy", model="naive_bayes", alpha=0.5)
    assert section(mine) is None
    assert section(mine, alpha=0.5)["changes"] == [("alpha", "1.0", "0.5")]


def test_changed_raw_files_are_other_rows(mine):
    path = mine.data / "toy" / "rows.csv"
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    # The ids of the other rows stay the same, and so do the split and the labels.
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*rows[:-1], [f"{rows[-1][0]} again", rows[-1][1]]])
    mine.run(dataset="toy", model="naive_bayes")
    content = section(mine)
    assert "raw files" in content["other_changes"]
    assert not content["same_rows"]
    page = page_of(mine)
    assert "The settings are the same. Other changes: raw files" in page


@pytest.mark.parametrize("task", ["Evaluate", "TrainModel", "Report"])
def test_incomplete_run_is_not_previous(several, task):
    report = report_of(several)
    folder = report.path() if task == "Report" else report.path_of(task)
    name = next(iter(json.loads((folder / "manifest.json").read_text())["files"]))
    (folder / name).rename(folder / "moved")
    try:
        assert section(several, **OTHER_ALPHA) is None
    finally:
        (folder / "moved").rename(folder / name)


@pytest.mark.parametrize(
    ("task", "key", "value", "change"),
    [
        ("DownloadData", "settings", {"dataset": {}}, "description of the dataset"),
        ("Vectorize", "outside", {"glove.txt": "ab"}, "input files of Vectorize"),
        ("Evaluate", "version", 1, "code of Evaluate"),
        ("CleanText", "code", {"parts": {"a:f": "11"}}, "code of CleanText"),
        ("Evaluate", "libraries", {"numpy": "1.0"}, "versions of numpy"),
        # Loaded in one of the two processes only.
        ("Evaluate", "libraries", {"numpy": "2.0", "nltk": "3.9"}, None),
    ],
)
def test_other_changes_are_listed(task, key, value, change):
    def run(**changed):
        plain = {"settings": {}, "outside": {}, "version": 2, "libraries": {"numpy": "2.0"}}
        tasks = ("Evaluate", "Vectorize", "CleanText", "DownloadData")
        manifests = {name: {**plain, **(changed if name == task else {})} for name in tasks}
        return SimpleNamespace(manifests=manifests)

    assert list(previous._other_changes(run(), run())) == []
    assert list(previous._other_changes(run(**{key: value}), run())) == ([change] if change else [])
