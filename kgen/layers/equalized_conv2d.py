"""Two-dimensional convolution with an equalised learning rate."""

import math

import keras
from keras import ops

from kgen.core.numbers import is_count, plain_arguments


@keras.saving.register_keras_serializable("kgen")
class EqualizedConv2D(keras.layers.Layer):
    """Convolution whose weights are N(0, 1) and are scaled by He's constant in every call.

    Karras et al., "Progressive Growing of GANs", 2018, section 4.1 (arXiv:1710.10196): with the
    constant outside of the variable, all weights have the same dynamic range, and an adaptive
    optimizer moves all of them at the same speed. See `EqualizedDense` for the multiplier m.

    Computes `activation(conv(x, W gain m / sqrt(height * width * channels)) + b m)`, where W starts
    as N(0, 1 / m^2) and `b m` as `bias_initializer` says.

    Args:
        filters: Positive integer, channels of the output.
        kernel_size: Positive integer, or a pair `(height, width)`.
        strides: Positive integer, or a pair.
        padding: "same" or "valid".
        activation: Keras activation, or `None` for a linear layer.
        use_bias: Whether to add a bias.
        gain: Positive float: sqrt(2), the default, before a (leaky) ReLU; 1 in a linear layer.
        learning_rate_multiplier: Positive float m.
        bias_initializer: Keras initializer of the bias.

    Input shape: `(batch, height, width, channels)`. Output shape:
    `(batch, new height, new width, filters)`.

    Raises:
        ValueError: If an argument is out of the range named above.

    Example:
    >>> kgen.layers.EqualizedConv2D(16, 3)(keras.random.normal((2, 8, 8, 3))).shape
    TensorShape([2, 8, 8, 16])
    """

    @plain_arguments
    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="same",
        activation=None,
        use_bias=True,
        gain=2.0**0.5,
        learning_rate_multiplier=1.0,
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_count(filters):
            raise ValueError(
                "EqualizedConv2D: `filters` should be a positive integer. Received: "
                f"filters={filters}"
            )
        if padding not in ("same", "valid"):
            raise ValueError(
                "EqualizedConv2D: `padding` should be 'same' or 'valid'. Received: "
                f"padding={padding!r}"
            )
        for name, value in (
            ("gain", gain),
            ("learning_rate_multiplier", learning_rate_multiplier),
        ):
            if not value > 0:
                raise ValueError(
                    f"EqualizedConv2D: `{name}` should be positive. Received: {name}={value}"
                )
        self.filters = filters
        self.kernel_size = _pair("kernel_size", kernel_size)
        self.strides = _pair("strides", strides)
        self.padding = padding
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.gain = gain
        self.learning_rate_multiplier = learning_rate_multiplier
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        channels = input_shape[-1]
        fan_in = self.kernel_size[0] * self.kernel_size[1] * channels
        multiplier = self.learning_rate_multiplier
        self.kernel_scale = self.gain * multiplier / math.sqrt(fan_in)
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, channels, self.filters),
            initializer=keras.initializers.RandomNormal(stddev=1.0 / multiplier),
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.filters,),
                initializer=lambda *a, **k: self.bias_initializer(*a, **k) / multiplier,
                name="bias",
            )

    def call(self, inputs):
        outputs = ops.conv(
            inputs,
            self.kernel * self.kernel_scale,
            strides=self.strides,
            padding=self.padding,
            data_format="channels_last",
        )  # (batch, new height, new width, filters)
        if self.bias is not None:
            outputs = outputs + self.bias * self.learning_rate_multiplier
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        space = []
        for size, kernel, stride in zip(
            input_shape[1:3], self.kernel_size, self.strides, strict=True
        ):
            if size is not None:
                size = size if self.padding == "same" else size - kernel + 1
                size = (size + stride - 1) // stride
            space.append(size)
        return (input_shape[0], *space, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "gain": self.gain,
            "learning_rate_multiplier": self.learning_rate_multiplier,
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


def _pair(name, value):
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or not all(is_count(one) for one in pair):
        raise ValueError(
            f"EqualizedConv2D: `{name}` should be a positive integer or a pair of them. Received: "
            f"{name}={value}"
        )
    return pair
