"""Dropout whose draws are saved with the model and can be called for outside of training."""

import contextlib
import contextvars

import keras
from keras import ops

from kgen.core.noise import Noise
from kgen.core.numbers import plain_arguments

_LENT = contextvars.ContextVar("kgen_dropout_noise", default=None)


@contextlib.contextmanager
def dropout_from(noise):
    """Context in which every `Dropout` layer drops, training or not, by draws from `noise`.

    This is how an image translation gets its noise: Isola et al., 2017, leave dropout on when they
    translate, and give the generator no other noise (arXiv:1611.07004, section 3.2). The layers'
    own random states stay where they are, and an export holds none of them.

    What counts is the context in which a layer is called: of a `tf.function`, enter it inside of
    the function, where it is traced. It holds for this thread (and asynchronous task) only.

    Args:
        noise: `kgen.core.SeededNoise`, or whatever else has its `uniform(shape)`; the layers draw
            in the order of their calls. `None` for none: as if outside of any such context.

    Example:
    >>> layer = kgen.layers.Dropout(0.5)
    >>> with kgen.layers.dropout_from(kgen.core.SeededNoise(0)):
    ...     bool(keras.ops.any(layer(keras.ops.ones((4, 4))) == 0.0))
    True
    """
    token = _LENT.set(noise)
    try:
        yield
    finally:
        _LENT.reset(token)


@keras.saving.register_keras_serializable("kgen")
class Dropout(keras.layers.Layer):
    """Sets a random share of the values to zero in training, and scales up the others.

    Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014
    (JMLR 15:1929), scaled in training instead of afterwards: each value is kept with probability
    1 - rate and then divided by it, so that its mean stays.

    `keras.layers.Dropout` draws other numbers with XLA than without, the same ones on all replicas,
    and from a state that is saved with no model. This layer draws the same with and without XLA and
    for each example of the batch independently of how many replicas share it, and a
    `kgen.GenerativeModel` saves its state. Outside of training it is the identity, unless within
    `dropout_from`.

    Args:
        rate: Float in [0, 1), the share that is set to zero.
        seed: Integer start of the random sequence, `None` for a random one.

    Input shape: any, `(batch, ...)`. Output shape: the same.

    Raises:
        ValueError: If `rate` is not in [0, 1), or `seed` is neither None nor an integer.

    Example:
    >>> kgen.layers.Dropout(0.5, seed=0)(keras.ops.ones((2, 8)), training=True).shape
    TensorShape([2, 8])
    """

    @plain_arguments
    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(rate, (int, float)) or not 0 <= rate < 1:
            raise ValueError(f"Dropout: `rate` should be in [0, 1). Received: rate={rate!r}")
        if seed is not None and not isinstance(seed, int):
            raise ValueError(f"Dropout: `seed` should be None or an integer. Received: {seed!r}")
        self.rate = rate
        self.seed = seed
        self.noise = Noise(seed, name="noise")
        self.supports_masking = True
        self.built = True

    def call(self, inputs, training=False):
        noise = _LENT.get()
        if noise is None and training:
            noise = self.noise
        if noise is None or self.rate == 0:
            return inputs
        kept = noise.uniform(ops.shape(inputs)) >= self.rate
        return inputs * (ops.cast(kept, inputs.dtype) * (1.0 / (1.0 - self.rate)))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
