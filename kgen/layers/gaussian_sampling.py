"""The reparameterisation trick: a differentiable sample of a Gaussian."""

import keras
from keras import ops

from kgen.core.noise import Noise
from kgen.core.numbers import plain_arguments


@keras.saving.register_keras_serializable("kgen")
class GaussianSampling(keras.layers.Layer):
    """Draws from N(mean, exp(log_variance)) so that gradients reach both.

    Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, section 2.4:
    z = mean + sigma * eps with eps ~ N(0, I) (arXiv:1312.6114).

    It samples in training and in inference alike; whoever wants no noise uses the mean.

    Args:
        seed: Integer start of the random sequence, `None` for a random one. The state of the
            sequence is saved with the model.

    Call arguments:
        inputs: Pair `(mean, log_variance)` of the same shape `(batch, ...)`; the logarithm is the
            natural one.

    Output shape: that of `mean`. The exponential is computed in float32 also under mixed precision.

    Raises:
        ValueError: If `seed` is neither None nor an integer, or the inputs are not a pair of the
            same shape.

    Example:
    >>> mean, log_variance = keras.ops.zeros((4, 2)), keras.ops.zeros((4, 2))
    >>> kgen.layers.GaussianSampling(seed=0)((mean, log_variance)).shape
    TensorShape([4, 2])
    """

    @plain_arguments
    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        if seed is not None and not isinstance(seed, int):
            raise ValueError(
                f"GaussianSampling: `seed` should be None or an integer. Received: seed={seed!r}"
            )
        self.seed = seed
        self.noise = Noise(seed=seed)
        self.autocast = False  # exp of a float16 overflows from log_variance = 11 on

    def build(self, input_shape):
        if len(input_shape) != 2 or tuple(input_shape[0]) != tuple(input_shape[1]):
            raise ValueError(
                "GaussianSampling: `inputs` should be a pair (mean, log_variance) of the same "
                f"shape. Received the shapes: {input_shape}"
            )

    def call(self, inputs, training=None):
        dtype = keras.backend.result_type(*(x.dtype for x in inputs), "float32")
        mean, log_variance = (ops.cast(x, dtype) for x in inputs)
        eps = ops.cast(self.noise.normal(ops.shape(mean)), dtype)
        return ops.cast(mean + ops.exp(0.5 * log_variance) * eps, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
