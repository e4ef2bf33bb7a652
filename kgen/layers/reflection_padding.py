"""Padding by the picture's own mirror image."""

import keras
from keras import ops

from kgen.core.numbers import plain_arguments


@keras.saving.register_keras_serializable("kgen")
class ReflectionPadding2D(keras.layers.Layer):
    """Continues images beyond their borders by their reflection, of which the border is the axis.

    A row a b c d padded by two is c b a b c d c b. Johnson, Alahi and Fei-Fei, "Perceptual Losses
    for Real-Time Style Transfer and Super-Resolution", 2016 (arXiv:1603.08155, supplement), pad in
    this way to keep away the artefacts that zeros leave at the borders; CycleGAN's generator does
    so before each convolution of stride 1 (arXiv:1703.10593, appendix).

    Args:
        padding: Rows and columns to add. Integer for all sides alike; a pair of integers, height
            and width; or a pair of pairs, `((top, bottom), (left, right))`.

    Input shape: `(batch, height, width, channels)`, height and width larger than the padding of
    each of their sides. Output shape: `(batch, top + height + bottom, left + width + right,
    channels)`.

    Raises:
        ValueError: If `padding` is none of these, or an image is too small for it.

    Example:
    >>> row = keras.ops.reshape(keras.ops.arange(4.0), (1, 1, 4, 1))
    >>> kgen.layers.ReflectionPadding2D((0, 2))(row).numpy().ravel()
    array([2., 1., 0., 1., 2., 3., 2., 1.], dtype=float32)
    """

    @plain_arguments
    def __init__(self, padding=1, **kwargs):
        super().__init__(**kwargs)
        self.padding = _sides(padding)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        self._check_size(input_shape)

    def call(self, inputs):
        return ops.pad(inputs, ((0, 0), *self.padding, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape):
        self._check_size(input_shape)
        space = [
            None if size is None else size + sum(sides)
            for size, sides in zip(input_shape[1:3], self.padding, strict=True)
        ]
        return (input_shape[0], *space, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}

    def _check_size(self, input_shape):
        for size, sides in zip(input_shape[1:3], self.padding, strict=True):
            if size is not None and size <= max(sides):
                raise ValueError(
                    "ReflectionPadding2D: height and width should be larger than `padding`, for a "
                    "reflection repeats no border. Received: input shape "
                    f"{tuple(input_shape)} and padding={self.padding}"
                )


def _sides(padding):
    """`((top, bottom), (left, right))` of any form of the argument."""
    pair = (padding, padding) if isinstance(padding, int) else padding
    if isinstance(pair, (list, tuple)) and len(pair) == 2:
        sides = tuple((one, one) if isinstance(one, int) else tuple(one) for one in pair)
        numbers = [number for side in sides for number in side]
        if len(numbers) == 4 and all(isinstance(n, int) and n >= 0 for n in numbers):
            return sides
    raise ValueError(
        "ReflectionPadding2D: `padding` should be an integer of at least 0, a pair of them or a "
        f"pair of pairs. Received: padding={padding!r}"
    )
