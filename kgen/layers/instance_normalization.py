"""Instance normalisation whose gradients are right to every order."""

import keras
from keras import ops

from kgen.core.numbers import plain_arguments
from kgen.layers.standardize import standardize


@keras.saving.register_keras_serializable("kgen")
class InstanceNormalization(keras.layers.Layer):
    """Gives every channel of every example zero mean and unit variance over space.

    Ulyanov, Vedaldi and Lempitsky, "Instance Normalization: The Missing Ingredient for Fast
    Stylization", 2016, equation 3 (arXiv:1607.08022). Used by CycleGAN (arXiv:1703.10593).

    `keras.layers.GroupNormalization(groups=-1)` computes the same, but its second-order gradient is
    wrong on TensorFlow; this one is right.

    Args:
        epsilon: Positive float added to the variance.
        center: Whether to learn an offset per channel, which starts at 0.
        scale: Whether to learn a scale per channel, which starts at 1.

    Input shape: `(batch, spatial axes ..., channels)`, at least one spatial axis. Output shape: the
    same. Mean, variance and scale are computed in float32 also under mixed precision.

    Raises:
        ValueError: If `epsilon` is not positive, or the input has no spatial axis.

    Example:
    >>> kgen.layers.InstanceNormalization()(keras.random.normal((2, 8, 8, 3))).shape
    TensorShape([2, 8, 8, 3])
    """

    @plain_arguments
    def __init__(self, epsilon=1e-5, center=True, scale=True, **kwargs):
        super().__init__(**kwargs)
        if not epsilon > 0:
            raise ValueError(
                f"InstanceNormalization: `epsilon` should be positive. Received: epsilon={epsilon}"
            )
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.autocast = False  # the input keeps its digits until the statistics are done

    def build(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(
                "InstanceNormalization: the input should have the shape (batch, spatial axes ..., "
                f"channels) with at least one spatial axis. Received: {tuple(input_shape)}"
            )
        self.axes = tuple(range(1, len(input_shape) - 1))
        shape = (input_shape[-1],)
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape=shape, initializer="ones", name="gamma", autocast=False
            )
        if self.center:
            self.beta = self.add_weight(
                shape=shape, initializer="zeros", name="beta", autocast=False
            )

    def call(self, inputs):
        outputs = standardize(inputs, self.axes, self.epsilon)
        if self.gamma is not None:
            outputs = outputs * self.gamma
        if self.beta is not None:
            outputs = outputs + self.beta
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
        }
