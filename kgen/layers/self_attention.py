"""Attention between all pixels of a picture's feature maps."""

import keras
from keras import layers, ops

from kgen.core.numbers import is_count, plain_arguments
from kgen.layers.spectral_normalization import SpectralNormalization


@keras.saving.register_keras_serializable("kgen")
class SelfAttention(layers.Layer):
    """Adds to every pixel what it attends to elsewhere in the picture.

    Zhang et al., "Self-Attention Generative Adversarial Networks", 2019, equations 1 to 3
    (arXiv:1805.08318): pixel j of the output is x_j + gamma W_v sum_i(b_ji W_h x_i), where b_j is
    the softmax over i of (W_f x_i)^T W_g x_j, and gamma starts at 0. The matrices are 1x1
    convolutions without biases.

    Differs from the paper: as in its authors' code, the values W_h x have half of the channels and
    not as few as the keys W_f x and the queries W_g x; and keys and values are pooled, if `pool`.

    Args:
        spectral: Whether to normalise the convolutions by `SpectralNormalization`.
        reduction: Positive integer; keys and queries have `channels // reduction` channels, 1 at
            least.
        pool: Whether to take the maximum of 2x2 keys, and of 2x2 values, which saves three quarters
            of the memory and the time; an odd last row or column is pooled by itself.
        kernel_initializer: Initializer of the four convolutions, or its name.

    Input shape: `(batch, height, width, channels)`. Output shape: the same. Height and width may be
    unknown beforehand. The softmax is computed in float32 also under mixed precision.

    Raises:
        ValueError: If `reduction` is not a positive integer.

    Example:
    >>> kgen.layers.SelfAttention()(keras.random.normal((2, 8, 8, 16))).shape
    TensorShape([2, 8, 8, 16])
    """

    @plain_arguments
    def __init__(
        self,
        spectral=False,
        reduction=8,
        pool=True,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_count(reduction):
            raise ValueError(
                "SelfAttention: `reduction` should be a positive integer. Received: "
                f"reduction={reduction!r}"
            )
        self.spectral = spectral
        self.reduction = reduction
        self.pool = pool
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.input_spec = layers.InputSpec(ndim=4)

    def build(self, input_shape):
        channels = input_shape[-1]
        narrow, half = max(channels // self.reduction, 1), max(channels // 2, 1)
        self.keys = self._convolution(narrow, "keys")
        self.queries = self._convolution(narrow, "queries")
        self.values = self._convolution(half, "values")
        self.outputs = self._convolution(channels, "outputs")
        for convolution in (self.keys, self.queries, self.values):
            convolution.build(input_shape)
        self.outputs.build((*input_shape[:-1], half))
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")

    def call(self, inputs):
        keys, values = self.keys(inputs), self.values(inputs)
        if self.pool:
            keys, values = (
                ops.max_pool(x, 2, 2, padding="same", data_format="channels_last")
                for x in (keys, values)
            )
        queries, keys, values = map(_as_rows, (self.queries(inputs), keys, values))
        scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))  # (batch, pixels, places)
        scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
        # Keras warns of the softmax of a single place.
        attention = ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)
        attention = ops.cast(attention, values.dtype)
        attended = ops.matmul(attention, values)  # (batch, pixels, channels / 2)
        attended = ops.reshape(attended, (*ops.shape(inputs)[:3], values.shape[-1]))
        return inputs + self.gamma * self.outputs(attended)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "spectral": self.spectral,
            "reduction": self.reduction,
            "pool": self.pool,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _convolution(self, filters, name):
        convolution = layers.Conv2D(
            filters,
            1,
            use_bias=False,
            # One of its own for each: a seeded initializer draws the same every time.
            kernel_initializer=self.kernel_initializer.clone(),
            data_format="channels_last",
            name=name,
            dtype=self.dtype_policy,
        )
        if not self.spectral:
            return convolution
        return SpectralNormalization(convolution, name=name, dtype=self.dtype_policy)


def _as_rows(maps):
    """From `(batch, height, width, channels)` to `(batch, height * width, channels)`."""
    batch, height, width, channels = ops.shape(maps)
    return ops.reshape(maps, (batch, height * width, channels))
