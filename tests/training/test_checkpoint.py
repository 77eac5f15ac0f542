"""Training that is killed goes on from its checkpoint and ends as if nothing had been."""

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
from pipeline.training.early_stopping import Stopper

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
# What else training must carry over a kill, and the last epoch that is finished by then.
CASES = {
    "dropout": ("bag_dense", {"units": (8, 4), "dropout": 0.5}, 3),
    "spatial_dropout_and_vectors_outside": ("dense", {"spatial_dropout": 0.5}, 3),
    "recurrent_dropout_and_normalization": (
        "gru",
        {"input_dropout": 0.3, "recurrent_dropout": 0.3, "batch_normalization": True},
        4,
    ),
    "two_directions_of_fused_lstm": ("bilstm", {"input_dropout": 0.3, "top_units": 2}, 3),
    "best_weights_of_an_earlier_epoch": (
        "dense",
        {"patience": 3, "learning_rate": 0.5, "epochs": 20},
        lambda found: found[2]["best_epoch"] + 1,
    ),
    "reduced_learning_rate": (
        "dense",
        {"reduce_factor": 0.5, "reduce_patience": 2, "learning_rate": 0.3, "epochs": 10},
        lambda found: first_reduction(found[1]),
    ),
    "refitted": ("dense", REFITTED, 2),
    **{
        f"state_of_{name}": ("bag_dense", {"units": (4,), "optimizer": name, "dropout": 0.2}, 3)
        for name in ("adamw", "nadam", "rmsprop", "sgd")
    },
}


def first_reduction(history):
    """Return the epoch after which the learning rate was reduced; the rate stays for the next."""
    rates = [found["learning_rate"] for found in history]
    epoch = next(at for at in range(1, len(rates)) if rates[at] < rates[at - 1])
    assert rates[epoch + 1] == rates[epoch]
    return epoch


class Killed(BaseException):
    """Stands for SIGKILL, where starting a process would take too long."""


class Kill:
    """Progress that raises when a text comes for the n-th time."""

    def __init__(self, start=None, times=1):
        self.start, self.times = start, times

    def __call__(self, share, text):
        if self.start and text.startswith(self.start):
            self.times -= 1
            if self.times == 0:
                raise Killed


def settings_of(model, changes):
    """Return a model's settings, small ones where the case says nothing."""
    values = {}
    for name in specs.MODELS[model].hyperparameters:
        setting = specs.HYPERPARAMETERS[name]
        default = specs.MODELS[model].defaults.get(name, setting.default)
        values[name] = setting.check(changes.get(name, SMALL.get(name, default)))
    return values


def data_of(model):
    """Return texts of random words, in which the classes are hard to tell apart."""
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


def everything(fitted):
    """Return all that must be equal: every variable, history, facts."""
    network, training = fitted
    return (
        [variable.numpy() for variable in network.model.variables],
        training.history,
        training.facts,
    )


def assert_same(found, wanted):
    assert found[1:] == wanted[1:]
    assert len(found[0]) == len(wanted[0]) > 1
    for one, other in zip(found[0], wanted[0], strict=True):
        np.testing.assert_array_equal(one, other)


