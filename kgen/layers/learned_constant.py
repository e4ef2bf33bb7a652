"""A learned tensor in place of an input."""

import keras
from keras import ops

from kgen.core.numbers import is_count, plain_arguments


@keras.saving.register_keras_serializable("kgen")
class LearnedConstant(keras.layers.Layer):
    """Returns one learned tensor for every example, whatever the example.

    Karras, Laine and Aila, "A Style-Based Generator Architecture for Generative Adversarial
    Networks", 2019, section 2 (arXiv:1812.04948): the synthesis starts from it, and not from the
    latents. There it starts at one; in StyleGAN2 as `RandomNormal(stddev=1.0)`.

    Args:
        shape: List of positive integers, height, width and channels.
        initializer: Keras initializer of the tensor.

    Input: a tensor with a batch axis, of which nothing but the batch size is used. Output shape:
    `(batch, height, width, channels)`.

    Raises:
        ValueError: If `shape` is not three positive integers.

    Example:
    >>> kgen.layers.LearnedConstant([4, 4, 16])(keras.ops.zeros((2, 5))).shape
    TensorShape([2, 4, 4, 16])
    """

    @plain_arguments
    def __init__(self, shape, initializer="ones", **kwargs):
        super().__init__(**kwargs)
        is_list = isinstance(shape, (list, tuple)) and len(shape) == 3
        if not is_list or not all(is_count(size) for size in shape):
            raise ValueError(
                "LearnedConstant: `shape` should be three positive integers, height, width and "
                f"channels. Received: shape={shape!r}"
            )
        self.shape = list(shape)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        self.constant = self.add_weight(
            shape=tuple(self.shape), initializer=self.initializer, name="constant"
        )

    def call(self, inputs):
        return ops.broadcast_to(self.constant, (ops.shape(inputs)[0], *self.shape))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.shape)

    def get_config(self):
        return {
            **super().get_config(),
            "shape": list(self.shape),
            "initializer": keras.initializers.serialize(self.initializer),
        }
