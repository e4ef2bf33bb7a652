"""Convolution whose weights a style scales."""

import math

import keras
from keras import ops

from kgen.core.numbers import is_count, plain_arguments
from kgen.layers.equalized_dense import EqualizedDense
from kgen.layers.style_shapes import style_shapes


@keras.saving.register_keras_serializable("kgen")
class ModulatedConv2D(keras.layers.Layer):
    """Convolution with weights of each example's own: scaled by its style, then to unit length.

    Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, equations 1 to 3
    (arXiv:1912.04958). The weights of input channel i are multiplied by the style's s_i, and those
    of each output channel then divided by their Euclidean length, so that inputs of unit deviation
    give outputs of unit deviation. s is an equalised affine map of the styles, whose bias starts at
    1. Both factors are taken out of the convolution: s scales its inputs, and the lengths its
    outputs, so that all examples share one convolution.

    Args:
        filters: Positive integer, channels of the output.
        kernel_size: Positive integer, height and width of the kernel.
        demodulate: Whether to divide by the lengths.
        use_bias: Whether to add a bias, which starts at 0.
        gain: Positive float that scales the equalised weights (see `EqualizedConv2D`); without
            effect if demodulated.
        epsilon: Positive float added to the squared lengths.

    Input: a list `[maps, styles]` of `(batch, height, width, channels)` and `(batch, style
    dimensions)`. Output shape: `(batch, height, width, filters)`. The lengths are computed in
    float32 also under mixed precision.

    Raises:
        ValueError: If an argument is out of the range named above, or the inputs are not two such
            tensors.

    Example:
    >>> maps, styles = keras.random.normal((2, 8, 8, 3)), keras.random.normal((2, 5))
    >>> kgen.layers.ModulatedConv2D(16, 3)([maps, styles]).shape
    TensorShape([2, 8, 8, 16])
    """

    @plain_arguments
    def __init__(
        self,
        filters,
        kernel_size,
        demodulate=True,
        use_bias=True,
        gain=1.0,
        epsilon=1e-8,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in (("filters", filters), ("kernel_size", kernel_size)):
            if not is_count(value):
                raise ValueError(
                    f"ModulatedConv2D: `{name}` should be a positive integer. Received: "
                    f"{name}={value!r}"
                )
        for name, value in (("gain", gain), ("epsilon", epsilon)):
            if not value > 0:
                raise ValueError(
                    f"ModulatedConv2D: `{name}` should be positive. Received: {name}={value}"
                )
        self.filters = filters
        self.kernel_size = kernel_size
        self.demodulate = demodulate
        self.use_bias = use_bias
        self.gain = gain
        self.epsilon = epsilon

    def build(self, input_shape):
        maps, styles = style_shapes(self, input_shape)
        channels = maps[-1]
        self.kernel_scale = self.gain / math.sqrt(self.kernel_size**2 * channels)
        self.kernel = self.add_weight(
            shape=(self.kernel_size, self.kernel_size, channels, self.filters),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            autocast=False,  # the lengths are sums of squares
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")
        self.affine = EqualizedDense(
            channels, gain=1.0, bias_initializer="ones", name="affine", dtype=self.dtype_policy
        )
        self.affine.build(styles)

    def call(self, inputs):
        maps, styles = inputs
        kernel = self.kernel * self.kernel_scale
        scales = self.affine(styles)  # (batch, channels)
        outputs = ops.conv(
            maps * scales[:, None, None],
            ops.cast(kernel, maps.dtype),
            padding="same",
            data_format="channels_last",
        )  # (batch, height, width, filters)
        if self.demodulate:
            squares = ops.sum(ops.square(kernel), axis=(0, 1))  # (channels, filters)
            squares = ops.matmul(ops.square(ops.cast(scales, kernel.dtype)), squares)
            inverse = ops.cast(ops.rsqrt(squares + self.epsilon), outputs.dtype)
            outputs = outputs * inverse[:, None, None]
        return outputs if self.bias is None else outputs + self.bias

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:3], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "demodulate": self.demodulate,
            "use_bias": self.use_bias,
            "gain": self.gain,
            "epsilon": self.epsilon,
        }
