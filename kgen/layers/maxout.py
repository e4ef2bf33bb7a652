"""Maxout: a learnt, piecewise-linear activation."""

import keras
from keras import ops

from kgen.core.numbers import is_count, plain_arguments


@keras.saving.register_keras_serializable("kgen")
class Maxout(keras.layers.Layer):
    """Takes, for every unit, the largest of several affine functions of the input.

    Goodfellow et al., "Maxout Networks", 2013, section 3: h_i(x) = max_j (x^T W_ij + b_ij)
    (arXiv:1302.4389). The first GAN's discriminator is made of it (arXiv:1406.2661).

    Args:
        units: Positive integer, size of the output.
        pieces: Positive integer, affine functions a unit.
        kernel_initializer: Keras initializer of the weights, `(inputs, units * pieces)`.
        bias_initializer: Keras initializer of the offsets, `(units * pieces,)`.
        kernel_constraint: Keras constraint of the weights, such as `keras.constraints.MaxNorm` of
            each piece's.

    Input shape: `(batch, ..., inputs)`. Output shape: `(batch, ..., units)`.

    Raises:
        ValueError: If `units` or `pieces` is not a positive integer.

    Example:
    >>> kgen.layers.Maxout(units=3, pieces=5)(keras.random.normal((2, 7))).shape
    TensorShape([2, 3])
    """

    @plain_arguments
    def __init__(
        self,
        units,
        pieces=5,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in (("units", units), ("pieces", pieces)):
            if not is_count(value):
                raise ValueError(
                    f"Maxout: `{name}` should be a positive integer. Received: {name}={value}"
                )
        self.units = units
        self.pieces = pieces
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units * self.pieces),
            initializer=self.kernel_initializer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.units * self.pieces,), initializer=self.bias_initializer, name="bias"
        )

    def call(self, inputs):
        affine = ops.matmul(inputs, self.kernel) + self.bias  # (batch, ..., units * pieces)
        shape = (*ops.shape(inputs)[:-1], self.units, self.pieces)
        return ops.max(ops.reshape(affine, shape), axis=-1)  # (batch, ..., units)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "pieces": self.pieces,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
        }
