"""luigi.cfg: wrong sections, keys and values, and the defaults without the file."""

import argparse
import configparser
import subprocess
import sys
from pathlib import Path

import luigi
import luigi.retcodes  # registers section [retcode], as the command luigi does
import pytest
from luigi.configuration import LuigiConfigParser
from luigi.task_register import Register

import pipeline
from pipeline.cli import common
from pipeline.errors import ConfigFileError, PipelineError, SettingConflictError, StorageError
from pipeline.settings.config_errors import unreadable
from pipeline.tasks import config, config_file

ROOT = Path(__file__).parents[2]


@pytest.fixture
def configure(monkeypatch):
    """Return a function that makes a text the only configuration."""

    def read(text, paths=("luigi.cfg",)):
        parser = LuigiConfigParser()
        parser.read_string(text)
        monkeypatch.setattr(LuigiConfigParser, "_instance", parser)
        monkeypatch.setattr(LuigiConfigParser, "_config_paths", list(paths))
        Register.clear_instance_cache()
        return parser

    yield read
    Register.clear_instance_cache()


DASHES = [
    ("[RunAll]\ntest-fraction = 0.3", "RunAll", "test_fraction", 0.3),
    ("[RunAll]\nmin-change = 0.25", "RunAll", "min_change", 0.25),
    ("[contract]\nclass-share_change = 0.3", "contract", "class_share_change", 0.3),
    ("[drift]\nwarning-psi = 0.3", "drift", "warning_psi", 0.3),
    ("[Nightly]\nrecall-drop = 0.3\ndate = 2026-11-22", "Nightly", "recall_drop", 0.3),
    ("[pipeline]\ncode-changes = ignore", "pipeline", "code_changes", "ignore"),
    ("[core]\nlocal-scheduler = true\nlog-level = INFO", "core", "log_level", "INFO"),
    ("[worker]\ncheck-complete_on-run = true", "worker", "check_complete_on_run", True),
]


@pytest.mark.parametrize(("text", "section", "name", "value"), DASHES, ids=[d[0] for d in DASHES])
def test_keys_with_dashes_are_the_parameters_with_underscores(
    configure, text, section, name, value
):
    parser = configure(text)
    config_file.check()
    task = Register.get_task_cls(section)
    assert dict(task.get_params())[name].task_value(section, name) == value
    assert not [key for key in parser.options(section) if "-" in key]


def test_value_of_a_key_with_dashes_keeps_its_percent_signs(configure):
    configure("[RunAll]\nstop-words = 100%%/words.txt")
    config_file.check()
    assert pipeline.RunAll.stop_words.task_value("RunAll", "stop_words") == "100%/words.txt"


# Content, parts of the message.
WRONG = [
    ("[RunAll]\ntest_fractoin = 0.3", ["P103", "[RunAll]", "'test_fractoin'", "'test_fraction'"]),
    ("[RunAll]\ntest_fraction = 0.1\ntest-fraction = 0.3", ["P102", "[RunAll]", "same parameter"]),
    ("[core]\nlog_level = INFO\nlog-level = INFO", ["P102", "log_level and log-level"]),
    ("[paths]\ndat = x", ["P103", "'dat'; did you mean 'data'? Known: data, outputs"]),
    ("[drift]\nstop = 1", ["P103", "[drift]", "'stop'", "'stop_psi'"]),
    ("[contract]\nrows_leat = 1", ["P103", "'rows_least'"]),
    ("[Nightly]\nmargn = 1", ["P103", "'margin'"]),
    ("[runall]\nseed = 1", ["P103: luigi.cfg has an unknown section [runall]", "[RunAll]?"]),
    ("[Run All]\nseed = 1", ["unknown section [Run All]; did you mean [RunAll]?"]),
    ("[Contract]\nrows_least = 1", ["did you mean [contract]?"]),
    ("[RangeDailly]\ndays_back = 3", ["did you mean [RangeDaily]?"]),
    ("[retcodes]\ntask_failed = 30", ["did you mean [retcode]?"]),
    ("[core]\nlocal_schedular = true", ["P103", "'local_scheduler'"]),
    ("[worker]\ncheck_complete_on_rum = true", ["'check_complete_on_run'"]),
    ("[core]\nlocal_scheduler =", ["P101", "true or false, got an empty value; give a value, or"]),
    ('[RunAll]\nseed = "0"', ["P101: section [RunAll] of luigi.cfg: seed", "without quotes"]),
    ("[RunAll]\nmodel = 'gru'", ["P101", "model must be one of", "without quotes"]),
    ('[retcode]\ntask_failed = "30"', ["P101", "task_failed must be a whole number, got"]),
    ("[core]\nworkers = two", ["P101", "workers must be a whole number, got two"]),
    ("[core]\nworkers = 0", ["P101: section [core]", "workers must be at least 1 task, got 0"]),
    ("[core]\nno_lock = perhaps", ["P101", "no_lock must be true or false, got perhaps"]),
    ("[pipeline]\ncode_changes = no", ["P101", "code_changes must be one of ignore, rerun"]),
    ("[paths]\noutputs = 'o'", ["P101", "[paths]", "folder in quotes, 'o'; write it without"]),
    ("[paths]\ndata = 100%/d", ["P105: section [paths] of luigi.cfg: the value of data", "%%"]),
    ("[paths]\ndata = ${NOT_SET_HERE}/d", ["P105", "value of data", "${NAME}"]),
]


