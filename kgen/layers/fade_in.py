"""Fading a new resolution in."""

import keras
from keras import ops

from kgen.core.numbers import plain_arguments
from kgen.layers.repeat_pixels import repeat_pixels


@keras.saving.register_keras_serializable("kgen")
class FadeIn(keras.layers.Layer):
    """Goes over from the images of a lower resolution to those of a higher one, as `alpha` rises.

    Karras et al., "Progressive Growing of GANs", 2018, figure 2 (arXiv:1710.10196): a new block of
    layers is blended in, `(1 - alpha) * low + alpha * high`. The variable `layer.alpha` is not
    trained but assigned, as by a callback, and is saved with the network. At 0 and at 1 the result
    is one of the inputs, exactly (as long as the other is finite).

    Args:
        alpha: Float in [0, 1], at which the variable starts.

    Input: a list `[low, high]` of `(batch, height, width, channels)` each. `low` may be smaller in
    height and width, both by the same integer factor, and is then enlarged by repetition. Of a size
    that is unknown beforehand the factor is that of the other axis, or else 1. Output: the shape of
    `high`.

    Raises:
        ValueError: If `alpha` is not in [0, 1], or the inputs are not two such tensors.

    Example:
    >>> low, high = keras.ops.zeros((1, 2, 2, 3)), keras.ops.ones((1, 4, 4, 3))
    >>> kgen.layers.FadeIn(alpha=0.25)([low, high])[0, 0, 0].numpy()
    array([0.25, 0.25, 0.25], dtype=float32)
    """

    @plain_arguments
    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(alpha, (int, float)) or not 0 <= alpha <= 1:
            raise ValueError(f"FadeIn: `alpha` should be in [0, 1]. Received: alpha={alpha!r}")
        self.initial_alpha = alpha
        self.alpha = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(alpha),
            trainable=False,
            dtype="float32",
            autocast=False,
            aggregation="only_first_replica",  # It may be assigned within a training step.
            name="alpha",
        )
        self.built = True

    def call(self, inputs):
        low, high = inputs
        low = repeat_pixels(low, _factor([tuple(low.shape), tuple(high.shape)]))
        alpha = ops.cast(self.alpha, high.dtype)
        return (1.0 - alpha) * low + alpha * high

    def compute_output_shape(self, input_shape):
        _factor(input_shape)
        return tuple(input_shape[1])

    def get_config(self):
        return {**super().get_config(), "alpha": self.initial_alpha}


def _factor(shapes):
    """How many times `high` is larger than `low`, of a list of their shapes."""
    if len(shapes) == 2 and all(isinstance(one, (tuple, list)) for one in shapes):
        low, high = shapes
        pairs = [pair for pair in zip(low[1:3], high[1:3], strict=False) if None not in pair]
        factor = pairs[0][1] // pairs[0][0] if pairs else 1
        fits = factor and all(factor * before == after for before, after in pairs)
        if len(low) == len(high) == 4 and low[3] == high[3] and fits:
            return factor
    raise ValueError(
        "FadeIn: expected a list of two inputs, `low` and `high`, (batch, height, width, channels) "
        "each, with height and width of `high` those of `low` or the same integer times larger. "
        f"Received: the shapes {shapes}"
    )
