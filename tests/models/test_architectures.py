"""Layers and numbers of parameters of the published networks."""

import numpy as np
import pytest
from networks import build
from scipy import sparse

from pipeline.errors import PipelineError
from pipeline.models.base import Problem

pytestmark = pytest.mark.network


COURSE = Problem(width=10_000, n_classes=2, sequence_length=15)
PLAIN = {"dense_units": "none"}


@pytest.mark.parametrize(
    ("model", "problem", "changes", "parameters"),
    [
        pytest.param("dense", COURSE, PLAIN, 1_280_129, id="course-dense"),
        pytest.param("lstm", COURSE, {"pooling": "last", **PLAIN}, 1_329_473, id="course-lstm"),
        pytest.param("gru", COURSE, {"pooling": "last", **PLAIN}, 1_317_313, id="course-gru"),
        pytest.param(
            "bilstm",
            COURSE,
            {"pooling": "last", "units": (64,), "embedding_size": 128, **PLAIN},
            1_378_945,
            id="course-bilstm",
        ),
        pytest.param("conv1d", COURSE, PLAIN, 1_300_545, id="course-conv1d"),
        pytest.param("tfidf_dense", Problem(7_045, 4), {}, 452_156, id="brand-emotion-tfidf"),
        pytest.param(
            "bag_dense",
            Problem(3_000, 2),
            {},
            3_000 * 512 + 512 + 512 * 256 + 256 + 256 + 1,
            id="blog-bag",
        ),
        pytest.param(
            "bag_dense",
            Problem(10_000, 2),
            {"units": (16, 16), "activations": ("relu",), "dropout": 0.0},
            10_000 * 16 + 16 + 16 * 16 + 16 + 16 + 1,
            id="book",
        ),
    ],
)
def test_networks_have_the_published_number_of_parameters(model, problem, changes, parameters):
    assert build(model, problem, **changes).count_params() == parameters


def test_hate_speech_network_has_the_published_layers():
    network = build(
        "bilstm",
        Problem(50_000, 2, 34),
        units=(1024, 512, 254),
        embedding_size=88,
        pooling="last",
        spatial_dropout=0.0,
        input_dropout=0.3,
        batch_normalization=True,
        dense_units=(512, 128),
        activations=("sigmoid", "relu"),
        l2=(0.02, 0.01),
        dropout=0.5,
    )
    names = [layer.name for layer in network.layers if layer.weights or "drop" in layer.name]
    assert names == [
        "embedding",
        "spatial_dropout",
        "bilstm_1",
        "normalization_1",
        "bilstm_2",
        "normalization_2",
        "bilstm_3",
        "normalization_3",
        "dense_1",
        "dropout",
        "dense_2",
        "logits",
    ]
    widths = {layer.name: layer.output.shape[-1] for layer in network.layers}
    assert [widths[f"bilstm_{n}"] for n in (1, 2, 3)] == [2048, 1024, 508]
    assert network.get_layer("dense_1").kernel_regularizer.l2 == pytest.approx(0.02)
    assert network.get_layer("dense_2").kernel_regularizer.l2 == pytest.approx(0.01)
    assert network.get_layer("bilstm_1").forward_layer.dropout == 0.3

    def recurrent(inputs, units):
        return 2 * 4 * (inputs * units + units * units + units)

    layers = [50_000 * 88, recurrent(88, 1024), 4 * 2048, recurrent(2048, 512), 4 * 1024]
    layers += [recurrent(1024, 254), 4 * 508, 508 * 512 + 512, 512 * 128 + 128, 128 + 1]
    assert network.count_params() == sum(layers)


def test_top_layer_only_reads_forward():
    network = build(
        "bilstm",
        Problem(7_573, 4, 100),
        units=(25,),
        top_units=16,
        embedding_size=25,
        pooling="last",
        dense_units=(16,),
        activations=("swish",),
    )
    counts = [layer.count_params() for layer in network.layers if layer.weights]
    assert counts == [189_325, 10_200, 4_288, 272, 68]
    assert network.get_layer("dense_1").activation.__name__ in ("silu", "swish")


@pytest.mark.parametrize("ones", [False, True], ids=["values", "ones"])
def test_sparse_dense_is_dense_on_dense_rows(ones):
    import keras

    from pipeline.models.layers import SparseDense
    from pipeline.training import batches

    rng = np.random.default_rng(0)
    rows = rng.random((5, 12)) * (rng.random((5, 12)) < 0.4)
    rows[2] = 0
    rows[:, 0] = [1, 0, 0, 2, 0]  # padding must not be counted as column 0
    if ones:
        rows = (rows > 0).astype(float)
    layer, dense = SparseDense(12, 3, "tanh", ones), keras.layers.Dense(3, "tanh")
    columns, values = batches.arrays(
        sparse.csr_matrix(rows.astype(np.float32)), np.arange(5), truncate=True
    )
    layer([columns, values])
    dense(rows)
    layer.bias.assign([0.1, -0.2, 0.3])
    dense.set_weights([layer.kernel.numpy(), layer.bias.numpy()])
    np.testing.assert_allclose(layer([columns, values]), dense(rows), rtol=1e-5, atol=1e-6)

    import tensorflow as tf

    gradients = []
    for compared, inputs in ((layer, [columns, values]), (dense, tf.constant(rows, tf.float32))):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(compared(inputs) ** 2)
        gradients.append(tape.gradient(loss, compared.kernel.value))
    assert isinstance(gradients[0], tf.Tensor)
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("how", ["max", "mean", "max_mean"])
def test_pooling_ignores_padding_and_is_finite_for_empty_texts(how):
    from pipeline.models.layers import MaskedMaxPooling, MaskedMeanPooling

    states = np.array([[[-5.0], [-3], [9]], [[1], [2], [3]]], np.float32)
    mask = np.array([[True, True, False], [False, False, False]])
    pooled = {
        "max": MaskedMaxPooling()(states, mask=mask).numpy().ravel().tolist(),
        "mean": MaskedMeanPooling()(states, mask=mask).numpy().ravel().tolist(),
    }
    assert pooled["max"] == [-3, 0]
    assert pooled["mean"] == [-4, 0]
    network = build("bilstm", Problem(20, 2, 4), units=(3,), pooling=how)
    out = network(np.array([[2, 3, 0, 0], [0, 0, 0, 0]], np.int32)).numpy()
    assert np.isfinite(out).all()


@pytest.mark.parametrize(
    ("model", "changes", "message"),
    [
        ("conv1d", {"filter_width": 20}, "filter_width must be at most the sequence length, 15"),
        ("dense", {"pooling": "last"}, "pooling must be mean, max or max_mean"),
        (
            "bilstm",
            {"dense_units": (8, 4, 2), "activations": ("relu", "tanh")},
            "activations must have one value for each of the 3 dense layers",
        ),
    ],
)
def test_conflicting_settings_are_an_error(model, changes, message):
    with pytest.raises(PipelineError, match=message):
        build(model, COURSE, **changes)
