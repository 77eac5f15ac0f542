"""Killed training continues from its checkpoint, with the result of uninterrupted training."""

import json
import logging
from dataclasses import dataclass

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from pipeline.features.word_vectors import WordVectors
from pipeline.models import specs
from pipeline.models.base import TrainingData
from pipeline.training.checkpoint import Checkpoint, State
from pipeline.training.validation import EarlyStopping

WIDTH, LENGTH, N_TRAIN, N_VALIDATION = 30, 7, 90, 40
SMALL = {
    "embedding_size": 4,
    "units": (3,),
    "activations": ("relu",),
    "dense_units": "none",
    "epochs": 6,
    "batch_size": 16,
    "patience": 0,
    "dropout": 0.0,
    "spatial_dropout": 0.0,
}
REFITTED = {"patience": 2, "learning_rate": 0.3, "spatial_dropout": 0.3, "epochs": 12}
REFITTED |= {"refit_on_validation": True, "reduce_factor": 0.5, "reduce_patience": 1}
# State that a checkpoint must contain: model, settings, and the last epoch before the kill.
CASES = {
    "dropout": ("bag_dense", {"units": (8, 4), "dropout": 0.5}, 3),
    "spatial_dropout_and_extra_vectors": ("dense", {"spatial_dropout": 0.5}, 3),
    "recurrent_dropout_and_normalization": (
        "gru",
        {"input_dropout": 0.3, "recurrent_dropout": 0.3, "batch_normalization": True},
        4,
    ),
    "two_directions_of_fused_lstm": ("bilstm", {"input_dropout": 0.3, "top_units": 2}, 3),
    "best_weights_of_an_earlier_epoch": (
        "dense",
        {"patience": 3, "learning_rate": 0.5, "epochs": 20},
        lambda result: result[2]["best_epoch"] + 1,
    ),
    "reduced_learning_rate": (
        "dense",
        {"reduce_factor": 0.5, "reduce_patience": 2, "learning_rate": 0.3, "epochs": 10},
        lambda result: first_reduction(result[1]),
    ),
    "refitted": ("dense", REFITTED, 2),
    **{
        f"state_of_{name}": ("bag_dense", {"units": (4,), "optimizer": name, "dropout": 0.2}, 3)
        for name in ("adamw", "nadam", "rmsprop", "sgd")
    },
}


def first_reduction(history):
    """Return the epoch after which the learning rate was reduced; the next epoch keeps it."""
    rates = [metrics["learning_rate"] for metrics in history]
    epoch = next(at for at in range(1, len(rates)) if rates[at] < rates[at - 1])
    assert rates[epoch + 1] == rates[epoch]
    return epoch


class Killed(BaseException):
    """Replaces SIGKILL; a process would take too long to start."""


class Kill:
    """Progress that raises when a text begins with a string for the n-th time."""

    def __init__(self, start=None, times=1):
        self.start, self.times = start, times
        self.shown = []

    def __call__(self, share, text):
        self.shown.append((share, text))
        if self.start and text.startswith(self.start):
            self.times -= 1
            if self.times == 0:
                raise Killed


def settings_of(model, changes):
    """Return a model's settings: those of the case, else small ones, else defaults."""
    values = {}
    for name in specs.MODELS[model].hyperparameters:
        setting = specs.HYPERPARAMETERS[name]
        default = specs.MODELS[model].defaults.get(name, setting.default)
        values[name] = setting.check(changes.get(name, SMALL.get(name, default)))
    return values


def data_of(model):
    """Return texts of random words with classes that are hard to separate."""
    rng = np.random.default_rng(3)
    n_rows = N_TRAIN + N_VALIDATION
    labels = rng.integers(0, 2, n_rows)
    reads = specs.MODELS[model].reads
    if reads == "sequences":
        vectors = np.zeros((n_rows, LENGTH), np.int32)
        for row, label in enumerate(labels):
            size = rng.integers(1, LENGTH + 1)
            vectors[row, :size] = rng.integers(1, WIDTH - 5 * label, size)
    else:
        from scipy import sparse

        dense = (rng.random((n_rows, WIDTH)) < 0.1 + 0.05 * labels[:, None]).astype(np.float32)
        vectors = sparse.csr_matrix(dense)
    word_vectors = embedding = None
    if model == "dense":
        table = rng.normal(size=(WIDTH + 10, 4)).astype(np.float32)
        embedding = table[:WIDTH]
        word_vectors = WordVectors([f"w{at}" for at in range(10)], table[WIDTH:])
        vectors[::3, 0] = WIDTH + 3
    return TrainingData(
        vectors[:N_TRAIN],
        labels[:N_TRAIN],
        vectors[N_TRAIN:],
        labels[N_TRAIN:],
        ["bad", "good"],
        WIDTH,
        embedding,
        word_vectors,
    )


