"""Instance norm whose scale and offset come from a style."""

import keras
from keras import ops

from kgen.core.numbers import plain_arguments
from kgen.layers.equalized_dense import EqualizedDense
from kgen.layers.standardize import standardize
from kgen.layers.style_shapes import style_shapes


@keras.saving.register_keras_serializable("kgen")
class AdaptiveInstanceNormalization(keras.layers.Layer):
    """Gives every channel of every example the deviation and the mean that its style asks for.

    Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance
    Normalization", 2017, equation 8 (arXiv:1703.06868); with a learned affine map of the style,
    Karras, Laine and Aila, 2019, equation 1 (arXiv:1812.04948). Computes
    `(1 + scale) * (x - mean) / sqrt(variance + epsilon) + offset`, where scale and offset are an
    equalised affine map of the styles, whose biases start at 0.

    Args:
        epsilon: Positive float added to the variance.

    Input: a list `[maps, styles]` of `(batch, height, width, channels)` and `(batch, style
    dimensions)`. Output: the shape of the maps. Mean and variance are computed in float32 also
    under mixed precision.

    Raises:
        ValueError: If `epsilon` is not positive, or the inputs are not two such tensors.

    Example:
    >>> maps, styles = keras.random.normal((2, 8, 8, 3)), keras.random.normal((2, 5))
    >>> kgen.layers.AdaptiveInstanceNormalization()([maps, styles]).shape
    TensorShape([2, 8, 8, 3])
    """

    @plain_arguments
    def __init__(self, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        if not epsilon > 0:
            raise ValueError(
                "AdaptiveInstanceNormalization: `epsilon` should be positive. Received: "
                f"epsilon={epsilon}"
            )
        self.epsilon = epsilon
        self.autocast = False  # the maps keep their digits until the statistics are done

    def build(self, input_shape):
        maps, styles = style_shapes(self, input_shape)
        self.affine = EqualizedDense(2 * maps[-1], gain=1.0, name="affine", dtype=self.dtype_policy)
        self.affine.build(styles)

    def call(self, inputs):
        maps, styles = inputs
        dtype = keras.backend.result_type(maps.dtype, "float32")
        affine = ops.cast(self.affine(styles), dtype)[:, None, None]  # (batch, 1, 1, 2 * channels)
        scale, offset = ops.split(affine, 2, axis=-1)
        outputs = standardize(maps, (1, 2), self.epsilon, scale=1.0 + scale) + offset
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
