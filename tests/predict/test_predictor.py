"""Raw texts go in, and what Evaluate found for them comes out, whatever the settings."""

import re
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import ROOT

from pipeline.errors import PipelineError
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


def places(chain, model="naive_bayes", **settings):
    """Return where the steps of a built chain lie."""
    report = chain.task(model=model, **settings).requires()
    return {step.task_family: step.path() for step in report.chain()}


@pytest.fixture(params=["toy", "four"])
def corpus(request, built):
    return places(built, dataset=request.param)


@pytest.fixture
def toy(built):
    return places(built, dataset="toy")


@pytest.fixture
def predictor(toy):
    return Predictor.load(toy["TrainModel"])


def evaluated(found, kind, class_names):
    """Return raw texts and what Evaluate wrote for them."""
    table = pq.read_table(found["Evaluate"] / "predictions.parquet")
    rows = pq.read_table(found["CleanText"] / "rows.parquet", columns=["id", "raw"])
    assert rows["id"].equals(table["id"])
    columns = [table[f"{kind}_{name}"].to_numpy() for name in class_names]
    return rows["raw"].to_pylist(), np.stack(columns, axis=1), table


def test_probabilities_are_those_of_evaluate(corpus):
    predictor = Predictor.load(corpus["TrainModel"])
    texts, expected, table = evaluated(corpus, "p", predictor.class_names)
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)
    assert predictor.predict(texts) == table["predicted"].to_pylist()


def test_with_an_evaluation_temperature_and_threshold_are_applied(corpus):
    predictor = Predictor.load(corpus["TrainModel"], corpus["Evaluate"])
    texts, expected, table = evaluated(corpus, "calibrated", predictor.class_names)
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)
    assert predictor.predict(texts) == table["decided"].to_pylist()
    assert predictor.decision.temperature != 1


def test_the_threshold_decides_and_not_the_larger_probability(toy):
    strict = Predictor(bundle.load(toy["TrainModel"]), Decision(1, 0.99, 1.0))
    assert strict.class_names == ["bad", "good"]
    assert strict.decide(np.array([[0.1, 0.9], [0.005, 0.995]])) == ["bad", "good"]


def test_texts_are_predicted_in_chunks_as_at_once(predictor, monkeypatch):
    texts = [f"{text} {number}" for number in range(30) for text in TEXTS]
    expected = predictor.probabilities(texts)
    asked = []
    transform = type(predictor.model.encoder).transform
    monkeypatch.setattr(module, "_CHUNK", 7)
    monkeypatch.setattr(
        type(predictor.model.encoder),
        "transform",
        lambda self, texts: asked.append(len(texts)) or transform(self, texts),
    )
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)
    assert max(asked) == 7
    assert sum(asked) == len(texts)


def test_no_more_chunks_are_begun_than_a_few_ahead():
    begun = []
    reader = module._ahead(
        module.ThreadPoolExecutor(1),
        lambda chunk: chunk * 10,
        (begun.append(n) or n for n in range(50)),
    )
    assert next(reader) == 0
    assert len(begun) == module._AHEAD + 1
    assert list(reader) == [n * 10 for n in range(1, 50)]


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
    ],
)
def test_texts_come_as_a_list_or_as_a_column(predictor, column, monkeypatch):
    expected = predictor.probabilities(TEXTS)
    monkeypatch.setattr(module, "_CHUNK", 3)
    np.testing.assert_array_equal(predictor.probabilities(column), expected)


def test_nothing_asked_nothing_answered(predictor):
    assert predictor.probabilities([]).shape == (0, 2)
    assert predictor.probabilities(pa.chunked_array([], pa.string())).shape == (0, 2)
    assert predictor.predict([]) == []


@pytest.mark.parametrize("text", ["", "   ", "\x00", "\n\t", "!!!", "qqqqq"])
def test_a_text_without_a_word_gets_what_the_model_says_of_none(predictor, text):
    prior = np.exp(predictor.model.classifier.estimator.class_log_prior_)
    np.testing.assert_allclose(predictor.probabilities([text])[0], prior)


def test_half_a_character_is_replaced_as_in_raw_files(predictor):
    found = predictor.probabilities(["love \ud83d day"])
    np.testing.assert_array_equal(found, predictor.probabilities(["love \ufffd day"]))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ["a", None],
            "text at position 1 .from 0. is None, not a string; leave it out, or give an",
        ),
        (["a", "b", 7], "text at position 2 .from 0. is int, not a string"),
        ([b"a"], "text at position 0 .from 0. is bytes"),
        ([float("nan")], "text at position 0 .from 0. is float"),
        (pa.array(["a", "b", None]), "text at position 2 .from 0. is null"),
        (pa.chunked_array([["a"], [None]]), "text at position 1 .from 0. is null"),
        (pa.array([1, 2]), "a column of strings was expected, got one of int64; cast it"),
        ("love", r"a list of texts was expected, got a single str; put it into a list: \[text\]"),
    ],
)
def test_what_is_no_text_is_said(predictor, texts, message):
    with pytest.raises(PipelineError, match=message):
        predictor.probabilities(texts)


