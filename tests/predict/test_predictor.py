"""The predictor returns the predictions of Evaluate for the same raw texts."""

import re
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import ROOT

from pipeline.errors import DataError, NotFoundError, PipelineError, SettingConflictError
from pipeline.evaluation.decision import Decision
from pipeline.models import bundle
from pipeline.predict import predictor as module
from pipeline.predict.predictor import Predictor

TEXTS = [
    "@you I LOVE this great day",
    "what an awful awful day http://t.co/1",
    "",
    "love &amp; rain",
]
FRAME = pd.DataFrame({"id": range(len(TEXTS)), "text": TEXTS})


def step_paths(chain, model="naive_bayes", **settings):
    """Return the folders of the steps of a built chain."""
    report = chain.task(model=model, **settings).requires()
    return {step.task_family: step.path() for step in report.chain()}


@pytest.fixture(params=["toy", "four"])
def corpus(request, built):
    return step_paths(built, dataset=request.param)


@pytest.fixture
def toy(built):
    return step_paths(built, dataset="toy")


@pytest.fixture
def predictor(toy):
    return Predictor.load(toy["TrainModel"])


def evaluated(paths, kind, class_names):
    """Return raw texts and the predictions of Evaluate for them."""
    table = pq.read_table(paths["Evaluate"] / "predictions.parquet")
    columns = [table[f"{kind}_{name}"].to_numpy() for name in class_names]
    return table["text"].to_pylist(), np.stack(columns, axis=1), table


def test_probabilities_are_those_of_evaluate(corpus):
    predictor = Predictor.load(corpus["TrainModel"])
    texts, expected, table = evaluated(corpus, "p", predictor.class_names)
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)
    assert predictor.predict(texts) == table["predicted"].to_pylist()


def test_evaluation_applies_its_temperature_and_threshold(corpus):
    predictor = Predictor.load(corpus["TrainModel"], corpus["Evaluate"])
    texts, expected, table = evaluated(corpus, "calibrated", predictor.class_names)
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)
    assert predictor.predict(texts) == table["decided"].to_pylist()
    assert predictor.decision.temperature != 1


def test_threshold_decides_instead_of_the_larger_probability(toy):
    strict = Predictor(bundle.load(toy["TrainModel"]), Decision(1, 0.99, 1.0))
    assert strict.class_names == ["bad", "good"]
    assert strict.decide(np.array([[0.1, 0.9], [0.005, 0.995]])) == ["bad", "good"]


def test_chunks_do_not_change_predictions(predictor, monkeypatch):
    texts = [f"{text} {number}" for number in range(30) for text in TEXTS]
    expected = predictor.probabilities(texts)
    sizes = []
    transform = type(predictor.model.encoder).transform
    monkeypatch.setattr(module, "_CHUNK", 7)
    monkeypatch.setattr(
        type(predictor.model.encoder),
        "transform",
        lambda self, texts: sizes.append(len(texts)) or transform(self, texts),
    )
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)
    assert max(sizes) == 7
    assert sum(sizes) == len(texts)


def test_few_chunks_are_submitted_ahead():
    submitted = []
    results = module._map_ahead(
        module.ThreadPoolExecutor(1),
        lambda chunk: chunk * 10,
        (submitted.append(n) or n for n in range(50)),
    )
    assert next(results) == 0
    assert len(submitted) == module._CHUNKS_AHEAD + 1
    assert list(results) == [n * 10 for n in range(1, 50)]


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(pa.array(TEXTS), id="array"),
        pytest.param(pa.chunked_array([TEXTS[:1], TEXTS[1:]]), id="chunked"),
        pytest.param(pa.array(TEXTS, pa.large_string()), id="large_string"),
        pytest.param(pa.array(TEXTS).dictionary_encode(), id="dictionary"),
        pytest.param(tuple(TEXTS), id="tuple"),
        pytest.param((text for text in TEXTS), id="generator"),
        pytest.param(np.array(TEXTS, object), id="objects"),
        pytest.param(np.array(TEXTS), id="characters"),
        pytest.param(pd.Series(TEXTS, index=[7, 5, 3, 1]), id="series"),
        pytest.param(pd.Series(TEXTS, dtype="string[pyarrow]"), id="series of Arrow"),
        pytest.param(pd.Series(TEXTS, dtype="category"), id="categories"),
        pytest.param(pa.table({"text": TEXTS})["text"], id="column of a table"),
        pytest.param(dict(enumerate(TEXTS)).values(), id="values of a dict"),
    ],
)
def test_texts_are_a_list_or_a_column(predictor, column, monkeypatch):
    expected = predictor.probabilities(TEXTS)
    monkeypatch.setattr(module, "_CHUNK", 3)
    np.testing.assert_array_equal(predictor.probabilities(column), expected)