def events(folder):
    """Return step and figures of each event that TensorBoard would read."""
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
    """Keep every epoch: these ones take milliseconds, and a test must not hang on a clock."""
    from pipeline.training import checkpoint

    monkeypatch.setattr(checkpoint, "_WORTH", 0)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Return a function that trains a case once, without any checkpoint."""
    known = {}

    def train(case):
        if case not in known:
            model, changes, _ = CASES[case]
            folder = tmp_path_factory.mktemp(case)
            fitted = fit(model, settings_of(model, changes), Kill(), folder, None)
            known[case] = everything(fitted), events(folder / "logs")
        return known[case]

    return train


@pytest.mark.network
@pytest.mark.parametrize("when", ["between_epochs", "within_an_epoch"])
@pytest.mark.parametrize("case", CASES)
def test_killed_training_ends_as_if_it_was_not(case, when, uninterrupted, tmp_path, caplog):
    model, changes, finished = CASES[case]
    settings = settings_of(model, changes)
    wanted, logged = uninterrupted(case)
    finished = finished(wanted) if callable(finished) else finished
    assert finished < wanted[2]["epochs"]
    text = f"epoch {finished}:" if when == "between_epochs" else f"epoch {finished + 1} of"
    with pytest.raises(Killed):
        fit(model, settings, Kill(text), tmp_path / "killed", tmp_path)
    with caplog.at_level(logging.INFO, "luigi-interface"):
        fitted = fit(model, settings, Kill(), tmp_path, tmp_path)
    assert f"resumed after epoch {finished} of {settings['epochs']}" in caplog.text
    assert fitted[1].interruption["resumed_after_epoch"] == finished
    assert_same(everything(fitted), wanted)
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
    wanted, _ = uninterrupted("refitted")
    assert wanted[2]["refitted_on_validation"] == wanted[2]["best_epoch"] > 1
    with pytest.raises(Killed):
        fit("dense", settings, kill, tmp_path / "killed", tmp_path)
    fitted = fit("dense", settings, Kill(), tmp_path, tmp_path)
    epochs = wanted[2]["epochs"]
    assert {name: value for name, value in fitted[1].interruption.items() if "epoch" in name} == {
        name: epochs if value == "all" else value for name, value in resumed.items()
    }
    assert_same(everything(fitted), wanted)


@pytest.mark.network
def test_killed_in_every_epoch_it_still_ends_the_same(uninterrupted, tmp_path):
    settings = settings_of("dense", REFITTED)
    wanted, _ = uninterrupted("refitted")
    killed = 0
    for at in range(1, 100):
        start = f"epoch {at}:" if at % 2 else f"epoch {at} of"
        try:
            fitted = fit("dense", settings, Kill(start), tmp_path / f"killed_{at}", tmp_path)
            break
        except Killed:
            killed += 1
    assert killed >= wanted[2]["epochs"]
    assert_same(everything(fitted), wanted)


@pytest.mark.network
@pytest.mark.parametrize("change", ["cut", "other_model"])
def test_what_cannot_be_used_is_thrown_away_and_training_begins_anew(
    change, uninterrupted, tmp_path, caplog
):
    model, changes, _ = CASES["dropout"]
    settings = settings_of(model, changes)
    wanted, _ = uninterrupted("dropout")
    left = settings | ({"units": (16, 4)} if change == "other_model" else {})
    with pytest.raises(Killed):
        fit(model, left, Kill("epoch 3:"), tmp_path / "killed", tmp_path)
    (path,) = tmp_path.glob("*.npz")
    if change == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    fitted = fit(model, settings, Kill(), tmp_path, tmp_path)
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert f"{path} is thrown away, training begins anew" in caplog.text
    assert fitted[1].interruption == {}
    assert_same(everything(fitted), wanted)


@dataclass
class Variable:
    """Stands for a variable of Keras."""

    value: np.ndarray

    def numpy(self):
        return self.value.copy()

    def assign(self, value):
        self.value = value


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self):
        self.now = 0.0
        self.each_time = 0.0

    def __call__(self):
        self.now += self.each_time
        return self.now


def variables(scale=1.0, shape=(2, 3)):
    weights = scale * np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    return [Variable(weights), Variable(np.array(int(scale)))]


def state(n_epochs=0):
    found = State(Stopper("loss", 3, 2, 0.0))
    for epoch in range(1, n_epochs + 1):
        found.add({"epoch": epoch, "loss": 0.1, "val_auc": float("nan")}, 5.0 + epoch)
    if n_epochs:
        found.stopper.best, found.stopper.best_epoch = 0.30000001, 1
        found.stopper.weights = [np.ones(3, np.float32)]
    return found


def contents(found, its_variables):
    """Return what is kept, as text, so that nan equals itself."""
    arrays = [each.value for each in its_variables] + found.stopper.weights
    numbers = (found.history, found.finished, found.stopper.best, found.stopper.best_epoch)
    return repr((numbers, [(array.dtype, array.tolist()) for array in arrays]))


def test_what_was_kept_is_restored(tmp_path):
    mine = variables(2.0)
    assert Checkpoint(tmp_path / "a.npz", mine, {"seed": 1}).keep(state(2))
    theirs, found = variables(1.0), state()
    assert Checkpoint(tmp_path / "a.npz", theirs, {"seed": 1}).restore(found)
    assert contents(found, theirs) == contents(state(2), mine)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_nothing_is_restored_where_nothing_was_kept(tmp_path):
    for path in (None, tmp_path / "a.npz"):
        assert not Checkpoint(path, variables(), {}).restore(state())
    assert not Checkpoint(None, variables(), {}).keep(state(1))


@pytest.mark.parametrize(
    ("its_variables", "identity", "message"),
    [
        (variables(), {"seed": 2}, "other settings or rows"),
        (variables()[:1], {"seed": 1}, "it has 2 variables, not 1"),
        (variables(shape=(3, 2)), {"seed": 1}, r"its variable 0 is float32 (2, 3), not"),
        ([*variables()[:1], Variable(np.array(1, np.int32))], {"seed": 1}, "1 is int64 (), not"),
    ],
    ids=["settings", "number", "shape", "type"],
)
def test_a_foreign_checkpoint_is_removed_with_one_line(
    its_variables, identity, message, tmp_path, caplog
):
    path = tmp_path / "a.npz"
    assert Checkpoint(path, variables(2.0), {"seed": 1}).keep(state(2))
    found, before = state(), contents(state(), its_variables)
    assert not Checkpoint(path, its_variables, identity).restore(found)
    assert contents(found, its_variables) == before
    assert not path.exists()
    (record,) = caplog.records
    assert message in record.getMessage()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return a path, and the bytes of a checkpoint."""
    path = tmp_path_factory.mktemp("kept") / "a.npz"
    assert Checkpoint(path, variables(2.0), {}).keep(state(2))
    return path, path.read_bytes()


