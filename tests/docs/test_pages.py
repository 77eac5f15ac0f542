"""The commands of README and docs, run as they are printed, in order, in one folder."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import generated_pages
import pytest
from conftest import ROOT

from pipeline import Nightly, RangeDailyBase, Rollback, RunAll
from pipeline.cli import cli
from pipeline.cli.nightly import EXIT_CODES
from pipeline.data import catalogue
from pipeline.errors import error_types, notices
from pipeline.models.presets import PRESETS
from pipeline.models.specs import MODELS
from pipeline.predict.predictor import Predictor

FILES = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/quick-start.md",
    "docs/your-data.md",
    "docs/nights.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
    "deploy/README.md",
)
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in dict.fromkeys(FILES)}
TEXT = "\n".join(PAGES.values())
_BLOCKS = re.compile(
    r"<!-- (run|(?P<night>night)|file: (?P<path>\S+)) -->\n```\w*\n(?P<body>.*?)```", re.DOTALL
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    shutil.copy(ROOT / "luigi.cfg", folder)
    return folder


@pytest.mark.processes
@pytest.mark.network
@pytest.mark.package_index
def test_commands_of_the_pages_work(folder):
    ran = 0
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for block in _BLOCKS.finditer(TEXT):
        if block["path"]:
            path = folder / block["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["body"], encoding="utf-8")
            continue
        for line in block["body"].splitlines():
            command = shlex.split(line.removeprefix("$ "), comments=True)
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            assert block["night"] or "luigi --module" not in line or "Report:" in done.stdout
            ran += 1
    assert ran >= 11
    outputs = folder / "outputs"
    assert (outputs / "history" / "tickets.html").is_file()
    (line,) = (outputs / "registry" / "tickets" / "ledger.jsonl").read_text().splitlines()
    assert '"decision": "promoted"' in line
    champion = json.loads((outputs / "registry" / "tickets" / "champion.json").read_text())
    evaluated = outputs / champion["path"]
    upstream = json.loads((evaluated / "manifest.json").read_text())["upstream"]["place"]
    assert Predictor.load(evaluated / upstream, evaluated).predict(["it crashes again"])


def test_page_on_nights_lists_every_exit_code():
    rows = dict(re.findall(r"^\| (\d+) \| ([a-z ]+) \|", PAGES["docs/nights.md"], re.MULTILINE))
    expected = {name.replace("_", " "): str(code) for name, code in EXIT_CODES.items()}
    assert expected == {outcome: code for code, outcome in rows.items() if outcome in expected}
    assert rows["10"] == "held"


def test_quick_start_lists_every_dataset():
    for name in catalogue.names(Path("no such folder")):
        assert f"`{name}`" in PAGES["docs/quick-start.md"]


def test_parameters_in_pages_exist():
    tasks = (RunAll, Nightly, Rollback, RangeDailyBase)
    existing = {name.replace("_", "-") for task in tasks for name, _ in task.get_params()}
    of_luigi = {"module", "help", "help-all", "log-level", "scheduler-url"}
    named = set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", TEXT)) - of_luigi
    existing |= {"paths-data", "paths-outputs", "pipeline-code-changes"}
    existing |= {
        option.removeprefix("--")
        for command in (cli.get_command(None, name) for name in cli.list_commands(None))
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert named <= existing


def test_make_targets_in_pages_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"[`$] ?make ([a-z-]+)", TEXT)) <= targets


def test_example_of_cleaning_in_the_api_page_gives_its_comments():
    block = PAGES["docs/api.md"].split("## Text\n\n```python\n")[1].split("```")[0]
    scope = {}
    exec(block, scope)
    lines = re.findall(r"^(\S.*?)\s+# (\[.*\])$", block, re.MULTILINE)
    assert len(lines) == 2
    for expression, expected in lines:
        assert eval(expression, scope) == eval(expected)


def test_readme_is_short():
    assert len(PAGES["README.md"].splitlines()) <= 150


def test_links_between_pages_have_targets():
    for name, text in PAGES.items():
        folder = (ROOT / name).parent
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (folder / target).exists(), f"{name}: {target}"


def test_modules_in_pages_exist():
    packages = "|".join(path.name for path in (ROOT / "pipeline").iterdir() if path.is_dir())
    named = set(re.findall(rf"`(?:pipeline/)?((?:{packages})/\w+\.py)`", TEXT))
    assert len(named) > 8
    assert not [name for name in named if not (ROOT / "pipeline" / name).is_file()]


@pytest.mark.parametrize("page", generated_pages.PAGES)
def test_generated_page_covers_its_declarations(page):
    text = generated_pages.PAGES[page]()
    names = {
        "models.md": MODELS,
        "presets.md": PRESETS,
        "commands.md": cli.list_commands(None),
        "errors.md": [one.code for one in (*error_types(), *notices())],
        "sections.md": ["[contract]", "`rows_least`", "[drift]", "`stop_psi`", "`code_changes`"],
        "parameters.md": ["--units", "--split-seed", "--urls", "--margin", "--positive-label"],
    }
    assert not [name for name in names[page] if name not in text]


def test_codes_of_errors_and_warnings_are_unique_and_explained():
    every = [*error_types(), *notices()]
    assert len({one.code for one in every}) == len(every)
    for one in every:
        assert one.meaning.endswith(".")
        assert one.fix.endswith(".")
    assert all("meaning" in vars(error) for error in error_types())