def test_no_texts_have_no_predictions(predictor):
    assert predictor.probabilities([]).shape == (0, 2)
    assert predictor.probabilities(pa.chunked_array([], pa.string())).shape == (0, 2)
    assert predictor.predict([]) == []


@pytest.mark.parametrize("text", ["", "   ", "\x00", "\n\t", "\u200b\ufeff", "!!!", "qqqqq"])
def test_text_without_tokens_gets_the_prior(predictor, text):
    prior = np.exp(predictor.model.classifier.estimator.class_log_prior_)
    np.testing.assert_allclose(predictor.probabilities([text])[0], prior)


def test_invisible_characters_change_no_prediction(predictor):
    probabilities = predictor.probabilities(["lo\u200bve \ufeffday\xad"])
    np.testing.assert_array_equal(probabilities, predictor.probabilities(["love day"]))


def test_half_of_a_surrogate_pair_is_replaced_as_in_raw_files(predictor):
    probabilities = predictor.probabilities(["love \ud83d day"])
    np.testing.assert_array_equal(probabilities, predictor.probabilities(["love \ufffd day"]))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", None], "position 1 .* must be a string, got None; .* an empty string"),
        (["a", "b", 7], "position 2 .* must be a string, got int 7"),
        ([b"a"], "position 0 .* got bytes"),
        ([float("nan")], "position 0 .* got float"),
        (pa.array(["a", "b", None]), "position 2 .* got None"),
        (pa.DictionaryArray.from_arrays([0, 1], ["a", None]), "position 1 .* got None"),
        (pa.chunked_array([["a"], [None]]), "position 1 .* got None"),
        (pa.array([1, 2]), "must be a column of strings, got int64; cast it"),
        (pd.Series(["a", None, float("nan")]), "position 1 .* got float nan"),
        (pd.Series(["a", pd.NA], dtype="string"), "position 1 .* got N"),
        ([["a"], ["b"]], "position 0 .* got list"),
        ([{"text": "a"}], "position 0 .* got dict"),
        ("love", r"must be a list or a column of strings, got a single str; .*\(\[text\]\)"),
        (b"love", r"got a single bytes; put it into a list"),
        (
            FRAME,
            r"got DataFrame with columns id, text; pass one column: predict\(frame\['text'\]\)",
        ),
        (FRAME[["text"]], r"got DataFrame with columns text; pass one column"),
        (pd.DataFrame(columns=["tweet"]), r"got DataFrame with columns tweet; .*frame\['tweet'\]"),
        (pd.DataFrame(TEXTS), r"got DataFrame with columns 0; .*frame\[0\]"),
        (pa.Table.from_pandas(FRAME), r"got Table with columns id, text; .*frame\['text'\]"),
        (pa.record_batch({"text": TEXTS}), r"got RecordBatch with columns text;"),
        ({"text": TEXTS}, r"got dict with keys text; .*predict\(values\['text'\]\)"),
        ({}, r"got dict; "),
        ({"a", "b"}, r"got set, which has no order; pass a list"),
        (np.array([TEXTS]), r"got ndarray of shape \(1, 4\); .*texts\[:, 0\]"),
        (np.array("love"), r"got ndarray of shape \(\);"),
        (7, r"got 7; pass a list"),
        (None, r"got None; pass a list"),
    ],
)
def test_texts_that_are_not_strings_are_an_error(predictor, texts, message):
    with pytest.raises(DataError, match=message):
        predictor.probabilities(texts)


def test_folder_of_another_task_is_an_error(toy):
    with pytest.raises(PipelineError, match="TrainModel artifact"):
        Predictor.load(toy["Evaluate"])
    with pytest.raises(NotFoundError, match="Evaluate artifact"):
        Predictor.load(toy["TrainModel"], toy["Vectorize"])