def test_a_folder_of_another_kind_is_said(toy):
    with pytest.raises(PipelineError, match="name the folder of a TrainModel artifact"):
        Predictor.load(toy["Evaluate"])
    with pytest.raises(PipelineError, match="name the folder of an Evaluate artifact"):
        Predictor.load(toy["TrainModel"], toy["Vectorize"])


def test_an_evaluation_of_another_model_is_said(toy, mine):
    mine.run("Evaluate", dataset="toy", model="naive_bayes", alpha=0.5)
    other = places(mine, dataset="toy", alpha=0.5)
    with pytest.raises(PipelineError, match=r"evaluates naive_bayes-\w+, not .*; name an Evaluate"):
        Predictor.load(toy["TrainModel"], other["Evaluate"])


def test_a_decision_for_other_classes_is_said(toy, tmp_path):
    decision = (toy["Evaluate"] / "decision.json").read_text()
    (tmp_path / "decision.json").write_text(decision.replace('"good"', '"great"'))
    with pytest.raises(PipelineError, match="classes bad, great; this model has bad, good"):
        Predictor.load(toy["TrainModel"], tmp_path)


def test_a_model_of_an_older_format_is_said(toy, tmp_path):
    shutil.copytree(toy["TrainModel"], tmp_path / "old")
    path = tmp_path / "old" / "bundle.json"
    path.write_text(path.read_text().replace('"format": 2', '"format": 1'))
    with pytest.raises(PipelineError, match=r"has format 1 .* reads format 2 .*train the model"):
        Predictor.load(tmp_path / "old")


# Every step before the model does something here. The model reads runs of words, so that it matters
# whether a stop word stands between two others.
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


def test_settings_of_training_hold_and_stop_words_need_no_file_any_more(chain, tmp_path):
    chain.add("toy")
    words = tmp_path / "stop.txt"
    words.write_text("the\nlove\n")
    settings = {"dataset": "toy", "stop_words": str(words), **SETTINGS}
    chain.run("Evaluate", **settings)
    found = places(chain, **settings)
    words.unlink()
    moved = tmp_path / "elsewhere"
    shutil.copytree(found["TrainModel"], moved)
    predictor = Predictor.load(moved, found["Evaluate"])
    texts, expected, table = evaluated(found, "calibrated", predictor.class_names)
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)
    assert predictor.predict(texts) == table["decided"].to_pylist()
    love, nothing = predictor.probabilities(["love the love", ""])
    np.testing.assert_array_equal(love, nothing)
    assert pc.any(pc.match_substring(pa.array(texts), "love")).as_py()


def test_an_empty_stop_word_file_leaves_nothing_out(chain, tmp_path):
    chain.add("toy")
    (tmp_path / "stop.txt").write_text("")
    settings = {"dataset": "toy", "stop_words": str(tmp_path / "stop.txt")}
    chain.run("Evaluate", model="naive_bayes", **settings)
    found = places(chain, **settings)
    predictor = Predictor.load(found["TrainModel"])
    texts, expected, _ = evaluated(found, "p", predictor.class_names)
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)


@pytest.mark.processes
def test_processes_give_the_same_and_come_only_with_many_texts(chain, monkeypatch):
    chain.add("toy")
    settings = {"dataset": "toy", "tokenizer": "tweet"}
    chain.run("TrainModel", model="naive_bayes", **settings)
    predictor = Predictor.load(places(chain, **settings)["TrainModel"], processes=2)
    monkeypatch.setattr(module, "_CHUNK", 4)
    begun = []

    def pool(*args, **kwargs):
        begun.append(args)
        return executor(*args, **kwargs)

    executor = module.ProcessPoolExecutor
    monkeypatch.setattr(module, "ProcessPoolExecutor", pool)
    texts = TEXTS * 3
    expected = predictor.probabilities(texts)
    assert not begun
    monkeypatch.setattr(module, "_WORTH_PROCESSES", len(texts))
    np.testing.assert_array_equal(predictor.probabilities(texts), expected)
    assert begun == [(2,)]


def test_the_readmes_example_works(toy):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    for step, folder in (("6_train", "TrainModel"), ("7_evaluate", "Evaluate")):
        code, count = re.subn(rf'"outputs/vader/{step}/.*?"', repr(str(toy[folder])), code)
        assert count == 1
    *lines, last = code.strip().splitlines()
    names = {}
    exec("\n".join(lines), names)
    assert set(eval(last, names)) <= {"bad", "good"}
