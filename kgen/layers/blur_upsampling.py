"""Enlargement without aliasing."""

import keras
from keras import ops

from kgen.core.numbers import plain_arguments
from kgen.layers.blur import along_axes, blur_matrix, check_kernel


@keras.saving.register_keras_serializable("kgen")
class BlurUpsampling2D(keras.layers.Layer):
    """Makes images twice as large, by repetition and then a low-pass filter.

    Karras, Laine and Aila, "A Style-Based Generator Architecture for Generative Adversarial
    Networks", 2019, appendix C (arXiv:1812.04948), after Zhang, 2019 (arXiv:1904.11486). Beyond the
    borders is zero. With [1, 2, 1] an axis `x` becomes

        y[2 i] = (x[i - 1] + 3 x[i]) / 4,  y[2 i + 1] = (3 x[i] + x[i + 1]) / 4

    which is bilinear but at the borders, and the same as zeros inserted between the pixels and the
    filter [1, 3, 3, 1] / 4.

    Args:
        kernel: List of an odd number of weights, of one axis; they are divided by their sum.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, 2 * height, 2 * width,
    channels)`. Height and width may be unknown beforehand.

    Raises:
        ValueError: If `kernel` is no such list.

    Example:
    >>> kgen.layers.BlurUpsampling2D()(keras.ops.ones((1, 3, 4, 2))).shape
    TensorShape([1, 6, 8, 2])
    """

    @plain_arguments
    def __init__(self, kernel=(1, 2, 1), **kwargs):
        super().__init__(**kwargs)
        self.kernel = check_kernel("BlurUpsampling2D", kernel)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.built = True

    def call(self, inputs):
        dtype = keras.backend.result_type(inputs.dtype, "float32")

        def repeat_and_blur(size):
            matrix = blur_matrix(2 * size, self.kernel, dtype)  # (2 * size, 2 * size)
            return ops.sum(ops.reshape(matrix, (2 * size, size, 2)), axis=-1)

        return along_axes(inputs, repeat_and_blur, self.kernel)

    def compute_output_shape(self, input_shape):
        space = [None if size is None else 2 * size for size in input_shape[1:3]]
        return (input_shape[0], *space, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "kernel": list(self.kernel)}
