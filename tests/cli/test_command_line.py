"""Every command prints text and JSON, on runs with two and with four classes."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import cli
from pipeline.errors import PipelineError
from pipeline.models import specs

DAY = ("--date", "2026-11-22")
# Arguments of every command that are valid for the built chain; DATASET is replaced.
COMMANDS = {
    "plan": ["plan", "RunAll", "--dataset", "DATASET", "--model", "naive_bayes", "--alpha", "2"],
    "ls": ["ls"],
    "show": ["show", "DATASET/naive_bayes"],
    "why": ["why", "DATASET/naive_bayes"],
    "diff": ["diff", "DATASET/naive_bayes", "DATASET/naive_bayes"],
    "verify": ["verify", "DATASET/naive_bayes"],
    "rm": ["rm", "--yes", "DATASET/naive_bayes"],
    "gc": ["gc", "--hours", "0", "--keep", "0"],
    "datasets": ["datasets"],
    "models": ["models"],
    "init": ["init", "DATA/DATASET/rows.csv", "--name", "described"],
    "completion": ["completion", "bash"],
    "freeze": ["freeze", "--dataset", "DATASET"],
    "nightly": ["nightly", "--dataset", "DATASET", "--model", "naive_bayes", *DAY],
}
NOT_TABLES = ("rm", "completion", "freeze", "init", "nightly")
CLASSES = {"toy": ["bad", "good"], "four": ["bad", "dull", "good", "odd"]}


def call(chain, *arguments, width="100", **options):
    """Call a command on a chain; return what click returns."""
    chain.set_paths()
    return CliRunner().invoke(cli, list(arguments), env={"COLUMNS": width}, **options)


def output_of(chain, *arguments, **options):
    done = call(chain, *arguments, **options)
    assert done.exit_code == 0, done.output
    return done.output


def data_of(chain, *arguments):
    return json.loads(output_of(chain, *arguments, "--json"))


def test_every_command_is_tested_here():
    assert set(cli.list_commands(None)) == set(COMMANDS)


@pytest.mark.parametrize("name", cli.list_commands(None))
def test_every_command_has_help_in_one_line_and_json(name):
    command = cli.get_command(None, name)
    assert len(command.help.splitlines()[0]) <= 65
    assert "--json" in {option for one in command.params for option in one.opts}


@pytest.mark.parametrize("name", cli.list_commands(None))
def test_help_of_every_command_has_an_example(name):
    command = cli.get_command(None, name)
    if command.callback.__module__.startswith("pipeline.cli."):
        assert f"Example: pipeline {name}" in command.help


def test_unknown_command_is_a_usage_error():
    assert CliRunner().invoke(cli, ["nothing"]).exit_code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", ""], "PATH|RUN must not be empty, got ''; give a value, see --help"),
        (["verify", "toy/naive_bayes", ""], "[PATH|RUN]... must not be empty"),
        (["rm", "--yes", " "], "PATH|RUN... must not be empty, got ' '"),
        (["ls", "--dataset="], "--dataset must not be empty, got ''; give a value, or leave it"),
        (["ls", "--paths-outputs", ""], "--paths-outputs must not be empty"),
        (["init", ""], "FILE must not be empty"),
        (["gc", "--keep", ""], "--keep must not be empty"),
        (["freeze", "--dataset", "toy", "--date", ""], "--date must not be empty"),
        (["plan", "--dataset", ""], "dataset must be a text, got an empty value"),
        (["plan", "RunAll", "--units="], "units must be a JSON list"),
    ],
)
def test_empty_value_is_an_error(built, words, message):
    error = call(built, *words).exception
    assert isinstance(error, PipelineError)
    assert str(error).startswith(message)


def put_night(folder):
    """Write the raw files of a day and holdout rows for a night."""
    for name in ("2026-11-22", "frozen"):
        (folder / name).mkdir()
        shutil.copy(folder / "rows.csv", folder / name / "rows.csv")
    lines = (folder / "rows.csv").read_text().splitlines(keepends=True)
    with open(folder / "2026-11-22" / "rows.csv", "a") as file:
        texts = [f"{word} more {number}" for word in "abc" for number in range(30)]
        labels = sorted({line.rsplit(",", 1)[1] for line in lines[1:]})
        file.writelines(f"{text},{labels[k % len(labels)]}" for k, text in enumerate(texts))


def folders(chain):
    return chain.outputs, chain.data


@pytest.mark.parametrize("dataset", ["toy", "four"])
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_works_as_text_and_as_json(mine, name, dataset):
    arguments = [word.replace("DATASET", dataset) for word in COMMANDS[name]]
    arguments = [word.replace("DATA/", f"{mine.data}/") for word in arguments]
    if name == "nightly":
        put_night(mine.data / dataset)
    before = {path: shutil.copytree(path, f"{path}-", symlinks=True) for path in folders(mine)}
    assert output_of(mine, *arguments).strip()
    for path in folders(mine):
        shutil.rmtree(path)
        Path(before[path]).rename(path)
    assert data_of(mine, *arguments)


@pytest.mark.parametrize("width", ["40", "80", "200"])
@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in NOT_TABLES])
def test_lines_fit_the_terminal(built, name, width):
    arguments = [word.replace("DATASET", "four") for word in COMMANDS[name]]
    text = output_of(built, *arguments, width=width)
    assert max(map(len, text.splitlines())) <= int(width)


@pytest.mark.parametrize("dataset", ["toy", "four"])
def test_ls_has_the_metrics_of_the_run(built, dataset):
    result = data_of(built, "ls", "--dataset", dataset)
    (row,) = result["runs"]
    metrics = json.loads(next(built.outputs.glob(f"{dataset}/7_*/*/metrics.json")).read_text())
    assert row["accuracy"] == metrics["test"]["accuracy"]
    assert row["macro_f1"] == metrics["test"]["macro"]["f1"]
    assert row["is_latest"]
    assert result["models"] == [row]
    (of_dataset,) = result["datasets"]
    assert sorted(of_dataset["labels"]) == CLASSES[dataset]
    assert f"{row['accuracy']:.3f}" in output_of(built, "ls")


def test_ls_of_an_empty_folder_prints_the_first_command(chain):
    assert "luigi --module pipeline RunAll" in output_of(chain, "ls")
    empty = {"datasets": [], "models": [], "runs": [], "rankings": []}
    assert data_of(chain, "ls") == empty


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_ls_of_an_unknown_dataset_lists_the_datasets(built, form):
    done = call(built, "ls", "--dataset", "tyo", *form)
    assert isinstance(done.exception, PipelineError)
    assert "unknown dataset 'tyo'; did you mean 'toy'?" in str(done.exception)
    assert "four, " in str(done.exception)
    assert "vader" in str(done.exception)


def test_ls_of_a_dataset_without_runs_prints_the_first_command(built):
    text = output_of(built, "ls", "--dataset", "vader")
    assert "No runs of vader yet." in text
    assert "RunAll --dataset vader" in text


@pytest.mark.parametrize("dataset", ["toy", "four"])
@pytest.mark.parametrize("step", range(1, 9))
def test_show_has_manifest_head_and_figures_of_every_artifact(built, dataset, step):
    artifact_path = next(built.outputs.glob(f"{dataset}/{step}_*/*"))
    result = data_of(built, "show", str(artifact_path), "--rows", "3")
    assert result["manifest"] == json.loads((artifact_path / "manifest.json").read_text())
    assert all(len(head["rows"]) <= 3 and head["columns"] for head in result["head"].values())
    assert bool(result["head"]) == any(
        name.endswith(".parquet") for name in result["manifest"]["files"]
    )
    assert result["figures"] == [str(path) for path in sorted(artifact_path.glob("figures/*.png"))]
    text = output_of(built, "show", str(artifact_path), width="300")
    assert result["manifest"]["task"] in text
    assert all(path in text for path in result["figures"])


@pytest.mark.parametrize(
    "spelling", ["path", "file", "relative", "latest", "digest", "folder name"]
)
def test_artifact_is_selected_by_each_of_its_names(built, spelling):
    artifact_path = (built.outputs / "latest/four/naive_bayes").resolve()
    name = {
        "path": str(artifact_path),
        "file": str(artifact_path / "report.html"),
        "relative": f"four/8_report/{artifact_path.name}",
        "latest": "four/naive_bayes",
        "digest": artifact_path.name[-16:-8],
        "folder name": artifact_path.name,
    }[spelling]
    assert data_of(built, "show", name)["place"] == str(
        built.outputs / "four/8_report" / artifact_path.name
    )


@pytest.mark.parametrize("name", ["nothing", "four/naive_baye", "0000000"])
def test_error_of_an_unknown_name_lists_the_names(built, name):
    done = call(built, "show", name)
    assert isinstance(done.exception, PipelineError)
    assert name in str(done.exception)
    assert "four/naive_bayes" in str(done.exception)


@pytest.mark.parametrize("dataset", ["toy", "four"])
def test_why_goes_up_to_the_raw_bytes(built, dataset):
    step = data_of(built, "why", f"{dataset}/naive_bayes")
    tasks = []
    while True:
        tasks.append(step["task"])
        if not step["made_from"]:
            break
        (step,) = step["made_from"]
    assert len(tasks) == 8
    (raw,) = step["raw_files"]
    assert raw["path"] == str(built.data / dataset / "rows.csv")
    assert raw["state"] == "unchanged"
    text = output_of(built, "why", f"{dataset}/naive_bayes", width="400")
    assert raw["sha256"] in text


def test_why_marks_a_changed_raw_file_and_a_missing_step(mine):
    name = str(next(mine.outputs.glob("toy/2_*/*")))
    (mine.data / "toy" / "rows.csv").write_text("text,label\n")
    # The copy's record names the raw file of the chain that it was copied from.
    source = next(mine.outputs.glob("toy/1_*/*/source.json"))
    content = json.loads(source.read_text())
    content["files"][0]["path"] = str(mine.data / "toy" / "rows.csv")
    source.write_text(json.dumps(content))
    (download,) = data_of(mine, "why", name)["made_from"]
    assert download["raw_files"][0]["state"] == "changed"
    shutil.rmtree(source.parent)
    (download,) = data_of(mine, "why", name)["made_from"]
    assert download["state"] == "gone"


@pytest.mark.parametrize("dataset", ["toy", "four"])
def test_diff_has_settings_metrics_with_intervals_and_changed_rows(mine, dataset):
    mine.run(dataset=dataset, model="naive_bayes", alpha=20.0, max_words=30)
    names = [row["run"] for row in data_of(mine, "ls", "--dataset", dataset)["runs"]]
    result = data_of(mine, "diff", names[1], names[0])
    changed = {(one["task"], one["name"], one["from"], one["to"]) for one in result["settings"]}
    assert changed == {
        ("TrainModel", "alpha", 1.0, 20.0),
        ("Vectorize", "max_words", "all", 30),
    }
    assert result["code"] == {}
    for row in result["metrics"][:2]:
        assert row["a_interval"][0] <= row["a"] <= row["a_interval"][1]
        assert row["b_interval"][0] <= row["b"] <= row["b_interval"][1]
        low, high = row["difference_interval"]
        assert low <= row["difference"] <= high
    rows = result["predictions"]
    assert rows["changed"] == sum(part["changed"] for part in rows["by_part"].values())
    assert rows["changed"] > 0
    assert len(rows["examples"]) == min(rows["changed"], 20)
    assert all(one["a"] != one["b"] and one["text"] for one in rows["examples"])


def test_diff_of_a_run_with_itself_is_empty(built):
    result = data_of(built, "diff", "four/naive_bayes", "four/naive_bayes")
    assert result["settings"] == result["raw_files"] == result["libraries"] == []
    assert result["predictions"]["changed"] == 0
    assert [row["difference"] for row in result["metrics"]] == [0, 0, 0, 0]
    assert result["metrics"][0]["difference_interval"] == [0, 0]


def test_diff_compares_no_rows_of_different_raw_files(built):
    result = data_of(built, "diff", "toy/naive_bayes", "four/naive_bayes")
    assert result["predictions"] is None
    assert result["metrics"][0]["difference_interval"] is None


def test_exit_code_of_verify_is_1_and_of_repair_0(mine):
    artifact_path = next(mine.outputs.glob("four/5_*/*"))
    (artifact_path / "balance.json").write_text("{}")
    done = call(mine, "verify", width="200")
    assert done.exit_code == 1
    assert str(artifact_path) in done.output
    assert call(mine, "verify", "toy/naive_bayes").exit_code == 0
    assert call(mine, "verify", "four/naive_bayes").exit_code == 1
    done = call(mine, "verify", "--repair", width="200")
    assert done.exit_code == 0
    assert not artifact_path.exists()
    assert call(mine, "verify").exit_code == 0


def test_verify_checks_a_folder_without_manifest(mine):
    artifact_path = next(mine.outputs.glob("four/5_*/*"))
    (artifact_path / "manifest.json").unlink()
    assert call(mine, "verify", str(artifact_path)).exit_code == 1


def test_rm_asks_first(mine):
    before = mine.manifests()
    done = call(mine, "rm", "four/naive_bayes", input="n\n")
    assert done.exit_code == 1
    assert mine.manifests() == before
    assert call(mine, "rm", "four/naive_bayes", "--json").exit_code == 2
    call(mine, "rm", "four/naive_bayes", input="y\n")
    assert {artifact_path.parent.parent.name for artifact_path in mine.manifests()} == {"toy"}
    assert not (mine.outputs / "latest/four/naive_bayes").is_symlink()


def test_rm_deletes_an_artifact_alone_or_with_all_downstream(mine):
    artifact_path = next(mine.outputs.glob("toy/6_*/*"))
    n_before = len(mine.manifests())
    output_of(mine, "rm", "--yes", str(artifact_path))
    assert len(mine.manifests()) == n_before - 1
    artifact_path = next(mine.outputs.glob("four/6_*/*"))
    output_of(mine, "rm", "--yes", "--below", str(artifact_path))
    assert len(mine.manifests()) == n_before - 4


def test_gc_deletes_only_with_the_option(mine):
    mine.run(dataset="toy", model="naive_bayes", alpha=0.5)
    before = mine.manifests()
    result = data_of(mine, "gc", "--keep", "0", "--hours", "0")
    assert len(result["found"]) == 3
    assert mine.manifests() == before
    assert data_of(mine, "gc", "--keep", "0", "--delete")["found"] == []
    output_of(mine, "gc", "--keep", "0", "--hours", "0", "--delete")
    assert len(mine.manifests()) == len(before) - 3
    assert call(mine, "verify").exit_code == 0


def test_datasets_prints_state_and_instructions(mine):
    (mine.data / "four" / "rows.csv").unlink()
    (mine.data / "broken").mkdir()
    (mine.data / "broken" / "dataset.toml").write_text("labels = 1")
    rows = {row["dataset"]: row for row in data_of(mine, "datasets")}
    states = {name: rows[name]["state"] for name in ("toy", "four", "vader", "broken")}
    assert states == {"toy": "ready", "four": "by hand", "vader": "download", "broken": "broken"}
    assert "needs the file 'rows.csv'" in rows["four"]["get"]
    assert rows["toy"]["runs"] == 1
    assert "by hand" in output_of(mine, "datasets")


def test_datasets_lists_folders_without_a_description(mine):
    for folder, file in (("new one", "Rows.CSV"), ("vader", "a.txt"), (".hidden", "a.csv")):
        (mine.data / folder).mkdir()
        (mine.data / folder / file).write_text("text,label\n")
    (mine.data / "empty").mkdir()
    rows = {row["dataset"]: row for row in data_of(mine, "datasets")}
    assert not {"empty", ".hidden"} & set(rows)
    assert rows["vader"]["state"] == "download"
    assert rows["new one"]["state"] == "no dataset.toml"
    command = f"pipeline init '{mine.data}/new one/Rows.CSV'"
    assert command in rows["new one"]["get"]
    assert "pipeline init" in output_of(mine, "datasets")


def test_models_lists_parameters_with_the_models_own_defaults(built):
    rows = {row["model"]: row for row in data_of(built, "models")}
    assert "naive_bayes" in rows
    defaults_of_model = {
        row["parameter"]: row["default"] for row in data_of(built, "models", "bilstm")
    }
    row = specs.MODELS["bilstm"]
    assert {*row.uses, *row.defaults} <= defaults_of_model.keys()
    for name, value in row.defaults.items():
        assert defaults_of_model[name] == (list(value) if isinstance(value, tuple) else value), name
    assert "alpha" not in defaults_of_model
    done = call(built, "models", "bilstn")
    assert "did you mean 'bilstm'" in str(done.exception)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_names_the_command(built, shell):
    assert "_PIPELINE_COMPLETE" in output_of(built, "completion", shell)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("pipeline ", {"ls", "plan", "verify"}),
        ("pipeline show ", {"four/naive_bayes", "toy/naive_bayes"}),
        ("pipeline plan --al", {"--alpha"}),
        ("pipeline plan RunAll --model ", {"naive_bayes", "bilstm"}),
        ("pipeline plan --dataset f", {"four"}),
        ("pipeline verify --re", {"--repair"}),
    ],
)
def test_shell_completes_commands_runs_and_parameters(built, typed, wanted):
    from click.shell_completion import ShellComplete

    built.set_paths()
    *arguments, incomplete = typed.removeprefix("pipeline ").split(" ")
    completer = ShellComplete(cli, {}, "pipeline", "_PIPELINE_COMPLETE")
    result = {item.value for item in completer.get_completions(arguments, incomplete)}
    assert wanted <= result


def test_plan_of_an_unknown_task_is_an_error_of_the_user():
    done = CliRunner().invoke(cli, ["plan", "Foo"])
    assert done.exit_code != 0
    assert isinstance(done.exception, PipelineError | SystemExit)
