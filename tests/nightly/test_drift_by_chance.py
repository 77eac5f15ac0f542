"""How often nights without drift are noted, and nights of another dataset stopped."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.sparse
from conftest import Chain
from sklearn.naive_bayes import MultinomialNB

from pipeline.nightly.divergence import chance_index, fitted_chance
from pipeline.nightly.drift import Limits, Sample, compare
from pipeline.nightly.frequent import tokens_by_chance
from pipeline.text.tokens import Tokens, read_tokens

WORDS = np.array([f"w{number}" for number in range(3000)])
LABELS = ["bad", "good"]


def topical(texts, rng, words=WORDS, repeats=1):
    """Make texts of 5 to 15 words by Zipf's law, each word repeated: a text is about few things."""
    weights = 1 / np.arange(1, len(words) + 1)
    lengths = rng.integers(5, 16, texts)
    drawn = [rng.choice(words, size, p=weights / weights.sum()) for size in lengths]
    return Tokens.from_lists([np.repeat(one, repeats).tolist() for one in drawn])


def without_labels(tokens):
    return Sample(np.full(len(tokens), -1), tokens)


@pytest.mark.parametrize("repeats", [1, 3], ids=["independent words", "repeated words"])
@pytest.mark.parametrize("texts", [50, 300])
def test_night_without_drift_is_noted_at_most_once_in_100(texts, repeats):
    rng = np.random.default_rng(1)
    reference = without_labels(topical(3000, rng, repeats=repeats))
    levels = []
    for _ in range(100):
        night = without_labels(topical(texts, rng, repeats=repeats))
        levels.append(compare(reference, night, LABELS, Limits()).level)
    assert sum(level != "ok" for level in levels) <= 1


@pytest.mark.parametrize("texts", [100, 300])
def test_small_night_of_other_words_stops(texts):
    rng = np.random.default_rng(2)
    reference = without_labels(topical(3000, rng))
    # The 50 most frequent words are the same, as function words are; all others are not.
    others = np.concatenate([WORDS[:50], [f"x{number}" for number in range(2950)]])
    night = without_labels(topical(texts, rng, others))
    found = {one.name: one for one in compare(reference, night, LABELS, Limits()).distributions}
    assert found["tokens"].level == "stop"


def by_chance(reference, texts, length=10):
    return tokens_by_chance(reference, texts, texts * length)


def test_independent_tokens_count_one_by_one_and_repeated_ones_together():
    rng = np.random.default_rng(3)
    once, thrice = (topical(2000, rng, WORDS[:200], repeats) for repeats in (1, 3))
    drawn = chance_index(200, len(once.codes), 300 * 10, 0.0001)
    assert 0.9 * drawn < by_chance(once, 300) < 1.15 * drawn
    # Three times the tokens, and no more texts: nothing is known better for it.
    assert 0.9 < by_chance(thrice, 300, 30) / by_chance(once, 300) < 1.5


def test_fewer_texts_or_fewer_tokens_come_to_more_by_chance():
    reference = topical(2000, np.random.default_rng(3))
    assert by_chance(reference, 300) > by_chance(reference, 1000)
    assert by_chance(reference, 300, 5) > by_chance(reference, 300) * 1.5
    # Longer texts may repeat themselves: they count as no more than those of the reference.
    assert by_chance(reference, 300, 50) == tokens_by_chance(reference, 300, 10**6)


def test_night_larger_than_the_reference_is_split_by_half_and_scaled():
    small = topical(400, np.random.default_rng(4))
    # 1/n + 1/m of 400 and 200, of 400 and 10,000.
    ratio = by_chance(small, 10_000) / by_chance(small, 200)
    assert ratio == pytest.approx((1 / 400 + 1e-4) / (1 / 400 + 1 / 200), rel=0.1)
    assert np.isfinite(by_chance(small.take(np.arange(3)), 100))


def test_tail_is_fitted_to_mean_and_variance():
    draws = np.random.default_rng(5).chisquare(8, 200_000) * 0.01
    assert fitted_chance(draws, 0.001) == pytest.approx(0.01 * 26.12, rel=0.02)
    assert fitted_chance(np.full(5, 0.25)) == 0.25


class Real:
    """Labelled rows of a real dataset, and a model of half of them."""

    def __init__(self, chain, name):
        place = chain.run("Tokenize", dataset=name).path()
        (rows,) = chain.outputs.glob(f"{name}/2_clean/*/rows.parquet")
        labels = pq.read_table(rows, columns=["label"])["label"].to_pylist()
        names = sorted(set(filter(None, labels)))
        self.labels = np.array([names.index(label) if label else -1 for label in labels])
        self.rng = np.random.default_rng(6)
        labelled = self.rng.permutation(np.flatnonzero(self.labels >= 0))[:9000]
        self.labels, tokens = self.labels[labelled], read_tokens(place / "tokens.parquet")
        self.tokens = tokens.take(labelled)
        self.train, self.validation, self.rest = np.split(
            np.arange(len(labelled)), [int(0.45 * len(labelled)), int(0.55 * len(labelled))]
        )
        self.places = {word: number for number, word in enumerate(self.tokens.words)}
        bags = self._bags(self.tokens)
        self.model = MultinomialNB().fit(bags[self.train], self.labels[self.train])
        scores = self.model.predict_proba(bags[self.validation])
        self.reference = Sample(self.labels[self.train], self.tokens.take(self.train), scores)

    def night(self, texts, of=None):
        """Draw a night of rows that were not trained on, or of another dataset."""
        source = of or self
        rows = source.rng.choice(source.rest, texts, replace=False)
        tokens = source.tokens.take(rows)
        return Sample(source.labels[rows], tokens, self.model.predict_proba(self._bags(tokens)))

    def level(self, night):
        return compare(self.reference, night, LABELS, Limits()).level

    def _bags(self, tokens):
        """Count known words; shape (n_texts, n_words)."""
        columns = np.array([self.places.get(word, -1) for word in tokens.words])[tokens.codes]
        known = columns >= 0
        entries = (np.ones(known.sum()), (tokens.rows[known], columns[known]))
        return scipy.sparse.csr_matrix(entries, shape=(len(tokens), len(self.places)))


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
def test_real_night_without_drift_is_noted_at_most_once_in_100(real, name):
    sizes = [50, 100, 300, 1000] * 50
    levels = [real[name].level(real[name].night(texts)) for texts in sizes]
    assert sum(level != "ok" for level in levels) <= len(sizes) / 100


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["disaster", "hate_speech", "vader"])
def test_nights_of_100_real_texts_of_another_dataset_stop(real, name):
    others = sorted(real.keys() - {name})
    nights = [real[name].night(100, real[other]) for other in others for _ in range(20)]
    levels = [real[name].level(night) for night in nights]
    assert levels.count("stop") >= 0.95 * len(levels)
