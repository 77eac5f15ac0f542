"""Steps that run again after a change of each parameter, in luigi processes."""

import os

import pytest
from conftest import STEPS
from loading import RUN, loaded_by

from pipeline import RunAll
from pipeline.models import specs

# The smallest network, since its quality does not matter.
SMALL = {
    "bilstm": (
        "--units",
        "[2]",
        "--embedding-size",
        "2",
        "--epochs",
        "1",
        "--batch-size",
        "256",
    ),
    "naive_bayes": (),
    "logistic_regression": (),
    "linear_svm": (),
    "nb_svm": (),
    "conv1d": ("--embedding-size", "2", "--epochs", "1", "--batch-size", "256"),
}
# Parameter: first step that runs again, another value, and optionally model and arguments.
PARAMETERS = {
    "encoding_repair": ("CleanText", "keep"),
    "html": ("CleanText", "keep"),
    "unicode_form": ("CleanText", "NFKC"),
    "urls": ("CleanText", "remove"),
    "mentions": ("CleanText", "remove"),
    "hashtags": ("CleanText", "remove"),
    "numbers": ("CleanText", "replace"),
    "case": ("CleanText", "lower"),
    "duplicates": ("CleanText", "drop"),
    "tokenizer": ("Tokenize", "regexp"),
    "pattern": ("Tokenize", "[a-z]+", "naive_bayes", "--tokenizer", "regexp"),
    "segmentation": ("Tokenize", "none"),
    "token_case": ("Tokenize", "lower"),
    "stop_words": ("Tokenize", "scikit-learn"),
    "word_form": ("Tokenize", "porter"),
    "language": ("Tokenize", "german"),
    "processes": (None, "1"),
    "max_words": ("Vectorize", "10"),
    "min_count": ("Vectorize", "2"),
    "norm": ("Vectorize", "l1"),
    "sublinear_tf": ("Vectorize", "true"),
    "sequence_length": ("Vectorize", "5", "bilstm"),
    "padding": ("Vectorize", "before", "bilstm"),
    "cutting": ("Vectorize", "before", "bilstm"),
    "test_fraction": ("Vectorize", "0.2"),
    "validation_fraction": ("Vectorize", "0.2"),
    "split_seed": ("Vectorize", "1"),
    "validation_seed": ("Vectorize", "1"),
    "folds": ("Vectorize", "5"),
    "fold": ("Vectorize", "1", "naive_bayes", "--folds", "5"),
    "group_duplicates": ("Vectorize", "exact"),
    "word_ngrams": ("Vectorize", "[1,1]", "logistic_regression"),
    "char_ngrams": ("Vectorize", "[2,3]", "logistic_regression"),
    "cost": ("TrainModel", "2", "logistic_regression"),
    "calibration_folds": ("TrainModel", "3", "linear_svm"),
    "beta": ("TrainModel", "0.5", "nb_svm"),
    "max_train_rows": ("TrainModel", "50", "nb_svm"),
    "filters": ("TrainModel", "3", "conv1d"),
    "filter_width": ("TrainModel", "2", "conv1d"),
    "fused": ("TrainModel", "false", "bilstm"),
    "top_units": ("TrainModel", "2", "bilstm"),
    "dense_units": ("TrainModel", "[2]", "bilstm"),
    "activations": ("TrainModel", '["tanh"]', "bilstm", "--dense-units", "[2]"),
    "l2": ("TrainModel", "[0.1]", "bilstm", "--dense-units", "[2]"),
    "input_dropout": ("TrainModel", "0.1", "bilstm"),
    "recurrent_dropout": ("TrainModel", "0.1", "bilstm"),
    "batch_normalization": ("TrainModel", "true", "bilstm"),
    "mask_padding": ("TrainModel", "false", "bilstm"),
    "loss": ("TrainModel", "mse", "bilstm"),
    "output_bias": ("TrainModel", "frequencies", "bilstm"),
    "train_fraction": ("TrainModel", "0.5"),
    "positive_label": ("Evaluate", "bad"),
    "threshold_goal": ("Evaluate", "recall_at_precision"),
    "threshold_floor": (
        "Evaluate",
        "0.5",
        "naive_bayes",
        "--threshold-goal",
        "recall_at_precision",
    ),
    "baselines": ("Evaluate", '["nb_svm"]', "logistic_regression"),
    "bootstrap_samples": ("Evaluate", "10"),
    "bootstrap_seed": ("Evaluate", "1"),
    "variant": ("TrainModel", "complement"),
    "alpha": ("TrainModel", "2"),
    "units": ("TrainModel", "[3]", "bilstm"),
    "embedding_size": ("TrainModel", "3", "bilstm"),
    "spatial_dropout": ("TrainModel", "0.1", "bilstm"),
    "dropout": ("TrainModel", "0.1", "bilstm"),
    "pooling": ("TrainModel", "max", "bilstm"),
    "class_weights": ("TrainModel", "balanced", "bilstm"),
    "optimizer": ("TrainModel", "sgd", "bilstm"),
    "learning_rate": ("TrainModel", "0.1", "bilstm"),
    "batch_size": ("TrainModel", "128", "bilstm"),
    "epochs": ("TrainModel", "2", "bilstm"),
    "monitor": ("TrainModel", "auc", "bilstm"),
    "patience": ("TrainModel", "1", "bilstm"),
    "min_change": ("TrainModel", "0.1", "bilstm"),
    "refit_on_validation": ("TrainModel", "true", "bilstm"),
    "reduce_factor": ("TrainModel", "0.5", "bilstm"),
    "reduce_patience": ("TrainModel", "1", "bilstm"),
    "seed": ("TrainModel", "1", "bilstm"),
}
# These select the run, or several of the other parameters.
ROOTS = {"dataset", "model", "representation", "preset", "no_test"}
# These need optional files or packages; other tests check their digests.
# These select raw files; tests/nightly/test_dates.py checks their digests.
RAW_FILES = {"date", "window", "today"}
ELSEWHERE = {
    "word_clouds",
    "embedding",
    "freeze_embedding",
    "encoder",
    "buckets",
    "longest_run",
    "subwords",
}