@hypothesis.given(data=st.data())
def test_a_damaged_checkpoint_is_never_taken_for_another(kept, data):
    path, whole = kept
    damaged = bytearray(whole)
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        damaged[at] ^= data.draw(st.integers(1, 255))
    else:
        del damaged[at:]
    path.write_bytes(damaged)
    theirs, found = variables(1.0), state()
    if Checkpoint(path, theirs, {}).restore(found):  # some bytes of the format mean nothing
        assert contents(found, theirs) == contents(state(2), variables(2.0))
    else:
        assert contents(found, theirs) == contents(state(), variables(1.0))


@pytest.mark.parametrize(
    "written",
    [b"", b"no archive", json.dumps({"history": []}).encode()],
    ids=["nothing", "text", "json"],
)
def test_another_file_at_its_place_is_removed(written, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(written)
    assert not Checkpoint(path, variables(), {}).restore(state())
    assert not path.exists()


def test_pickled_objects_are_refused(tmp_path, caplog):
    path = tmp_path / "a.npz"
    np.savez(path, notes=np.array([{"identity": "x"}], dtype=object))
    assert not Checkpoint(path, variables(), {}).restore(state())
    assert "allow_pickle=False" in caplog.text


def test_a_kill_while_one_is_written_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    mine = variables(2.0)
    assert Checkpoint(path, mine, {}).keep(state(1))

    def half(file, **_):
        file.write_bytes(b"half")
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", half)
        with pytest.raises(Killed):
            Checkpoint(path, variables(3.0), {}).keep(state(2))
    theirs, found = variables(1.0), state()
    assert Checkpoint(path, theirs, {}).restore(found)
    assert contents(found, theirs) == contents(state(1), mine)
    assert Checkpoint(path, mine, {}).keep(state(3))
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_keeping_takes_a_twentieth_of_the_time_at_most(tmp_path, monkeypatch):
    from pipeline.training import checkpoint

    monkeypatch.setattr(checkpoint, "_WORTH", 20)
    clock = Clock()
    kept = Checkpoint(tmp_path / "a.npz", variables(), {}, clock)
    clock.each_time = 0.5  # what one look at the clock takes: two are within the keeping
    assert kept.keep(state(1))
    clock.each_time = 0.0
    clock.now += 19.9
    assert not kept.keep(state(2))
    clock.now += 0.2
    assert kept.keep(state(3))


def test_training_goes_on_where_no_checkpoint_can_be_written(tmp_path, caplog):
    kept = Checkpoint(tmp_path / "missing" / "a.npz", variables(), {})
    assert not kept.keep(state(1))
    assert not kept.keep(state(2))
    (record,) = caplog.records
    assert "training goes on without" in record.getMessage()


def test_seconds_add_up_over_interruptions(tmp_path):
    for attempt in (1, 2, 3):
        clock = Clock()
        kept = Checkpoint(tmp_path / "a.npz", variables(), {}, clock)
        kept.restore(state())
        assert kept.before == 7.0 * (attempt - 1)
        clock.now += 7
        kept.keep(state(attempt))
