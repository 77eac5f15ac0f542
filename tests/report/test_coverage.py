import logging
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import write_dataset
from runs import made_up_run

from pipeline.features import vocabulary as vocabularies
from pipeline.features.word_vectors import WORDS_FILE
from pipeline.report.coverage import Coverage, measure, problems, unseparated
from pipeline.text.tokens import Tokens

VECTORS = {"words_covered": 0.4, "tokens_covered": 0.49}
CHINESE = ["我今天非常高兴见到你", "这个产品真的很糟糕", "服务态度让人失望极了"]


@pytest.mark.parametrize(
    ("coverage", "sentences"),
    [
        (Coverage(100, 0.1, 0.2), []),
        (Coverage(100, 0.1, 0.499), []),
        (Coverage(100, 0.5, 0.5), ["50% of the words in test rows are in no training row: logis"]),
        (Coverage(100, 0.1, 0.5), ["50% of the words in test rows are not in the vocabulary of"]),
        # Word vectors have words that no training row has.
        (Coverage(100, 0.6, 0.1), []),
        (Coverage(100, 0.1, 0.1, 0.1), ["In 10% of the texts, which are in a script without"]),
        (Coverage(100, 0.9, 0.9, 0.5), ["In 50% of the texts, which are in a script without"]),
        (Coverage(100, 0.1, 0.1, 0.099), []),
        (Coverage(100, 0.1, 0.1, 0.0, VECTORS), ["The word vectors contain 40% of the vocabulary"]),
        (Coverage(100, 0.1, 0.1, 0.0, {**VECTORS, "tokens_covered": 0.5}), []),
        (Coverage(100, 0.9, 0.9, 0.0, VECTORS), ["90% of the words", "The word vectors contain"]),
    ],
    ids=[
        "high",
        "high enough",
        "half unseen",
        "small vocabulary",
        "in word vectors",
        "one token a clause",
        "only the cause",
        "few such texts",
        "vectors of other words",
        "just enough vectors",
        "two problems",
    ],
)
def test_low_coverage_gives_a_warning(coverage, sentences):
    warnings = list(problems(made_up_run(), coverage))
    assert len(warnings) == len(sentences)
    for suggestion, sentence in zip(warnings, sentences, strict=True):
        assert suggestion.sentence.startswith(sentence)
        assert suggestion.command


def test_model_that_reads_characters_gets_no_other_model_suggested():
    run = made_up_run("logistic_regression", **{"bundle.representation": "ngrams"})
    for coverage in (Coverage(100, 0.9), Coverage(100, 0.9, None, 0.9)):
        (warning,) = problems(run, coverage)
        assert not warning.command or "--segmentation bigrams" in warning.command
        assert "--model naive_bayes" not in warning.command


@pytest.mark.parametrize(
    ("lists", "share"),
    [
        ([["good", "day"], []], 0.0),
        ([[CHINESE[0]], ["good", "day"]], 0.5),
        ([[CHINESE[0], "ok"], ["good", "ok", CHINESE[1]]], 0.5),
        ([["我", "今天", "非常", "高兴"]], 0.0),
        ([["ขอบคุณมากครับ"]], 1.0),
        ([["internationalization"]], 0.0),
    ],
    ids=["words", "one of two", "half of its tokens", "separated", "thai", "long word"],
)
def test_texts_of_unseparated_clauses_are_counted(lists, share):
    assert unseparated(Tokens.from_lists(lists)) == share


@pytest.mark.parametrize(
    ("representation", "pretrained", "unknown"),
    [("sequences", [], 2 / 3), ("sequences", ["Rare", "odd"], 1 / 3), ("ngrams", [], None)],
    ids=["vocabulary", "vectors know one more", "no list of words"],
)
def test_unknown_words_are_in_neither_vocabulary_nor_word_vectors(
    tmp_path, representation, pretrained, unknown
):
    vocabularies.write(tmp_path / vocabularies.VOCABULARY_FILE, ["", "[UNK]", "day"])
    if pretrained:
        vocabularies.write(tmp_path / WORDS_FILE, pretrained)
    parts = {"train": np.array([0]), "test": np.array([1])}
    run = SimpleNamespace(
        tokens=Tokens.from_lists([["good", "day"], ["good", "day", "Rare"]]),
        parts=SimpleNamespace(rows=parts.get),
        path_of=lambda task, name: {"Vectorize": tmp_path}[task] / name,
        bundle={"representation": representation},
        vectors={},
    )
    coverage = measure(run)
    assert coverage.test_tokens == 3
    assert coverage.unseen == pytest.approx(1 / 3)
    assert coverage.unknown == (None if unknown is None else pytest.approx(unknown))


@pytest.fixture
def chinese(chain):
    """Return a chain with texts in a script without spaces, all different."""
    rows = [
        (f"{CHINESE[n % 3]}{chr(0x4E00 + n)}{chr(0x5E00 + 3 * n)}", ("bad", "good")[n % 2])
        for n in range(120)
    ]
    write_dataset(chain.data / "weibo", rows, ["bad", "good"])
    return chain


def test_page_and_log_begin_with_the_warning_and_its_command(chinese, caplog):
    with caplog.at_level(logging.WARNING, logger="pipeline.report.page"):
        settings = {"dataset": "weibo", "model": "naive_bayes", "segmentation": "none"}
        report = chinese.run(**settings).requires()
    sentence = "In 100% of the texts, which are in a script without spaces, the tokenizer leaves"
    assert sentence in caplog.text
    html = " ".join((report.path() / "report.html").read_text().split())
    body = html[html.index("<body") :]
    assert body.index(sentence) < body.index("naive_bayes beats" if "beats" in body else "does not")
    warning = body[body.index(sentence) : body.index("Can the metrics be trusted?")]
    assert "--segmentation</span> bigrams" in warning
    # Once on the page, and once in its model card.
    assert body.count(sentence) == 2
    assert sentence in (report.path() / "model_card.md").read_text()


def test_page_shows_coverage_of_an_ordinary_run(built):
    html = (
        built.task(dataset="toy", model="naive_bayes").requires().path() / "report.html"
    ).read_text()
    assert "tokens in test rows," in html
    assert "% are unknown to the model" in html
    assert "Read this first" not in html