def steps_from(first):
    return [] if first is None else sorted(STEPS[STEPS.index(first) :])


def run(chain, model, *arguments):
    done = chain.luigi("RunAll", "--dataset", "toy", "--model", model, *SMALL[model], *arguments)
    assert done.returncode == 0, done.stderr
    assert f"Report: {chain.outputs}/latest/toy/{model}/report.html" in done.stdout
    return done


@pytest.fixture(scope="module")
def two_models(tmp_path_factory):
    """Return a chain on which both models are built; each test adds to it."""
    from conftest import Chain

    chain = Chain(tmp_path_factory.mktemp("reruns"))
    chain.add("toy", n_rows=120)
    # The baseline that a network's evaluation needs comes with it.
    for model in SMALL:
        run(chain, model)
    return chain


def test_table_has_every_parameter():
    assert set(PARAMETERS) | ROOTS | RAW_FILES | ELSEWHERE == {
        name for name, _ in RunAll.get_params()
    }


@pytest.mark.processes
@pytest.mark.network
@pytest.mark.parametrize("name", PARAMETERS)
def test_changed_parameter_computes_its_step_and_those_below(two_models, name):
    first, value, *rest = PARAMETERS[name]
    model = rest[0] if rest else "naive_bayes"
    if rest[1:]:
        run(two_models, model, *rest[1:])
    before = two_models.manifests()
    arguments = [*SMALL[model], *rest[1:], f"--{name.replace('_', '-')}", value]
    option = arguments[-2]
    # Luigi accepts each option once, so the new value replaces that of the small network.
    while arguments.count(option) > 1:
        at = arguments.index(option)
        del arguments[at : at + 2]
    done = two_models.luigi("RunAll", "--dataset", "toy", "--model", model, *arguments)
    assert done.returncode == 0, done.stderr
    assert two_models.built_after(before) == steps_from(first)
    after = two_models.manifests()
    assert {path: after[path] for path in before} == before


@pytest.mark.processes
def test_changed_raw_file_computes_everything_and_the_old_one_nothing(chain):
    chain.add("toy")
    run(chain, "naive_bayes")
    raw = chain.data / "toy" / "rows.csv"
    old = raw.read_bytes()
    before = chain.manifests()
    raw.write_bytes(old + b"what a lovely new row,good\r\n")
    run(chain, "naive_bayes")
    assert chain.built_after(before) == sorted(STEPS)
    before = chain.manifests()
    raw.write_bytes(old)
    run(chain, "naive_bayes")
    assert chain.built_after(before) == []


