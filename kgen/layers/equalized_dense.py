"""Dense layer with an equalised learning rate."""

import math

import keras
from keras import ops

from kgen.core.numbers import is_count, plain_arguments


@keras.saving.register_keras_serializable("kgen")
class EqualizedDense(keras.layers.Layer):
    """Dense layer whose weights are N(0, 1) and are scaled by He's constant in every call.

    Karras et al., "Progressive Growing of GANs", 2018, section 4.1 (arXiv:1710.10196): with the
    constant outside of the variable, all weights have the same dynamic range, and an adaptive
    optimizer moves all of them at the same speed. `learning_rate_multiplier` is that of StyleGAN's
    mapping network: Karras, Laine and Aila, 2019, appendix C (arXiv:1812.04948).

    Computes `activation(x W gain m / sqrt(inputs) + b m)`, where m is the multiplier, W starts as
    N(0, 1 / m^2) and `b m` as `bias_initializer` says. So m changes nothing at the start, and an
    optimizer with a fixed step length, such as Adam, moves the product m times as fast.

    Args:
        units: Positive integer, size of the output.
        activation: Keras activation, or `None` for a linear layer.
        use_bias: Whether to add a bias.
        gain: Positive float: sqrt(2), the default, before a (leaky) ReLU; 1 in a linear layer.
        learning_rate_multiplier: Positive float m.
        bias_initializer: Keras initializer of the bias.

    Input shape: `(batch, ..., inputs)`. Output shape: `(batch, ..., units)`.

    Raises:
        ValueError: If `units` is not a positive integer, or `gain` or `learning_rate_multiplier` is
            not positive.

    Example:
    >>> kgen.layers.EqualizedDense(3, activation="leaky_relu")(keras.random.normal((2, 7))).shape
    TensorShape([2, 3])
    """

    @plain_arguments
    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        gain=2.0**0.5,
        learning_rate_multiplier=1.0,
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_count(units):
            raise ValueError(
                f"EqualizedDense: `units` should be a positive integer. Received: units={units}"
            )
        for name, value in (
            ("gain", gain),
            ("learning_rate_multiplier", learning_rate_multiplier),
        ):
            if not value > 0:
                raise ValueError(
                    f"EqualizedDense: `{name}` should be positive. Received: {name}={value}"
                )
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.gain = gain
        self.learning_rate_multiplier = learning_rate_multiplier
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        fan_in = input_shape[-1]
        multiplier = self.learning_rate_multiplier
        self.kernel_scale = self.gain * multiplier / math.sqrt(fan_in)
        self.kernel = self.add_weight(
            shape=(fan_in, self.units),
            initializer=keras.initializers.RandomNormal(stddev=1.0 / multiplier),
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,),
                initializer=lambda *a, **k: self.bias_initializer(*a, **k) / multiplier,
                name="bias",
            )

    def call(self, inputs):
        outputs = ops.matmul(inputs, self.kernel * self.kernel_scale)  # (batch, ..., units)
        if self.bias is not None:
            outputs = outputs + self.bias * self.learning_rate_multiplier
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "gain": self.gain,
            "learning_rate_multiplier": self.learning_rate_multiplier,
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
