"""A damaged folder is named, and stops only the commands about that folder."""

import json
import re
import shutil

import pytest
from click.testing import CliRunner

from pipeline.cli import cli
from pipeline.errors import PipelineError

RUN = "toy/naive_bayes"
PLAN = ["plan", "RunAll", "--dataset", "toy", "--model", "naive_bayes", "--alpha", "2"]
# These commands show everything else, whatever one folder holds.
LISTINGS = (["ls"], ["verify"], PLAN, ["gc", "--hours", "0", "--keep", "0"])
ABOUT_A_RUN = (["show", RUN], ["why", RUN], ["diff", RUN, "four/naive_bayes"], ["verify", RUN])
MANIFESTS = {
    "no object": lambda manifest: [1],
    "empty object": lambda manifest: {},
    "files of another type": lambda manifest: {**manifest, "files": [1]},
    "upstream of another type": lambda manifest: {**manifest, "upstream": "above"},
    "settings of another type": lambda manifest: {**manifest, "settings": [1]},
    "all keys null": lambda manifest: dict.fromkeys(manifest),
}


def call(chain, *words):
    chain.set_paths()
    return CliRunner().invoke(cli, list(words), env={"COLUMNS": "200"})


def ends_plainly(done):
    """Return whether a command ended without an internal error."""
    return done.exception is None or isinstance(done.exception, PipelineError | SystemExit)


@pytest.mark.parametrize("change", MANIFESTS.values(), ids=MANIFESTS)
def test_broken_manifest_ends_no_command_in_a_traceback(mine, change):
    for step in "168":
        (path,) = mine.outputs.glob(f"toy/{step}_*/*/manifest.json")
        before = path.read_text()
        path.write_text(json.dumps(change(json.loads(before))))
        for words in LISTINGS:
            done = call(mine, *words)
            assert isinstance(done.exception, SystemExit | None), (step, words, done.exception)
            assert words != ["ls"] or "four" in done.output
        for words in (*ABOUT_A_RUN, ["show", str(path.parent)]):
            assert ends_plainly(call(mine, *words)), (step, words)
        path.write_text(before)


@pytest.mark.parametrize("content", ["{", "{}"], ids=["garbled", "empty"])
def test_broken_summaries_end_no_command_in_a_traceback(mine, content):
    for name in ("metrics.json", "profile.json", "source.json", "head.csv", "training.json"):
        for path in mine.outputs.glob(f"toy/*/*/{name}"):
            path.write_text(content)
    for words in LISTINGS:
        assert isinstance(call(mine, *words).exception, SystemExit | None), words
    for words in ABOUT_A_RUN:
        assert ends_plainly(call(mine, *words)), words


def test_why_marks_a_raw_file_that_cannot_be_read(mine, monkeypatch):
    def refuse(path, memory):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pipeline.store.files.remembered_sha256", refuse)
    assert ", unreadable\n" in call(mine, "why", RUN).output


@pytest.mark.parametrize("place", [".", "..", "../..", "../../../four", "/zz/x", "../8_x/../y"])
def test_repair_moves_no_folder_aside_that_a_manifest_only_points_to(mine, place):
    (path,) = mine.outputs.glob("toy/7_*/*/manifest.json")
    manifest = json.loads(path.read_text())
    manifest["upstream"]["place"] = place
    path.write_text(json.dumps(manifest))
    others = {folder for folder in mine.outputs.glob("*/[1-8]_*/*") if folder != path.parent}
    call(mine, "verify", "--repair", RUN)
    assert set(mine.outputs.glob("*/[1-8]_*/*")) == others


def test_show_of_a_broken_manifest_names_it_and_what_to_do(mine):
    (path,) = mine.outputs.glob("toy/8_*/*/manifest.json")
    path.write_text("{}")
    for name in (RUN, str(path.parent)):
        text = str(call(mine, "show", name).exception)
        assert f"{path.parent}: manifest.json" in text
        assert f"pipeline verify --repair {name}" in text
        assert call(mine, "verify", name).exit_code == 1
    assert call(mine, "verify", "--repair", RUN).exit_code == 0
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"PAR1 this is no table"),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: shutil.copy(path.parent / "curves.parquet", path),
    ],
    ids=["missing", "garbled", "truncated", "other columns"],
)
def test_diff_names_a_table_that_it_cannot_read(mine, harm):
    (path,) = mine.outputs.glob("toy/7_*/*/predictions.parquet")
    harm(path)
    done = call(mine, "diff", RUN, RUN)
    assert isinstance(done.exception, PipelineError)
    assert f"cannot read {path}" in str(done.exception)
    assert f"pipeline verify --repair {path.parent}" in str(done.exception)


