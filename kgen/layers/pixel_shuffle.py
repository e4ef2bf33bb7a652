"""Sub-pixel upsampling: channels become pixels."""

import keras
from keras import ops

from kgen.core.numbers import is_count, plain_arguments


@keras.saving.register_keras_serializable("kgen")
class PixelShuffle(keras.layers.Layer):
    """Makes images `factor` times larger out of `factor ** 2` times fewer channels.

    Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
    Convolutional Neural Network", 2016, equation 4 (arXiv:1609.05158): with r the factor, output
    (y, x, c) is input (y // r, x // r, C r (y mod r) + C (x mod r) + c).

    Args:
        factor: Positive integer r.

    Input shape: `(batch, height, width, r * r * C)`. Output shape: `(batch, r * height, r * width,
    C)`. Height and width may be unknown beforehand.

    Raises:
        ValueError: If `factor` is not a positive integer, or the channels are not divisible by its
            square.

    Example:
    >>> kgen.layers.PixelShuffle(2)(keras.ops.zeros((1, 3, 4, 12))).shape
    TensorShape([1, 6, 8, 3])
    """

    @plain_arguments
    def __init__(self, factor=2, **kwargs):
        super().__init__(**kwargs)
        if not is_count(factor):
            raise ValueError(
                f"PixelShuffle: `factor` should be a positive integer. Received: {factor!r}"
            )
        self.factor = factor
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        if input_shape[-1] % self.factor**2:
            raise ValueError(
                f"PixelShuffle: the input should have a multiple of {self.factor**2} channels, as "
                f"factor={self.factor}. Received: input shape {tuple(input_shape)}"
            )

    def call(self, inputs):
        r = self.factor
        rows, height, width, channels = ops.shape(inputs)
        channels //= r * r
        # Not `ops.depth_to_space`, which Keras 3.12, the last for Python 3.10, does not have.
        outputs = ops.reshape(inputs, (rows, height, width, r, r, channels))
        outputs = ops.transpose(
            outputs, (0, 1, 3, 2, 4, 5)
        )  # (rows, height, r, width, r, channels)
        return ops.reshape(outputs, (rows, height * r, width * r, channels))

    def compute_output_shape(self, input_shape):
        r = self.factor
        space = [None if size is None else size * r for size in input_shape[1:3]]
        return (input_shape[0], *space, input_shape[-1] // r**2)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