@pytest.mark.parametrize(("text", "parts"), WRONG, ids=[row[0] for row in WRONG])
def test_wrong_configuration_is_one_line(configure, text, parts):
    configure(text)
    with pytest.raises(PipelineError) as raised:
        config_file.check()
    message = f"{raised.value.code}: {raised.value}"
    assert "\n" not in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    "text",
    [
        "[postgres]\nport = 5432",
        "[validation]\nshare = 1",
        "[core]\nrpc_connect_timeout = 3\ndefault-scheduler-host = a\nno_configure_logging = true",
        "[DEFAULT]\nroot = /data\n[paths]\ndata = %(root)s/raw",
        "[RunAll]\nstop_words = none",
        "",
    ],
)
def test_sections_and_keys_of_others_are_allowed(configure, text):
    configure(text)
    config_file.check()


def test_section_of_a_step_has_an_effect_only_on_the_step(configure):
    configure("[TrainModel]\nunits = [8]")
    config_file.check("TrainModel")
    for root in ("RunAll", "Nightly", "Evaluate"):
        with pytest.raises(SettingConflictError) as raised:
            config_file.check(root)
        assert f"[TrainModel] of luigi.cfg has no effect on {root}" in str(raised.value)


def test_files_of_the_repository_are_valid(configure):
    for path in (ROOT / "luigi.cfg", ROOT / "deploy" / "nightly.cfg"):
        configure(path.read_text())
        config_file.check()


# Bytes of the file, parts of the message.
UNREADABLE = [
    ("\ufeff[core]\n", ["line 1", "byte order mark"]),
    ("seed = 1\n[RunAll]\n", ["line 1", "before the first section", "[RunAll]"]),
    ("[RunAll]\nseed = 1\nseed = 2\n", ["line 3", "sets seed in section [RunAll] again"]),
    ("[RunAll]\n[core]\n[RunAll]\n", ["line 3", "begins section [RunAll] again"]),
    ("[RunAll]\nhello\n", ["line 2", "hello", "key = value"]),
]


@pytest.mark.parametrize(("text", "parts"), UNREADABLE, ids=[repr(row[0]) for row in UNREADABLE])
def test_unreadable_file_is_one_line_with_its_line_number(tmp_path, text, parts):
    (tmp_path / "luigi.cfg").write_text(text, encoding="utf-8")
    with pytest.raises(configparser.Error) as raised:
        LuigiConfigParser().read([tmp_path / "luigi.cfg"], encoding="utf-8")
    error = unreadable(raised.value)
    assert isinstance(error, ConfigFileError)
    assert "\n" not in str(error)
    for part in parts:
        assert part in str(error)


