"""Which nights reach a level of drift, and how often nights without drift do."""

import json
import math
from dataclasses import asdict

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.sparse
import scipy.stats
from conftest import Chain
from sklearn.naive_bayes import MultinomialNB
from zipf_texts import WORDS, topical

from pipeline.errors import SettingError
from pipeline.nightly import limits
from pipeline.nightly.divergence import token_chance_index
from pipeline.nightly.drift import Limits, Sample, compare
from pipeline.text.tokens import Tokens, read_tokens

NAMES = ["bad", "good"]
FEW_WORDS = [f"w{number}" for number in range(400)]


def by_classes(*counts):
    """Compare rows by their classes only; return the distribution."""
    samples = [
        Sample(np.repeat(np.arange(len(side)), side), Tokens.from_lists([])) for side in counts
    ]
    (distribution,) = compare(
        *samples, [str(n) for n in range(len(counts[0]))], Limits()
    ).distributions
    return distribution


def test_distance_equals_the_value_by_hand():
    assert by_classes([5, 5], [1, 1]).distance == 0
    assert by_classes([3, 0], [0, 8]).distance == pytest.approx(1)
    # (1, 0) and (1/2, 1/2): the mean is (3/4, 1/4).
    divergence = (math.log2(4 / 3) + (math.log2(2 / 3) + math.log2(2)) / 2) / 2
    assert by_classes([4, 0], [2, 2]).distance == pytest.approx(math.sqrt(divergence))


def test_levels_of_index_and_distance_correspond_for_small_shifts():
    before = np.full(10, 100_000)
    small = by_classes(before, before + np.tile([1, -1], 5) * 15_000)
    assert small.distance == pytest.approx(math.sqrt(small.psi / (8 * math.log(2))), rel=0.01)
    for psi, distance in ((0.1, Limits().warning_distance), (0.25, Limits().stop_distance)):
        assert math.sqrt(psi / (8 * math.log(2))) == pytest.approx(distance, abs=0.005)