def test_diff_names_metrics_that_are_not_there(mine):
    (path,) = mine.outputs.glob("toy/7_*/*/metrics.json")
    path.unlink()
    assert f"cannot read {path}: it does not exist" in str(call(mine, "diff", RUN, RUN).exception)


def test_gc_keeps_what_a_run_with_a_broken_step_was_made_from(mine):
    (path,) = mine.outputs.glob("toy/6_*/*/manifest.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "upstream": "gone"}))
    found = json.loads(call(mine, "gc", "--hours", "0", "--json").output)["found"]
    assert [entry["place"] for entry in found] == [str(path.parent)]


@pytest.mark.parametrize("step", "12567")
def test_verify_of_a_run_names_a_missing_step_and_goes_on(mine, step):
    (place,) = mine.outputs.glob(f"toy/{step}_*/*")
    shutil.rmtree(place)
    (path,) = mine.outputs.glob("toy/3_*/*/tokens.json")
    path.write_text("[]")
    done = call(mine, "verify", RUN)
    assert done.exit_code == 1
    assert f"{place} is missing" in done.output
    assert f"{path.parent}\n  tokens.json has" in done.output
    found = json.loads(call(mine, "verify", RUN, "--json").output)
    assert [entry["place"] for entry in found["gone"]] == [str(place)]
    assert found["artifacts"] == 7
    assert call(mine, "verify", RUN, "--repair").exit_code == 0
    assert not path.parent.exists()


def test_metrics_that_are_not_defined_are_a_dash_and_null(mine):
    for path in mine.outputs.glob("*/7_*/*/metrics.json"):
        metrics = json.loads(path.read_text())
        metrics["test"] |= {"roc_auc": float("nan"), "log_loss": float("inf")}
        metrics["test"]["intervals"]["log_loss"] = [float("nan"), 1.0]
        path.write_text(json.dumps(metrics))
    for words in (["ls"], ["show", RUN], ["diff", RUN, RUN]):
        text = call(mine, *words).output
        assert not {"nan", "inf", "+nan", "-inf"} & set(re.split(r"[\s,\[\]]+", text)), words
        assert "–" in text
        found = call(mine, *words, "--json").output
        assert json.loads(found, parse_constant=lambda name: pytest.fail(name))


@pytest.mark.parametrize("step", "58")
def test_plan_after_a_repair_says_that_the_folder_was_moved_aside(mine, step):
    mine.run(dataset="toy", model="naive_bayes", alpha=3.0)
    place = (mine.outputs / "latest/toy/naive_bayes").resolve()
    if step == "5":
        (place,) = mine.outputs.glob("toy/5_*/*")
    (place / "manifest.json").unlink()
    call(mine, "verify", "--repair")
    words = ["plan", "--dataset", "toy", "--model", "naive_bayes", "--alpha", "3", "--json"]
    steps = json.loads(call(mine, *words).output)["steps"]
    (item,) = (item for item in steps if item["place"] and item["place"].endswith(place.name))
    assert (item["kind"], item["action"]) == ("file", "run")
    (aside,) = (mine.outputs / ".damaged").glob(f"*/toy/*/{place.name}")
    shown = aside.relative_to(mine.outputs)
    assert item["why"] == f"its folder was damaged and moved to {shown}"


@pytest.mark.parametrize(
    "name", [".DS_Store", "figures/Thumbs.db", "desktop.ini", "Desktop.ini", "._head.csv"]
)
def test_files_of_file_managers_are_no_damage(mine, name):
    (place,) = mine.outputs.glob("toy/8_*/*")
    (place / name).write_text("a view")
    assert call(mine, "verify").exit_code == 0
    (place / "figures" / "more.png").write_text("mine")
    assert "figures/more.png is not in the manifest" in call(mine, "verify").output
