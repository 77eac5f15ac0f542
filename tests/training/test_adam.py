import numpy as np
import pytest

pytestmark = pytest.mark.network


def steps(make, gradients, **options):
    """Return the variables after some steps with falling learning rates."""
    import tensorflow as tf

    variables = [tf.Variable(np.linspace(-1, 1, 12, dtype="f4").reshape(4, 3)), tf.Variable([0.5])]
    optimizer = make(learning_rate=0.1, **options)
    optimizer.build(variables)

    @tf.function
    def step(*gradient):
        optimizer.apply(gradient, variables)

    for number, gradient in enumerate(gradients):
        optimizer.learning_rate = 0.1 / (1 + number)
        step(*gradient)
    return [variable.numpy() for variable in variables]


@pytest.mark.parametrize("options", [{}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}])
def test_fused_adam_has_the_steps_of_keras(options):
    import keras
    import tensorflow as tf

    from pipeline.training.adam import FusedAdam

    rng = np.random.default_rng(0)
    gradients = [
        [tf.constant(rng.normal(size=shape).astype("f4")) for shape in ((4, 3), (1,))]
        for _ in range(6)
    ]
    fused = steps(FusedAdam, gradients, **options)
    expected = steps(keras.optimizers.Adam, gradients, **options)
    for one, other in zip(fused, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_fused_adam_sums_the_gradients_of_a_repeated_word():
    import tensorflow as tf

    from pipeline.training.adam import FusedAdam

    rng = np.random.default_rng(1)
    sparse, dense = [], []
    for _ in range(4):
        values, rows = rng.normal(size=(3, 3)).astype("f4"), [2, 0, 2]
        summed = np.zeros((4, 3), "f4")
        np.add.at(summed, rows, values)
        other = tf.constant(rng.normal(size=1).astype("f4"))
        sparse.append([tf.IndexedSlices(tf.constant(values), tf.constant(rows)), other])
        dense.append([tf.constant(summed), other])
    # A compiled step does not accept slices, so both run eagerly.
    tf.config.run_functions_eagerly(True)
    try:
        summed_later, expected = steps(FusedAdam, sparse), steps(FusedAdam, dense)
    finally:
        tf.config.run_functions_eagerly(False)
    np.testing.assert_allclose(summed_later[0], expected[0], rtol=1e-5)
