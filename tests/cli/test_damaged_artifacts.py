"""A command reports a damaged folder; only commands about that folder fail."""

import json
import re
import shutil

import pytest
from click.testing import CliRunner

from pipeline.cli import cli
from pipeline.errors import PipelineError

RUN = "toy/naive_bayes"
PLAN = ["plan", "RunAll", "--dataset", "toy", "--model", "naive_bayes", "--alpha", "2"]
# These commands show everything else where one folder is damaged.
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


def call(chain, *arguments):
    chain.set_paths()
    return CliRunner().invoke(cli, list(arguments), env={"COLUMNS": "200"})


def ends_plainly(done):
    """Return whether a command ended without an internal error."""
    return done.exception is None or isinstance(done.exception, PipelineError | SystemExit)


@pytest.mark.parametrize("change", MANIFESTS.values(), ids=MANIFESTS)
def test_broken_manifest_ends_no_command_in_a_traceback(mine, change):
    for step in "168":
        (path,) = mine.outputs.glob(f"toy/{step}_*/*/manifest.json")
        before = path.read_text()
        path.write_text(json.dumps(change(json.loads(before))))
        for arguments in LISTINGS:
            done = call(mine, *arguments)
            assert isinstance(done.exception, SystemExit | None), (step, arguments, done.exception)
            assert arguments != ["ls"] or "four" in done.output
        for arguments in (*ABOUT_A_RUN, ["show", str(path.parent)]):
            assert ends_plainly(call(mine, *arguments)), (step, arguments)
        path.write_text(before)


@pytest.mark.parametrize("content", ["{", "{}"], ids=["garbled", "empty"])
def test_broken_summaries_end_no_command_in_a_traceback(mine, content):
    for name in ("metrics.json", "profile.json", "source.json", "head.csv", "training.json"):
        for path in mine.outputs.glob(f"toy/*/*/{name}"):
            path.write_text(content)
    for arguments in LISTINGS:
        assert isinstance(call(mine, *arguments).exception, SystemExit | None), arguments
    for arguments in ABOUT_A_RUN:
        assert ends_plainly(call(mine, *arguments)), arguments


def test_why_marks_a_raw_file_that_cannot_be_read(mine, monkeypatch):
    def refuse(path, memory):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pipeline.store.files.remembered_sha256", refuse)
    assert ", unreadable\n" in call(mine, "why", RUN).output


@pytest.mark.parametrize("place", [".", "..", "../..", "../../../four", "/zz/x", "../8_x/../y"])
def test_repair_moves_only_damaged_folders(mine, place):
    (path,) = mine.outputs.glob("toy/7_*/*/manifest.json")
    manifest = json.loads(path.read_text())
    manifest["upstream"]["place"] = place
    path.write_text(json.dumps(manifest))
    others = {folder for folder in mine.outputs.glob("*/[1-8]_*/*") if folder != path.parent}
    call(mine, "verify", "--repair", RUN)
    assert set(mine.outputs.glob("*/[1-8]_*/*")) == others


def test_show_of_a_broken_manifest_reports_path_and_repair(mine):
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
def test_diff_reports_an_unreadable_table(mine, harm):
    (path,) = mine.outputs.glob("toy/7_*/*/predictions.parquet")
    harm(path)
    done = call(mine, "diff", RUN, RUN)
    assert isinstance(done.exception, PipelineError)
    assert f"cannot read {path}" in str(done.exception)
    assert f"pipeline verify --repair {path.parent}" in str(done.exception)


def test_diff_reports_missing_metrics(mine):
    (path,) = mine.outputs.glob("toy/7_*/*/metrics.json")
    path.unlink()
    assert f"cannot read {path}: it does not exist" in str(call(mine, "diff", RUN, RUN).exception)


def test_gc_keeps_what_a_run_with_a_broken_step_was_made_from(mine):
    (path,) = mine.outputs.glob("toy/6_*/*/manifest.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "upstream": "gone"}))
    result = json.loads(call(mine, "gc", "--hours", "0", "--json").output)["found"]
    assert [entry["place"] for entry in result] == [str(path.parent)]


@pytest.mark.parametrize("step", "12567")
def test_verify_of_a_run_reports_a_missing_step_and_continues(mine, step):
    (place,) = mine.outputs.glob(f"toy/{step}_*/*")
    shutil.rmtree(place)
    (path,) = mine.outputs.glob("toy/3_*/*/tokens.json")
    path.write_text("[]")
    done = call(mine, "verify", RUN)
    assert done.exit_code == 1
    assert f"{place} is missing" in done.output
    assert f"{path.parent}\n  tokens.json has" in done.output
    result = json.loads(call(mine, "verify", RUN, "--json").output)
    assert [entry["place"] for entry in result["gone"]] == [str(place)]
    assert result["artifacts"] == 7
    assert call(mine, "verify", RUN, "--repair").exit_code == 0
    assert not path.parent.exists()


def test_undefined_metrics_are_a_dash_and_null(mine):
    for path in mine.outputs.glob("*/7_*/*/metrics.json"):
        metrics = json.loads(path.read_text())
        metrics["test"] |= {"roc_auc": float("nan"), "log_loss": float("inf")}
        metrics["test"]["intervals"]["log_loss"] = [float("nan"), 1.0]
        path.write_text(json.dumps(metrics))
    for arguments in (["ls"], ["show", RUN], ["diff", RUN, RUN]):
        text = call(mine, *arguments).output
        assert not {"nan", "inf", "+nan", "-inf"} & set(re.split(r"[\s,\[\]]+", text)), arguments
        assert "–" in text
        result = call(mine, *arguments, "--json").output
        assert json.loads(result, parse_constant=lambda name: pytest.fail(name))


@pytest.mark.parametrize("step", "58")
def test_plan_after_a_repair_reports_the_moved_folder(mine, step):
    mine.run(dataset="toy", model="naive_bayes", alpha=3.0)
    place = (mine.outputs / "latest/toy/naive_bayes").resolve()
    if step == "5":
        (place,) = mine.outputs.glob("toy/5_*/*")
    (place / "manifest.json").unlink()
    call(mine, "verify", "--repair")
    arguments = ["plan", "--dataset", "toy", "--model", "naive_bayes", "--alpha", "3", "--json"]
    steps = json.loads(call(mine, *arguments).output)["steps"]
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
