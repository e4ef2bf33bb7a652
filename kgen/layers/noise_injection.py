"""Noise for the details of an image."""

import keras


@keras.saving.register_keras_serializable("kgen")
class NoiseInjection(keras.layers.Layer):
    """Adds an image of noise to all feature maps, to each with a learned strength.

    Karras, Laine and Aila, "A Style-Based Generator Architecture for Generative Adversarial
    Networks", 2019, section 2 and figure 1 (arXiv:1812.04948). The strengths start at 0. The noise
    comes from outside, so that it can be fixed, and its random state saved.

    Input: a list `[maps, noise]` of `(batch, height, width, channels)` and `(batch, height, width,
    1)`; the noise may be one for the whole batch, `(1, height, width, 1)`. Output: the shape of the
    maps.

    Raises:
        ValueError: If the inputs are not two such tensors.

    Example:
    >>> maps, noise = keras.ops.ones((2, 8, 8, 3)), keras.random.normal((2, 8, 8, 1))
    >>> kgen.layers.NoiseInjection()([maps, noise]).shape
    TensorShape([2, 8, 8, 3])
    """

    def build(self, input_shape):
        self._check_shapes(input_shape)
        self.strength = self.add_weight(
            shape=(input_shape[0][-1],), initializer="zeros", name="strength"
        )

    def call(self, inputs):
        maps, noise = inputs
        return maps + self.strength * noise

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def _check_shapes(self, input_shape):
        if len(input_shape) == 2 and all(isinstance(one, (tuple, list)) for one in input_shape):
            maps, noise = input_shape
            space = zip(maps[1:3], noise[1:3], strict=False)
            fits = all(one == other or None in (one, other) for one, other in space)
            if len(maps) == len(noise) == 4 and noise[-1] == 1 and fits:
                return
        raise ValueError(
            "NoiseInjection: expected a list of two inputs, maps (batch, height, width, channels) "
            f"and noise (batch or 1, height, width, 1). Received: input shape {input_shape}"
        )