def fit(model, settings, progress, folder, partial):
    from pipeline.models.network import Network

    return Network.fit(model, data_of(model), settings, progress, folder / "logs", partial)


def result_of(fitted):
    """Return all that must be equal: variables, history, facts."""
    network, training = fitted
    return (
        [variable.numpy() for variable in network.model.variables],
        training.history,
        training.facts,
    )


def assert_same(result, expected):
    assert result[1:] == expected[1:]
    assert len(result[0]) == len(expected[0]) > 1
    for one, other in zip(result[0], expected[0], strict=True):
        np.testing.assert_array_equal(one, other)


def events(folder):
    """Return step and metrics of each event that TensorBoard would read."""
    import tensorflow as tf

    (path,) = folder.glob("events*")
    records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    parsed = [tf.compat.v1.Event.FromString(record) for record in records]
    return [
        (event.step, {value.tag: value.simple_value for value in event.summary.value})
        for event in parsed
        if event.summary.value
    ]


@pytest.fixture(autouse=True)
def _every_epoch(monkeypatch):
    """Save every epoch, however short, so that tests do not depend on a clock."""
    from pipeline.training import checkpoint

    monkeypatch.setattr(checkpoint, "_LEAST_RATIO", 0)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Return a function that trains a case once, without any checkpoint."""
    trained = {}

    def train(case):
        if case not in trained:
            model, changes, _ = CASES[case]
            folder = tmp_path_factory.mktemp(case)
            fitted = fit(model, settings_of(model, changes), Kill(), folder, None)
            trained[case] = result_of(fitted), events(folder / "logs")
        return trained[case]

    return train


@pytest.mark.network
@pytest.mark.parametrize("when", ["between_epochs", "within_an_epoch"])
@pytest.mark.parametrize("case", CASES)
def test_killed_training_has_the_result_of_uninterrupted_training(
    case, when, uninterrupted, tmp_path, caplog
):
    model, changes, finished = CASES[case]
    settings = settings_of(model, changes)
    expected, logged = uninterrupted(case)
    finished = finished(expected) if callable(finished) else finished
    assert finished < expected[2]["epochs"]
    text = f"epoch {finished}:" if when == "between_epochs" else f"epoch {finished + 1} of"
    with pytest.raises(Killed):
        fit(model, settings, Kill(text), tmp_path / "killed", tmp_path)
    progress = Kill()
    with caplog.at_level(logging.INFO, "pipeline"):
        fitted = fit(model, settings, progress, tmp_path, tmp_path)
    stopped = [(share, text) for share, text in progress.shown if text.startswith("stopped early")]
    facts, monitor = expected[2], {"loss": "val loss", "f1": "val F1"}[settings["monitor"]]
    line = f"stopped early: no better {monitor} since epoch {facts['best_epoch']}"
    assert stopped == [(1.0, line)] * (facts["epochs"] < settings["epochs"])
    assert f"resumed after epoch {finished} of {settings['epochs']}" in caplog.text
    assert fitted[1].interruption["resumed_after_epoch"] == finished
    assert_same(result_of(fitted), expected)
    assert events(tmp_path / "logs") == logged


@pytest.mark.network
@pytest.mark.parametrize(
    ("kill", "resumed"),
    [
        (Kill("epoch 1 of", times=2), {"resumed_after_epoch": "all"}),
        (Kill("epoch 1:", times=2), {"resumed_after_epoch": "all", "refit_resumed_after_epoch": 1}),
        (
            Kill("epoch 2 of", times=2),
            {"resumed_after_epoch": "all", "refit_resumed_after_epoch": 1},
        ),
    ],
    ids=["before_an_epoch_of_the_second", "second_phase", "within_its_epoch"],
)
def test_each_phase_of_refitting_resumes_in_that_phase(kill, resumed, uninterrupted, tmp_path):
    settings = settings_of("dense", REFITTED)
    expected, _ = uninterrupted("refitted")
    assert expected[2]["refitted_on_validation"] == expected[2]["best_epoch"] > 1
    with pytest.raises(Killed):
        fit("dense", settings, kill, tmp_path / "killed", tmp_path)
    fitted = fit("dense", settings, Kill(), tmp_path, tmp_path)
    epochs = expected[2]["epochs"]
    assert {name: value for name, value in fitted[1].interruption.items() if "epoch" in name} == {
        name: epochs if value == "all" else value for name, value in resumed.items()
    }
    assert_same(result_of(fitted), expected)


@pytest.mark.network
def test_training_killed_in_every_epoch_has_the_same_result(uninterrupted, tmp_path):
    settings = settings_of("dense", REFITTED)
    expected, _ = uninterrupted("refitted")
    killed = 0
    for at in range(1, 100):
        start = f"epoch {at}:" if at % 2 else f"epoch {at} of"
        try:
            fitted = fit("dense", settings, Kill(start), tmp_path / f"killed_{at}", tmp_path)
            break
        except Killed:
            killed += 1
    assert killed >= expected[2]["epochs"]
    assert_same(result_of(fitted), expected)


@pytest.mark.network
@pytest.mark.parametrize("change", ["truncated", "other_model"])
def test_unusable_checkpoint_is_discarded_and_training_starts_again(
    change, uninterrupted, tmp_path, caplog
):
    model, changes, _ = CASES["dropout"]
    settings = settings_of(model, changes)
    expected, _ = uninterrupted("dropout")
    left = settings | ({"units": (16, 4)} if change == "other_model" else {})
    with pytest.raises(Killed):
        fit(model, left, Kill("epoch 3:"), tmp_path / "killed", tmp_path)
    (path,) = tmp_path.glob("*.npz")
    if change == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    fitted = fit(model, settings, Kill(), tmp_path, tmp_path)
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert f"{path} is discarded" in caplog.text
    assert fitted[1].interruption == {}
    assert_same(result_of(fitted), expected)


@dataclass
class Variable:
    """Replaces a Keras variable."""

    value: np.ndarray

    def numpy(self):
        return self.value.copy()

    def assign(self, value):
        self.value = value


class Clock:
    """A clock that advances by a step at each call."""

    def __init__(self, monkeypatch):
        self.now = self.step = 0.0
        monkeypatch.setattr("pipeline.training.checkpoint.time.monotonic", self)

    def __call__(self):
        self.now += self.step
        return self.now


def variables(scale=1.0, shape=(2, 3)):
    weights = scale * np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    return [Variable(weights), Variable(np.array(int(scale)))]


def state(n_epochs=0):
    new = State(EarlyStopping("loss", 3, 2, 0.0))
    for epoch in range(1, n_epochs + 1):
        new.history.append({"epoch": epoch, "loss": 0.1, "val_auc": float("nan")})
        new.finished.append(5.0 + epoch)
    if n_epochs:
        new.stopping.best, new.stopping.best_epoch = 0.30000001, 1
        new.stopping.weights = [np.ones(3, np.float32)]
    return new


def contents(of_state, of_variables):
    """Return all saved values as text, so that nan equals itself."""
    stopping = of_state.stopping
    arrays = [variable.value for variable in of_variables] + stopping.weights
    numbers = (of_state.history, of_state.finished, stopping.best, stopping.best_epoch)
    return repr((numbers, [(array.dtype, array.tolist()) for array in arrays]))


def test_saved_state_is_restored(tmp_path):
    saved = variables(2.0)
    assert Checkpoint(tmp_path / "a.npz", saved, {"seed": 1}).save(state(2))
    loaded, restored = variables(1.0), state()
    assert Checkpoint(tmp_path / "a.npz", loaded, {"seed": 1}).restore(restored)
    assert contents(restored, loaded) == contents(state(2), saved)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_nothing_is_restored_without_a_checkpoint(tmp_path):
    for path in (None, tmp_path / "a.npz"):
        assert not Checkpoint(path, variables(), {}).restore(state())
    assert not Checkpoint(None, variables(), {}).save(state(1))


@pytest.mark.parametrize(
    ("of_model", "identity"),
    [
        (variables(), {"seed": 2}),
        (variables()[:1], {"seed": 1}),
        (variables(shape=(3, 2)), {"seed": 1}),
        ([*variables()[:1], Variable(np.array(1, np.int32))], {"seed": 1}),
    ],
    ids=["settings", "number", "shape", "type"],
)
def test_checkpoint_of_another_training_is_removed(of_model, identity, tmp_path, caplog):
    path = tmp_path / "a.npz"
    assert Checkpoint(path, variables(2.0), {"seed": 1}).save(state(2))
    unchanged, before = state(), contents(state(), of_model)
    assert not Checkpoint(path, of_model, identity).restore(unchanged)
    assert contents(unchanged, of_model) == before
    assert not path.exists()
    (record,) = caplog.records
    assert "other settings, rows or layers" in record.getMessage()


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    """Return a path and the bytes of a checkpoint."""
    path = tmp_path_factory.mktemp("intact") / "a.npz"
    assert Checkpoint(path, variables(2.0), {}).save(state(2))
    return path, path.read_bytes()


@hypothesis.given(data=st.data())
def test_damaged_checkpoint_never_restores_other_values(intact, data):
    path, content = intact
    damaged = bytearray(content)
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        damaged[at] ^= data.draw(st.integers(1, 255))
    else:
        del damaged[at:]
    path.write_bytes(damaged)
    loaded, restored = variables(1.0), state()
    if Checkpoint(path, loaded, {}).restore(restored):  # some bytes of the format have no meaning
        assert contents(restored, loaded) == contents(state(2), variables(2.0))
    else:
        assert contents(restored, loaded) == contents(state(), variables(1.0))


@pytest.mark.parametrize(
    "written",
    [b"", b"no archive", json.dumps({"history": []}).encode()],
    ids=["nothing", "text", "json"],
)
def test_file_of_another_kind_is_removed(written, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(written)
    assert not Checkpoint(path, variables(), {}).restore(state())
    assert not path.exists()


def test_pickled_objects_are_refused(tmp_path, caplog):
    path = tmp_path / "a.npz"
    np.savez(path, notes=np.array([{"identity": "x"}], dtype=object))
    assert not Checkpoint(path, variables(), {}).restore(state())
    assert "allow_pickle=False" in caplog.text


def test_kill_during_a_save_leaves_the_previous_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    saved = variables(2.0)
    assert Checkpoint(path, saved, {}).save(state(1))

    def half(file, **_):
        file.write_bytes(b"half")
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", half)
        with pytest.raises(Killed):
            Checkpoint(path, variables(3.0), {}).save(state(2))
    loaded, restored = variables(1.0), state()
    assert Checkpoint(path, loaded, {}).restore(restored)
    assert contents(restored, loaded) == contents(state(1), saved)
    assert Checkpoint(path, saved, {}).save(state(3))
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_saving_takes_at_most_a_twentieth_of_the_time(tmp_path, monkeypatch):
    from pipeline.training import checkpoint

    monkeypatch.setattr(checkpoint, "_LEAST_RATIO", 20)
    clock = Clock(monkeypatch)
    saved = Checkpoint(tmp_path / "a.npz", variables(), {})
    clock.step = 0.5  # the clock is read twice while the file is saved
    assert saved.save(state(1))
    clock.step = 0.0
    clock.now += 19.9
    assert not saved.save(state(2))
    clock.now += 0.2
    assert saved.save(state(3))


def test_training_continues_where_no_checkpoint_can_be_written(tmp_path, caplog):
    saved = Checkpoint(tmp_path / "missing" / "a.npz", variables(), {})
    assert not saved.save(state(1))
    assert not saved.save(state(2))
    (record,) = caplog.records
    assert "training continues without" in record.getMessage()


def test_seconds_add_up_over_interruptions(tmp_path, monkeypatch):
    clock = Clock(monkeypatch)
    for attempt in (1, 2, 3):
        saved = Checkpoint(tmp_path / "a.npz", variables(), {})
        saved.restore(state())
        assert saved.seconds_before == 7.0 * (attempt - 1)
        clock.now += 7
        saved.save(state(attempt))
