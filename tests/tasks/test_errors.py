"""Bad input: one line, an exit code, and no incomplete files."""

import logging

import pytest

import pipeline  # noqa: F401  (installs the handler)

pytestmark = pytest.mark.processes


def rows_of(text):
    return lambda folder: (folder / "rows.csv").write_bytes(
        text if isinstance(text, bytes) else text.encode()
    )


MANY = "".join(f"text number {i},{'good' if i % 2 else 'bad'}\n" for i in range(40))
# Case: damage of the folder, arguments, exit code, parts of the message.
CASES = {
    "unknown dataset": (None, ["--dataset", "vadr"], 35, ["unknown dataset 'vadr'", "'vader'"]),
    "missing file": (
        lambda folder: (folder / "rows.csv").unlink(),
        [],
        30,
        ["needs the file 'rows.csv' in the folder", "data/toy", "by hand"],
    ),
    "missing column": (
        rows_of("text,sentiment\na,good\n"),
        [],
        30,
        ["rows.csv has no column 'label'", "sentiment"],
    ),
    "wrong encoding": (
        rows_of(b"text,label\ncaf\xe9,good\n"),
        [],
        30,
        ["rows.csv is not utf-8: line 2 has the byte 0xe9", "set encoding"],
    ),
    "label that is not in the catalogue": (
        rows_of("text,label\na,goood\n"),
        [],
        30,
        ["label 'goood'", "did you mean 'good'"],
    ),
    "empty file": (rows_of(""), [], 30, ["rows.csv is empty"]),
    "one class only": (
        rows_of("text,label\n" + "a,good\nb,good\n" * 20),
        [],
        30,
        ["at least two classes", "'good'"],
    ),
    "class with fewer rows than a split needs": (
        rows_of("text,label\n" + "".join(f"a{i},good\n" for i in range(30)) + "b,bad\n"),
        [],
        30,
        ["class 'bad' has 1 rows and the split needs at least 3"],
    ),
    "no test, and training on validation rows": (
        None,
        ["--model", "bilstm", "--no-test", "--refit-on-validation", "true"],
        40,
        ["P102: no_test scores validation rows", "refit_on_validation"],
    ),
    "no test without validation rows": (
        None,
        ["--no-test", "--validation-fraction", "0"],
        30,
        ["P204: no_test scores validation rows", "validation_fraction", "0.1"],
    ),
    "units out of range": (
        None,
        ["--units", "[0]"],
        40,
        ["P101: units must be", "got [0]", "cells"],
    ),
    "sequence length out of range": (
        None,
        ["--sequence-length", "0"],
        40,
        ["sequence_length must be", "got 0", "leave it out"],
    ),
    "fractions that do not fit": (
        None,
        ["--test-fraction", "0.6", "--validation-fraction", "0.5"],
        40,
        ["0.6 + 0.5 = 1.1", "add up to below 1"],
    ),
    "parameter that the model does not use": (
        None,
        ["--model", "naive_bayes", "--units", "[8]"],
        40,
        ["model 'naive_bayes' does not use units", "It uses alpha"],
    ),
    "unknown model": (
        None,
        ["--model", "bilstn"],
        40,
        ["model must be one of", "got bilstn", "did you mean 'bilstm'?"],
    ),
    "unknown stop words": (
        None,
        ["--stop-words", "sklearn"],
        35,
        ["P101: stop_words must be none, scikit-learn, nltk", "'sklearn'", "'scikit-learn'"],
    ),
    "pattern without regexp": (None, ["--pattern", "a"], 40, ["pattern is for tokenizer regexp"]),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_gets_one_clear_line(chain, name):
    damage, arguments, code, parts = CASES[name]
    folder = chain.add("toy")
    if damage:
        damage(folder)
    if "--dataset" not in arguments:
        arguments = ["--dataset", "toy", *arguments]
    if "--model" not in arguments and code == 30:
        arguments = [*arguments, "--model", "naive_bayes"]
    done = chain.luigi("RunAll", *arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    assert len(errors) == 1, done.stderr
    for part in parts:
        assert part in errors[0]
    assert "Report:" not in done.stdout
    assert not list(chain.outputs.rglob(".tmp-*"))


def test_wrong_checksum_gets_one_clear_line(chain, tmp_path):
    folder = chain.add("toy")
    (folder / "rows.csv").unlink()
    (folder / "dataset.toml").write_text(
        'labels = ["bad", "good"]\n[[files]]\nname = "rows.csv"\n[files.source]\nkind = "pypi"\n'
        f'address = "vaderSentiment==3.3.2"\nsha256 = "{"0" * 64}"\nmembers = ["x"]\n'
    )
    done = chain.luigi("RunAll", "--dataset", "toy", "--model", "naive_bayes")
    assert done.returncode == 30
    assert "Traceback" not in done.stderr
    assert "vaderSentiment==3.3.2 has the wrong checksum" in done.stderr


def test_unwritable_outputs_folder_gets_one_clear_line(chain):
    chain.add("toy")
    chain.outputs.write_text("a file where a folder should be")
    done = chain.luigi("RunAll", "--dataset", "toy", "--model", "naive_bayes")
    assert done.returncode == 30
    assert "Traceback" not in done.stderr
    assert f"cannot write {chain.outputs}" in done.stderr


def test_log_level_debug_shows_the_traceback(chain):
    done = chain.luigi("RunAll", "--dataset", "vadr", "--log-level", "DEBUG")
    assert done.returncode == 35
    assert "Traceback" in done.stderr
    assert "unknown dataset 'vadr'" in done.stderr


def test_internal_error_has_its_traceback_and_a_hint(chain):
    chain.add("toy")
    chain.run("CleanText", dataset="toy")
    (rows,) = chain.outputs.glob("toy/2_clean/*/rows.parquet")
    rows.write_bytes(b"x" * rows.stat().st_size)
    done = chain.luigi("RunAll", "--dataset", "toy", "--model", "naive_bayes")
    assert done.returncode == 30
    assert "Traceback" in done.stderr
    assert "ArrowInvalid" in done.stderr
    assert "report it with this traceback to the maintainers" in done.stderr


def test_error_of_a_single_step_gets_one_clear_line(chain):
    done = chain.luigi("Tokenize", "--dataset", "vadr")
    assert done.returncode == 35
    assert "Traceback" not in done.stderr
    assert "unknown dataset 'vadr'" in done.stderr


def test_logs_of_the_package_follow_the_level_of_luigi(monkeypatch):
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    luigi_logger = logging.getLogger("luigi-interface")
    monkeypatch.setattr(luigi_logger, "handlers", [handler])
    monkeypatch.setattr(luigi_logger, "level", logging.WARNING)
    monkeypatch.setattr(luigi_logger, "_cache", {})
    for module in ("pipeline.store.locks", "pipeline.training.loop"):
        logging.getLogger(module).info("not shown")
        logging.getLogger(module).warning("shown")
    assert [(record.name, record.getMessage()) for record in records] == [
        ("pipeline.store.locks", "shown"),
        ("pipeline.training.loop", "shown"),
    ]
