"""Layer normalisation whose gradients are right to every order."""

import keras
from keras import ops

from kgen.core.numbers import plain_arguments
from kgen.layers.standardize import standardize


@keras.saving.register_keras_serializable("kgen")
class LayerNormalization(keras.layers.Layer):
    """Gives every example zero mean and unit variance, then a scale and an offset per channel.

    Ba, Kiros and Hinton, "Layer Normalization", 2016, equations 3 and 4 (arXiv:1607.06450). It is
    the norm that Gulrajani et al., 2017, recommend for a critic under a gradient penalty
    (arXiv:1704.00028, section 4), because it keeps the examples of a batch independent.

    `keras.layers.LayerNormalization` has a wrong second-order gradient on TensorFlow; this layer
    has not. It also differs in its default: all axes but the batch, instead of the last axis only.

    Args:
        axis: Integer or sequence of integers, the axes to normalise over; negative ones count from
            the end. `None` means all but the batch axis.
        epsilon: Positive float added to the variance.
        center: Whether to learn an offset per channel, which starts at 0.
        scale: Whether to learn a scale per channel, which starts at 1.

    Input shape: `(batch, ..., channels)`. Output shape: the same. Mean, variance and scale are
    computed in float32 also under mixed precision.

    Raises:
        ValueError: If `axis` is or contains the batch axis, or `epsilon` is not positive.

    Example:
    >>> kgen.layers.LayerNormalization()(keras.random.normal((2, 8, 8, 3))).shape
    TensorShape([2, 8, 8, 3])
    """

    @plain_arguments
    def __init__(self, axis=None, epsilon=1e-5, center=True, scale=True, **kwargs):
        super().__init__(**kwargs)
        axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
        numbers = all(isinstance(one, int) and one != 0 for one in axes)
        if axis is not None and not (axes and numbers):
            raise ValueError(
                "LayerNormalization: `axis` should be None, an integer or a sequence of integers, "
                f"without the batch axis 0. Received: axis={axis}"
            )
        if not epsilon > 0:
            raise ValueError(
                f"LayerNormalization: `epsilon` should be positive. Received: epsilon={epsilon}"
            )
        self.axis = list(axis) if isinstance(axis, tuple) else axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.supports_masking = True
        self.autocast = False  # the input keeps its digits until the statistics are done

    def build(self, input_shape):
        rank = len(input_shape)
        axes = range(1, rank) if self.axis is None else self.axis
        axes = (axes,) if isinstance(axes, int) else tuple(axes)
        self.axes = tuple(sorted({axis % rank for axis in axes if -rank <= axis < rank}))
        if not self.axes or self.axes[0] == 0 or len(self.axes) != len(axes):
            raise ValueError(
                "LayerNormalization: `axis` should name different axes of the input, not the batch "
                f"axis. Received: axis={self.axis} and input shape {tuple(input_shape)}"
            )
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
        scale = 1.0 if self.gamma is None else self.gamma
        outputs = standardize(inputs, self.axes, self.epsilon, scale)
        if self.beta is not None:
            outputs = outputs + self.beta
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
        }