def sample(n_rows, seed, good=0.5, words=FEW_WORDS, longest=15, skew=2.0):
    """Return rows whose words follow Zipf's law."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, len(words) + 1)
    weights /= weights.sum()
    lengths = rng.integers(1, longest + 1, n_rows)
    flat = rng.choice(words, lengths.sum(), p=weights).tolist()
    ends = np.cumsum(lengths)
    lists = [flat[end - size : end] for end, size in zip(ends, lengths, strict=True)]
    scores = rng.beta(skew, 2.0, n_rows)
    labels = (rng.uniform(size=n_rows) < good).astype(int)
    return Sample(labels, Tokens.from_lists(lists), np.stack([1 - scores, scores], axis=1))


REFERENCE = sample(4000, 1)
TABLE = {
    "same": ({}, {}),
    "few rows": ({"n_rows": 40}, {}),
    "classes a little": ({"good": 0.66}, {"classes": "warning"}),
    "classes": ({"good": 0.85}, {"classes": "stop"}),
    "lengths": ({"longest": 30}, {"lengths": "stop"}),
    "tokens": ({"words": FEW_WORDS[::-1]}, {"tokens": "stop"}),
    "new words": ({"words": [f"x{number}" for number in range(400)]}, {"tokens": "stop"}),
    "scores": ({"skew": 6.0}, {"scores": "stop"}),
    "few rows of another kind": (
        {"n_rows": 60, "words": FEW_WORDS[::-1], "good": 0.99},
        {"tokens": "stop", "classes": "stop"},
    ),
}


@pytest.mark.parametrize(("other", "levels"), TABLE.values(), ids=TABLE.keys())
def test_levels(other, levels):
    drift = compare(REFERENCE, sample(**{"n_rows": 1500, "seed": 2, **other}), NAMES, Limits())
    assert [one.name for one in drift.distributions] == ["classes", "lengths", "tokens", "scores"]
    assert {one.name: one.level for one in drift.distributions if one.level != "ok"} == levels
    assert drift.level == max(levels.values(), default="ok", key=("ok", "warning", "stop").index)
    for name, level in levels.items():
        assert (name in drift.sentence) == (level == drift.level)
    json.dumps(asdict(drift), allow_nan=False)


def test_bins_contain_every_row_and_have_names():
    drift = compare(REFERENCE, sample(500, 3, longest=40), NAMES, Limits())
    classes, lengths, tokens, scores = drift.distributions
    for one in (classes, lengths, scores):
        assert len(one.bins) == len(one.reference) == len(one.current)
        assert (sum(one.reference), sum(one.current)) == (4000, 500)
    assert sum(tokens.reference) == len(REFERENCE.tokens.codes)
    assert len(tokens.bins) == 201
    drawn = (500, sum(tokens.current))
    assert tokens.chance == token_chance_index(REFERENCE.tokens, *drawn)
    assert lengths.bins[0].startswith("0 to ")
    assert lengths.bins[-1] == "15 and more"
    assert classes.bins == NAMES
    assert "probability of good" in scores.about
    # A tenth of the reference in each; lengths are whole numbers, so nearly.
    assert max(scores.reference) - min(scores.reference) <= 1


def test_texts_of_one_length_have_two_bins():
    same = Sample(np.zeros(50, int), Tokens.from_lists([["a", "b"]] * 50))
    longer = Sample(np.zeros(50, int), Tokens.from_lists([["a", "b", "b"]] * 50))
    one = next(
        one for one in compare(same, longer, NAMES, Limits()).distributions if one.name == "lengths"
    )
    assert one.bins == ["0 to 2", "3 and more"]
    assert (one.reference, one.current) == ([50, 0], [0, 50])
    assert one.level == "stop"


def test_of_several_classes_the_score_that_drifted_most_is_shown():
    rng = np.random.default_rng(0)
    before = rng.dirichlet([2, 2, 2], 2000)
    now = rng.dirichlet([2, 2, 8], 2000)
    sides = [Sample(np.zeros(1, int), Tokens.from_lists([["a"]]), one) for one in (before, now)]
    drift = compare(*sides, ["a", "b", "c"], Limits())
    assert drift.distributions[-1].about == "champion's probability of c"
    assert drift.level == "stop"


def test_distribution_that_is_empty_on_one_side_is_omitted():
    unlabelled = Sample(np.full(1500, -1), sample(1500, 2).tokens)
    drift = compare(REFERENCE, unlabelled, NAMES, Limits())
    assert [one.name for one in drift.distributions] == ["lengths", "tokens"]
    nothing = Sample(np.zeros(0, int), Tokens.from_lists([]))
    assert compare(REFERENCE, nothing, NAMES, Limits()).level == "ok"
    assert compare(nothing, REFERENCE, NAMES, Limits()).distributions == []


def test_index_that_chance_explains_reaches_no_level():
    drift = compare(REFERENCE, sample(25, 4, good=0.75), NAMES, Limits())
    classes = drift.distributions[0]
    assert classes.psi > Limits().warning_psi
    assert classes.level == "ok"
    assert f"with so few rows chance alone reaches {classes.chance:.3f}" in classes.sentence


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"warning_psi": 0.3}, "stop_psi .* must be at least warning_psi, got 0.25 and 0.3"),
        ({"stop_distance": 2.0}, "stop_distance must be .* at most 1, got 2.0; change luigi.cfg"),
        ({"warning_psi": 0.0}, "warning_psi must be a number above 0, got 0.0"),
    ],
)
def test_impossible_limit_is_an_error(values, problem):
    with pytest.raises(SettingError, match=problem):
        limits.drift(**values).limits()


def without_labels(tokens):
    return Sample(np.full(len(tokens), -1), tokens)


@pytest.mark.parametrize("repeats", [1, 3], ids=["independent words", "repeated words"])
@pytest.mark.parametrize("texts", [50, 300])
def test_night_without_drift_reaches_a_level_at_most_once_in_100(texts, repeats):
    rng = np.random.default_rng(1)
    reference = without_labels(topical(3000, rng, repeats=repeats))
    levels = []
    for _ in range(100):
        night = without_labels(topical(texts, rng, repeats=repeats))
        levels.append(compare(reference, night, NAMES, Limits()).level)
    assert sum(level != "ok" for level in levels) <= 1


@pytest.mark.parametrize("texts", [100, 300])
def test_small_night_of_other_words_is_stopped(texts):
    rng = np.random.default_rng(2)
    reference = without_labels(topical(3000, rng))
    # The 50 most frequent words are the same, as function words are; all others are not.
    others = np.concatenate([WORDS[:50], [f"x{number}" for number in range(2950)]])
    night = without_labels(topical(texts, rng, others))
    by_name = {one.name: one for one in compare(reference, night, NAMES, Limits()).distributions}
    assert by_name["tokens"].level == "stop"


class Real:
    """Labelled rows of a real dataset, and a model that is trained on half of them."""

    def __init__(self, chain, name):
        tokens_folder = chain.run("Tokenize", dataset=name).path()
        (rows,) = chain.outputs.glob(f"{name}/2_clean/*/rows.parquet")
        labels = pq.read_table(rows, columns=["label"])["label"].to_pylist()
        names = sorted(set(filter(None, labels)))
        self.labels = np.array([names.index(label) if label else -1 for label in labels])
        self.rng = np.random.default_rng(6)
        labelled = self.rng.permutation(np.flatnonzero(self.labels >= 0))[:9000]
        self.labels, tokens = self.labels[labelled], read_tokens(tokens_folder / "tokens.parquet")
        self.tokens = tokens.take(labelled)
        self.train, self.validation, self.rest = np.split(
            np.arange(len(labelled)), [int(0.45 * len(labelled)), int(0.55 * len(labelled))]
        )
        self.columns = {word: number for number, word in enumerate(self.tokens.words)}
        bags = self._bags(self.tokens)
        self.model = MultinomialNB().fit(bags[self.train], self.labels[self.train])
        scores = self.model.predict_proba(bags[self.validation])
        self.reference = Sample(self.labels[self.train], self.tokens.take(self.train), scores)

    def night(self, texts, of=None):
        """Draw a night of rows that the model was not trained on, or of another dataset."""
        source = of or self
        rows = source.rng.choice(source.rest, texts, replace=False)
        tokens = source.tokens.take(rows)
        return Sample(source.labels[rows], tokens, self.model.predict_proba(self._bags(tokens)))

    def level(self, night):
        return compare(self.reference, night, NAMES, Limits()).level

    def _bags(self, tokens):
        """Count the words of the model; shape (n_texts, n_words)."""
        columns = np.array([self.columns.get(word, -1) for word in tokens.words])[tokens.codes]
        is_known = columns >= 0
        entries = (np.ones(is_known.sum()), (tokens.rows[is_known], columns[is_known]))
        return scipy.sparse.csr_matrix(entries, shape=(len(tokens), len(self.columns)))


@pytest.fixture(scope="module")
def real(tmp_path_factory, real_data):
    """Return three real datasets of two classes each."""
    chain = Chain(tmp_path_factory.mktemp("real"))
    for name in ("disaster", "hate_speech"):
        (chain.data / name).mkdir(parents=True)
        for file in (real_data / name).iterdir():
            (chain.data / name / file.name).symlink_to(file)
    return {name: Real(chain, name) for name in ("disaster", "hate_speech", "vader")}


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["disaster", "hate_speech", "vader"])
def test_real_night_without_drift_reaches_a_level_at_most_once_in_100(real, name):
    sizes = [50, 100, 300, 1000] * 50
    levels = [real[name].level(real[name].night(texts)) for texts in sizes]
    most = scipy.stats.binom.ppf(0.99, len(sizes), 0.01)  # of these nights, by chance
    assert sum(level != "ok" for level in levels) <= most


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["disaster", "hate_speech", "vader"])
def test_nights_of_100_real_texts_of_another_dataset_are_stopped(real, name):
    others = sorted(real.keys() - {name})
    nights = [real[name].night(100, real[other]) for other in others for _ in range(20)]
    levels = [real[name].level(night) for night in nights]
    assert levels.count("stop") >= 0.95 * len(levels)
