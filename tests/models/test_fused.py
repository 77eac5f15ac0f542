import numpy as np
import pytest

pytestmark = pytest.mark.network

TEXTS, TOKENS, WIDTH, UNITS = 6, 9, 5, 4


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(0)
    lengths = np.array([9, 1, 4, 7, 0, 3])
    values = rng.normal(size=(TEXTS, TOKENS, WIDTH)).astype("float32")
    return values, np.arange(TOKENS) < lengths[:, None]


def results(make, weights, values, mask, training=False):
    """Return a layer's states of tokens, and the gradients of their weighted sum."""
    import tensorflow as tf

    layer = make()
    layer.build(values.shape)
    layer.set_weights(weights)
    inputs = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        states = layer(inputs, mask=mask, training=training)
        if states.shape.rank == 3 and mask is not None:
            states = states * tf.cast(mask, tf.float32)[:, :, None]
        factors = tf.random.stateless_normal(states.shape, seed=[1, 2])
        total = tf.reduce_sum(states * factors)
    return [states, *tape.gradient(total, [inputs, *layer.trainable_variables])]


@pytest.mark.parametrize("returns", [False, True], ids=["last", "sequences"])
@pytest.mark.parametrize("masked", [False, True], ids=["full", "masked"])
@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
def test_fused_layer_has_the_values_and_gradients_of_keras(sample, direction, masked, returns):
    import keras

    from pipeline.models.fused import FusedLSTM

    values, mask = sample
    mask = mask if masked else None

    def make(kind):
        def build():
            layer = kind(UNITS, return_sequences=returns, go_backwards=direction == "backward")
            return keras.layers.Bidirectional(layer) if direction == "both" else layer

        return build

    layer = make(keras.layers.LSTM)()
    layer.build(values.shape)
    rng = np.random.default_rng(1)
    weights = [rng.normal(scale=0.7, size=w.shape) for w in layer.get_weights()]
    expected = results(make(keras.layers.LSTM), weights, values, mask)
    fused = results(make(FusedLSTM), weights, values, mask)
    for one, other in zip(fused, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_dropout_and_unsupported_options_work(sample):
    import keras

    from pipeline.models.fused import FusedLSTM

    values, mask = sample
    for options in ({"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"activation": "relu"}):
        keras.utils.set_random_seed(0)
        layer = FusedLSTM(UNITS, **options)
        trained = layer(values, mask=mask, training=True).numpy()
        assert trained.shape == (TEXTS, UNITS)
        assert np.isfinite(trained).all()
        if "dropout" in options:
            assert not np.allclose(trained, layer(values, mask=mask).numpy())


def test_input_dropout_has_the_values_of_keras(sample):
    import keras

    from pipeline.models.fused import FusedLSTM

    values, mask = sample
    states = []
    for kind in (keras.layers.LSTM, FusedLSTM):
        keras.utils.set_random_seed(0)
        states.append(kind(UNITS, dropout=0.5, seed=1)(values, mask=mask, training=True).numpy())
    np.testing.assert_allclose(states[0][mask.any(axis=1)], states[1][mask.any(axis=1)], atol=1e-6)


def test_fused_layer_can_be_saved_and_loaded(sample, tmp_path):
    import keras

    from pipeline.models.fused import FusedLSTM

    values, _ = sample
    inputs = keras.Input((None, WIDTH))
    model = keras.Model(inputs, keras.layers.Bidirectional(FusedLSTM(UNITS))(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(loaded(values), model(values), atol=1e-6)
