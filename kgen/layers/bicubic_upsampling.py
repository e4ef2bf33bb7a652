"""Bicubic enlargement, with gradients of any order and under XLA."""

import keras
import numpy as np
from keras import ops

from kgen.core.numbers import plain_arguments
from kgen.layers.pixel_shuffle import PixelShuffle


@keras.saving.register_keras_serializable("kgen")
class BicubicUpsampling2D(keras.layers.Layer):
    """Makes images `factor` times larger by cubic convolution.

    Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981 (IEEE Trans. ASSP 29,
    6), with a = -1/2, which is what image libraries call bicubic. Pixels are squares, whose centres
    the values are of; beyond the borders the image goes on as its mirror image.

    Keras' `UpSampling2D(interpolation="bicubic")` is the same but within two pixels of a border; it
    does not run under XLA, and has no second-order gradient. This layer is an ordinary convolution
    to `factor ** 2` times the channels, which `PixelShuffle` turns into pixels.

    Args:
        factor: Positive integer.

    Input shape: `(batch, height, width, channels)`, height and width of at least 2. Output shape:
    `(batch, factor * height, factor * width, channels)`. They may be unknown beforehand.

    Raises:
        ValueError: If `factor` is not a positive integer.

    Example:
    >>> kgen.layers.BicubicUpsampling2D(2)(keras.ops.ones((1, 3, 4, 1))).shape
    TensorShape([1, 6, 8, 1])
    """

    @plain_arguments
    def __init__(self, factor=2, **kwargs):
        super().__init__(**kwargs)
        self.shuffle = PixelShuffle(factor, name="shuffle", dtype=self.dtype_policy)
        self.factor = factor
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        channels = input_shape[-1]
        phases = _phases(self.factor)  # (factor, 5)
        # The weight of a pixel is the product of those of its row and its column.
        weights = np.einsum("yi,xj,cd->ijcyxd", phases, phases, np.eye(channels))
        self.kernel = weights.reshape(5, 5, channels, -1)
        self.shuffle.build((*input_shape[:-1], self.factor**2 * channels))

    def call(self, inputs):
        padded = ops.pad(inputs, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="symmetric")
        kernel = ops.convert_to_tensor(self.kernel, inputs.dtype)
        return self.shuffle(ops.conv(padded, kernel, padding="valid", data_format="channels_last"))

    def compute_output_shape(self, input_shape):
        space = [None if size is None else size * self.factor for size in input_shape[1:3]]
        return (input_shape[0], *space, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def _phases(factor):
    """Weights of the pixels -2 to 2 about a pixel, for each of the `factor` within it."""
    places = (np.arange(factor) + 0.5) / factor - 0.5
    distance = np.abs(np.arange(-2, 3) - places[:, None])
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1.0
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4.0 * distance + 2.0
    return np.where(distance < 1.0, near, np.where(distance < 2.0, far, 0.0))
