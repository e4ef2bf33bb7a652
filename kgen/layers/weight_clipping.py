"""Weight clipping: the first Wasserstein GAN's way to a Lipschitz critic."""

import keras
from keras import ops

from kgen.core.numbers import plain_arguments


@keras.saving.register_keras_serializable("kgen")
class WeightClipping(keras.constraints.Constraint):
    """Keeps every weight within [-limit, limit] after each update.

    Arjovsky, Chintala and Bottou, "Wasserstein GAN", 2017, algorithm 1, line 7 (arXiv:1701.07875).
    A Keras constraint: the optimizer applies it right after it has moved the variable. In the paper
    it holds for all weights of the critic, biases included.

    Args:
        limit: Positive float; the default is the paper's.

    Raises:
        ValueError: If `limit` is not positive.

    Example:
    >>> clipping = kgen.layers.WeightClipping(0.01)
    >>> dense = keras.layers.Dense(1, kernel_constraint=clipping, bias_constraint=clipping)
    """

    @plain_arguments
    def __init__(self, limit=0.01):
        if not limit > 0:
            raise ValueError(f"WeightClipping: `limit` should be positive. Received: limit={limit}")
        self.limit = limit

    def __call__(self, value):
        return ops.clip(value, -self.limit, self.limit)

    def get_config(self):
        return {"limit": self.limit}