def test_evaluation_of_another_model_is_an_error(toy, mine):
    mine.run("Evaluate", dataset="toy", model="naive_bayes", alpha=0.5)
    other = step_paths(mine, dataset="toy", alpha=0.5)
    with pytest.raises(SettingConflictError, match=r"evaluates naive_bayes-\w+, not "):
        Predictor.load(toy["TrainModel"], other["Evaluate"])


def test_evaluation_with_other_classes_is_an_error(toy, tmp_path):
    decision = (toy["Evaluate"] / "decision.json").read_text()
    (tmp_path / "decision.json").write_text(decision.replace('"good"', '"great"'))
    with pytest.raises(
        SettingConflictError, match="classes bad, great.*; this model has bad, good"
    ):
        Predictor.load(toy["TrainModel"], tmp_path)


def test_model_of_an_older_format_is_an_error(toy, tmp_path):
    shutil.copytree(toy["TrainModel"], tmp_path / "old")
    path = tmp_path / "old" / "bundle.json"
    path.write_text(path.read_text().replace('"format": 2', '"format": 1'))
    with pytest.raises(PipelineError, match=r"format 1 .*format 2 .*train"):
        Predictor.load(tmp_path / "old")


# Each step before the model changes the texts. The model reads word n-grams, so that the removal of
# a stop word between two words matters.
SETTINGS = {
    "model": "logistic_regression",
    "char_ngrams": "none",
    "tokenizer": "tweet",
    "token_case": "lower",
    "word_form": "porter",
    "urls": "remove",
    "mentions": "keep",
    "hashtags": "replace",
    "numbers": "replace",
    "unicode_form": "NFKC",
}


def test_settings_of_training_apply_and_stop_words_are_in_the_bundle(chain, tmp_path):
    chain.add("toy")
    words = tmp_path / "stop.txt"
    words.write_text("the\nlove\n")
    settings = {"dataset": "toy", "stop_words": str(words), **SETTINGS}
    chain.run("Evaluate", **settings)
    paths = step_paths(chain, **settings)
    words.unlink()
    moved = tmp_path / "elsewhere"
    shutil.copytree(paths["TrainModel"], moved)
    predictor = Predictor.load(moved, paths["Evaluate"])
    texts, expected, table = evaluated(paths, "calibrated", predictor.class_names)
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)
    assert predictor.predict(texts) == table["decided"].to_pylist()
    love, nothing = predictor.probabilities(["love the love", ""])
    np.testing.assert_array_equal(love, nothing)
    assert pc.any(pc.match_substring(pa.array(texts), "love")).as_py()


def test_empty_stop_word_file_removes_no_word(chain, tmp_path):
    chain.add("toy")
    (tmp_path / "stop.txt").write_text("")
    settings = {"dataset": "toy", "stop_words": str(tmp_path / "stop.txt")}
    chain.run("Evaluate", model="naive_bayes", **settings)
    paths = step_paths(chain, **settings)
    predictor = Predictor.load(paths["TrainModel"])
    texts, expected, _ = evaluated(paths, "p", predictor.class_names)
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)


@pytest.mark.processes
def test_processes_start_only_for_many_texts_and_change_nothing(chain, monkeypatch):
    chain.add("toy")
    settings = {"dataset": "toy", "tokenizer": "tweet"}
    chain.run("TrainModel", model="naive_bayes", **settings)
    predictor = Predictor.load(step_paths(chain, **settings)["TrainModel"], processes=2)
    monkeypatch.setattr(module, "_CHUNK", 4)
    pools = []

    def pool(*args, **kwargs):
        pools.append(args)
        return executor(*args, **kwargs)

    executor = module.process_pool
    monkeypatch.setattr(module, "process_pool", pool)
    texts = TEXTS * 3
    expected = predictor.probabilities(texts)
    assert not pools
    monkeypatch.setattr(module, "_MIN_TEXTS_FOR_PROCESSES", len(texts))
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)
    assert pools == [(2,)]


def test_example_of_the_quick_start_works(toy):
    page = (ROOT / "docs" / "quick-start.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for step, folder in (("6_train", "TrainModel"), ("7_evaluate", "Evaluate")):
        code, count = re.subn(rf'"outputs/vader/{step}/.*?"', repr(str(toy[folder])), code)
        assert count == 1
    *lines, last = code.strip().splitlines()
    names = {}
    exec("\n".join(lines), names)
    assert set(eval(last, names)) <= {"bad", "good"}
