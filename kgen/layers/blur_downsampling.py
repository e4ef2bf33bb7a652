"""Reduction without aliasing."""

import keras
from keras import ops

from kgen.core.numbers import plain_arguments
from kgen.layers.blur import along_axes, blur_matrix, check_kernel


@keras.saving.register_keras_serializable("kgen")
class BlurDownsampling2D(keras.layers.Layer):
    """Makes images half as large, by a low-pass filter and then the mean of 2x2 pixels.

    Karras, Laine and Aila, "A Style-Based Generator Architecture for Generative Adversarial
    Networks", 2019, appendix C (arXiv:1812.04948), after Zhang, 2019 (arXiv:1904.11486). Beyond the
    borders is zero. With [1, 2, 1] an axis `x` becomes

        y[i] = (x[2 i - 1] + 3 x[2 i] + 3 x[2 i + 1] + x[2 i + 2]) / 8

    which is the filter [1, 3, 3, 1] / 8 with a stride of 2.

    Args:
        kernel: List of an odd number of weights, of one axis; they are divided by their sum.

    Input shape: `(batch, height, width, channels)`, height and width even. Output shape: `(batch,
    height / 2, width / 2, channels)`. Height and width may be unknown beforehand.

    Raises:
        ValueError: If `kernel` is no such list, or height or width is odd.

    Example:
    >>> kgen.layers.BlurDownsampling2D()(keras.ops.ones((1, 6, 8, 2))).shape
    TensorShape([1, 3, 4, 2])
    """

    @plain_arguments
    def __init__(self, kernel=(1, 2, 1), **kwargs):
        super().__init__(**kwargs)
        self.kernel = check_kernel("BlurDownsampling2D", kernel)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        self._check_size(input_shape)

    def call(self, inputs):
        dtype = keras.backend.result_type(inputs.dtype, "float32")

        def blur_and_average(size):
            matrix = blur_matrix(size, self.kernel, dtype)  # (size, size)
            return ops.mean(ops.reshape(matrix, (size // 2, 2, size)), axis=1)

        return along_axes(inputs, blur_and_average, self.kernel)

    def compute_output_shape(self, input_shape):
        self._check_size(input_shape)
        space = [None if size is None else size // 2 for size in input_shape[1:3]]
        return (input_shape[0], *space, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "kernel": list(self.kernel)}

    def _check_size(self, input_shape):
        if any(size is not None and size % 2 for size in input_shape[1:3]):
            raise ValueError(
                "BlurDownsampling2D: height and width should be even. Received: input shape "
                f"{tuple(input_shape)}"
            )
