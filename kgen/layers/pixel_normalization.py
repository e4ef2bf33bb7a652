"""Pixelwise feature-vector normalisation of the progressive GAN."""

import keras
from keras import ops

from kgen.core.numbers import plain_arguments


@keras.saving.register_keras_serializable("kgen")
class PixelNormalization(keras.layers.Layer):
    """Divides the feature vector of every pixel by its root mean square.

    Karras et al., "Progressive Growing of GANs", 2018, section 4.2: b = a / sqrt(mean(a^2) + 1e-8)
    (arXiv:1710.10196). It has no weights. On latents `(batch, channels)` it puts every latent on a
    sphere of radius sqrt(channels).

    Args:
        epsilon: Positive float added to the mean square.

    Input shape: `(batch, ..., channels)`. Output shape: the same. The mean is computed in float32
    also under mixed precision, where 1e-8 would be zero.

    Raises:
        ValueError: If `epsilon` is not positive.

    Example:
    >>> kgen.layers.PixelNormalization()(keras.ops.array([[3.0, 4.0]])).numpy()  # by sqrt(12.5)
    array([[0.84852815, 1.1313709 ]], dtype=float32)
    """

    @plain_arguments
    def __init__(self, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        if not epsilon > 0:
            raise ValueError(
                f"PixelNormalization: `epsilon` should be positive. Received: epsilon={epsilon}"
            )
        self.epsilon = epsilon
        self.supports_masking = True
        self.autocast = False  # the input keeps its digits until the mean is done
        self.built = True

    def call(self, inputs):
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        mean_square = ops.mean(ops.square(x), axis=-1, keepdims=True)
        return ops.cast(x * ops.rsqrt(mean_square + self.epsilon), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