@pytest.mark.processes
def test_changed_catalogue_row_computes_everything(chain):
    chain.add("toy")
    run(chain, "naive_bayes")
    before = chain.manifests()
    path = chain.data / "toy" / "dataset.toml"
    path.write_text(path.read_text() + 'licence = "MIT"\n')
    run(chain, "naive_bayes")
    assert chain.built_after(before) == sorted(STEPS)


@pytest.mark.processes
def test_changed_stop_word_file_computes_tokens_and_below(chain, tmp_path):
    chain.add("toy")
    stop = tmp_path / "stop.txt"
    stop.write_text("the\n")
    run(chain, "naive_bayes", "--stop-words", str(stop))
    before = chain.manifests()
    stop.write_text("the\nof\n")
    run(chain, "naive_bayes", "--stop-words", str(stop))
    assert chain.built_after(before) == steps_from("Tokenize")


def test_stop_word_file_counts_by_its_content(chain, tmp_path):
    chain.add("toy")
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("the\n")
    chain.run("Tokenize", dataset="toy", stop_words=str(tmp_path / "one.txt"))
    before = chain.manifests()
    chain.run("Tokenize", dataset="toy", stop_words=str(tmp_path / "two.txt"))
    assert chain.built_after(before) == []


@pytest.mark.processes
def test_second_run_runs_nothing_and_prints_the_report(chain):
    chain.add("toy")
    run(chain, "naive_bayes")
    before = chain.manifests()
    done = run(chain, "naive_bayes")
    assert done.stderr == "Nothing to compute: all 8 steps are complete.\n"
    assert chain.built_after(before) == []


@pytest.mark.parametrize("family", STEPS)
def test_deleted_step_is_built_again_alone(chain, family):
    chain.add("toy")
    task = chain.run(dataset="toy", model="naive_bayes")
    before = chain.manifests()
    step = next(step for step in task.requires().chain() if step.task_family == family)
    for path in sorted(step.path().rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    step.path().rmdir()
    chain.run(dataset="toy", model="naive_bayes")
    assert chain.built_after(before) == [family]


@pytest.mark.processes
@pytest.mark.network
def test_complete_run_of_a_network_loads_nothing_heavy(two_models):
    run(two_models, "bilstm")
    arguments = ["RunAll", "--dataset", "toy", "--model", "bilstm", *SMALL["bilstm"]]
    assert loaded_by(RUN, *two_models.command(*arguments)[1:]) == set()


def test_explicit_defaults_do_not_make_another_artifact(chain):
    chain.add("toy")
    chain.run(dataset="toy", model="naive_bayes")
    before = chain.manifests()
    chain.run(dataset="toy", model="naive_bayes", alpha=1, urls="replace", max_words="all")
    assert chain.built_after(before) == []


def test_single_steps_are_those_of_the_chain(chain):
    chain.add("toy")
    chain.run(dataset="toy", model="naive_bayes")
    before = chain.manifests()
    chain.run("Evaluate", dataset="toy", model="naive_bayes")
    chain.run("Vectorize", dataset="toy", representation="tfidf")
    chain.run("Tokenize", dataset="toy")
    assert chain.built_after(before) == []


def test_link_points_to_the_latest_run(chain):
    chain.add("toy")
    link = chain.outputs / "latest" / "toy" / "naive_bayes"
    paths = []
    for alpha in (1.0, 2.0, 1.0):
        task = chain.run(dataset="toy", model="naive_bayes", alpha=alpha)
        assert link.resolve() == task.requires().path().resolve()
        paths.append(os.readlink(link))
    assert paths[0] == paths[2] != paths[1]


@pytest.mark.parametrize("name", [row.name for row in specs.MODELS.values() if not row.package])
def test_digest_contains_only_settings_of_the_model(chain, name):
    chain.add("toy")
    row = specs.MODELS[name]
    task = chain.task(dataset="toy", model=name)
    settings = next(iter(task.requires().upstream().chain())).upstream().settings()
    # A limit of the training rows is a setting only if there are more.
    assert set(settings) == {"model", *row.hyperparameters} - {"max_train_rows"}
