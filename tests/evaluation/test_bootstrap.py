import numpy as np

from pipeline.evaluation import bootstrap
from pipeline.evaluation.metrics import evaluate
from pipeline.evaluation.scorer import Scorer


def test_block_size_does_not_change_the_samples(monkeypatch):
    samples = np.concatenate(list(bootstrap.draw(30, 40, seed=5)))
    monkeypatch.setattr(bootstrap, "_MAX_WEIGHTS", 100)
    blocks = list(bootstrap.draw(30, 40, seed=5))
    assert len(blocks) > 10
    assert np.array_equal(np.concatenate(blocks), samples)
    assert (samples.sum(axis=1) == 30).all()


def test_interval_ignores_samples_that_do_not_define_a_metric():
    values = np.array([[0.0, np.nan], [1.0, np.nan], [np.nan, np.nan]])
    lower, upper = bootstrap.interval(values, level=1.0)
    assert (lower[0], upper[0]) == (0.0, 1.0)
    assert np.isnan(lower[1])


def test_intervals_depend_on_the_seed():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    second = rng.uniform(size=200)
    probabilities = np.stack([1 - second, second], axis=1)

    def intervals(seed):
        return evaluate(labels, probabilities, ["a", "b"], samples=100, seed=seed)["intervals"]

    assert intervals(1) == intervals(1)
    assert intervals(1) != intervals(2)


def test_intervals_contain_the_true_metrics_in_95_of_100_cases():
    rng = np.random.default_rng(11)

    def draw(n_rows):
        labels = (rng.uniform(size=n_rows) < 0.4).astype(int)
        second = 1 / (1 + np.exp(-rng.normal(labels * 2.0 - 1.0, 1.2)))
        return Scorer(labels, np.stack([1 - second, second], axis=1))

    truth = draw(2_000_000).score()
    names = ("accuracy", "roc_auc", "macro_f1", "log_loss", "matthews", "average_precision")
    trials, hits = 1000, dict.fromkeys(names, 0)
    for trial in range(trials):
        scorer = draw(400)
        replicates = bootstrap.replicate(scorer.score, 400, 300, trial, 2)
        for name in names:
            lower, upper = bootstrap.interval(replicates[name])
            hits[name] += lower <= truth[name][0] <= upper
    coverage = {name: count / trials for name, count in hits.items()}
    assert all(0.93 <= share <= 0.97 for share in coverage.values()), coverage