@pytest.mark.processes
@pytest.mark.parametrize("content", [b"\xef\xbb\xbf[core]\n", b"[RunAll]\n# caf\xe9\n"])
def test_command_reports_an_unreadable_file(tmp_path, content):
    (tmp_path / "luigi.cfg").write_bytes(content)
    command = [sys.executable, "-m", "pipeline", "ls"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Error P105: luigi.cfg")
    assert done.stderr.count("\n") == 1


def test_defaults_without_a_file_are_those_of_the_repository():
    parser = configparser.ConfigParser()
    parser.optionxform = str
    parser.read(ROOT / "luigi.cfg")
    in_file = {section: dict(parser[section]) for section in parser.sections()}
    for section, values in config_file.DEFAULTS.items():
        assert in_file.pop(section) == values, section
    # The other sections repeat the defaults of the parameters.
    for section, values in in_file.items():
        parameters = dict(Register.get_task_cls(section).get_params())
        for name, text in values.items():
            setting = getattr(parameters[name], "setting", None)
            default = setting.default if setting else parameters[name]._default
            assert parameters[name].parse(text) == default, f"[{section}] {name}"


def test_what_the_file_lacks_is_set(configure):
    parser = configure("[core]\nlog-level = ERROR\n[retcode]\ntask_failed = 7\n")
    config_file.fill_defaults(argparse.Namespace())
    assert parser.get("core", "log_level") == "ERROR"
    assert parser.get("retcode", "task_failed") == "7"
    assert parser.get("retcode", "scheduling_error") == "35"
    assert parser.getboolean("core", "local_scheduler")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("[core]\nscheduler_host = a", {}),
        ("[core]\nscheduler-url = http://a", {}),
        ("[core]\ndefault-scheduler-port = 8083", {}),
        ("", {"core_scheduler_url": "http://a"}),
    ],
)
def test_scheduler_of_the_user_is_kept(configure, text, options):
    parser = configure(text)
    config_file.fill_defaults(argparse.Namespace(**options))
    assert not parser.has_option("core", "local_scheduler")
    assert parser.get("retcode", "task_failed") == "30"


@pytest.mark.parametrize(
    ("paths", "lines"), [([], 1), ([str(ROOT / "luigi.cfg")], 0)], ids=["none", "luigi.cfg"]
)
def test_folder_without_luigi_cfg_is_told_once(configure, capsys, paths, lines):
    configure("", paths)
    config_file._tell_defaults.cache_clear()
    for _ in range(3):
        config_file.fill_defaults(argparse.Namespace())
    text = capsys.readouterr().err
    assert text.count("\n") == lines
    assert ("no luigi.cfg" in text) is bool(lines)


def test_folders_of_the_command_line_are_told(configure, capsys):
    configure("", [])
    config_file._tell_defaults.cache_clear()
    config_file.fill_defaults(argparse.Namespace(paths_data="/mine/"))
    text = capsys.readouterr().err
    assert text.startswith("There is no luigi.cfg in this folder")
    assert "raw files are in /mine/, artifacts in outputs/." in text


@pytest.mark.parametrize("name", ["100%", "a%b%(c)s", "${HOME}/a", "%%", "$x"])
def test_folder_with_special_characters_is_kept(configure, name):
    configure("")
    config.set_option("paths", "outputs", name)
    assert str(config.outputs_folder()) == name


def test_commands_reject_a_file_as_a_folder(configure, tmp_path):
    from click.testing import CliRunner

    from pipeline.cli import cli

    configure("")
    (tmp_path / "file").touch()
    for words in (["ls", "--outputs"], ["datasets", "--paths-data"], ["plan", "--outputs"]):
        done = CliRunner().invoke(cli, [*words, str(tmp_path / "file")])
        assert isinstance(done.exception, StorageError)
        assert "is a file, not a folder" in str(done.exception)


def test_commands_reject_a_folder_that_cannot_be_read(configure, monkeypatch, tmp_path):
    configure("")
    monkeypatch.setattr(common.os, "access", lambda *_: False)
    luigi.configuration.get_config().set("paths", "outputs", str(tmp_path))
    from click.testing import CliRunner

    from pipeline.cli import cli

    done = CliRunner().invoke(cli, ["ls"])
    assert isinstance(done.exception, StorageError)
    assert "cannot be read" in str(done.exception)
