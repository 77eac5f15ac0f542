"""Adam that updates each variable in one TensorFlow operation."""

from typing import Any

from pipeline.training.tensorflow_import import keras, tf


class FusedAdam(keras.optimizers.Optimizer):
    """Adam (Kingma and Ba 2015) with the update of Keras, computed by ``ResourceApplyAdam``.

    If a batch contains a word several times, Keras squares the parts of the gradient of its vector
    before it adds them. This class adds them first, as the paper does.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name="adam")
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.moments: dict[Any, tuple[Any, Any]] = {}

    def build(self, variables: list[Any]) -> None:
        """Create the two moments of each variable."""
        if self.built:
            return
        super().build(variables)
        pairs = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        for variable, first, second in zip(variables, *pairs, strict=True):
            self.moments[_reference(variable)] = first.value.handle, second.value.handle

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update a variable and its two moments."""
        first, second = self.moments[_reference(variable)]
        if isinstance(gradient, tf.IndexedSlices):
            gradient = tf.math.unsorted_segment_sum(
                gradient.values, gradient.indices, tf.shape(variable)[0]
            )
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=first,
            v=second,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def _reference(variable: Any) -> Any:
    """Return a hashable reference to a variable of Keras or TensorFlow."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).ref()
