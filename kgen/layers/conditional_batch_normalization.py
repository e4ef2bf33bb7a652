"""Batch norm whose scale and offset depend on a condition, such as the class."""

import keras
from keras import layers, ops

from kgen.core.numbers import plain_arguments
from kgen.layers.batch_normalization import BatchNormalization
from kgen.layers.spectral_normalization import SpectralNormalization


@keras.saving.register_keras_serializable("kgen")
class ConditionalBatchNormalization(layers.Layer):
    """De Vries et al. 2017, arXiv 1707.00683; of class labels, Miyato and Koyama 2018, 1802.05637.

    Batch norm without parameters, then x * (1 + scale) + offset for each channel, where scale and
    offset are linear in the condition and start at 0: of a one-hot label, each class has its own.

    Example:
        layers.ConditionalBatchNormalization()([images, one_hot_labels])  # Of the shape of images.

    Args:
        momentum: Momentum of the moving moments that inference uses.
        epsilon: Positive float added to the variance.
        spectral: Whether to normalise the two linear maps by `SpectralNormalization` (Brock et al.
            2019, 1809.11096). They then start orthogonal: zeros would not stay small.
        synchronized: Whether replicas that share a batch normalise by the rows of all of them, and
            not each by its own.

    Input: a list of `(batch, ..., channels)` and the condition `(batch, dimensions)`. Output: the
    shape of the first.

    Raises:
        ValueError: If the inputs are not two such tensors.
    """

    @plain_arguments
    def __init__(self, momentum=0.99, epsilon=1e-3, spectral=False, synchronized=False, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.epsilon = epsilon
        self.spectral = spectral
        self.norm = BatchNormalization(
            momentum=momentum,
            epsilon=epsilon,
            center=False,
            scale=False,
            synchronized=synchronized,
            dtype=self.dtype_policy,
        )

    @property
    def synchronized(self):
        """As given; of the norm inside, which is what normalises."""
        return self.norm.synchronized

    @synchronized.setter
    def synchronized(self, value):
        self.norm.synchronized = value

    def build(self, input_shape):
        if len(input_shape) != 2 or not all(isinstance(s, tuple | list) for s in input_shape):
            raise ValueError(
                "ConditionalBatchNormalization: expected a list of two inputs, (batch, ..., "
                f"channels) and the condition (batch, dimensions), received {input_shape}."
            )
        images, condition = input_shape
        if len(condition) != 2:
            raise ValueError(
                "ConditionalBatchNormalization: the condition should have the shape (batch, "
                f"dimensions), received {tuple(condition)}."
            )
        self.norm.build(images)
        self.scale = self._map(images[-1], "scale")
        self.offset = self._map(images[-1], "offset")
        self.scale.build(condition)
        self.offset.build(condition)

    def call(self, inputs, training=None):
        images, condition = inputs
        channels = images.shape[-1]
        shape = (-1, *[1] * (len(images.shape) - 2), channels)
        scale = ops.reshape(1.0 + self.scale(condition), shape)  # (batch, 1, ..., channels)
        offset = ops.reshape(self.offset(condition), shape)
        return self.norm(images, training=training) * scale + offset

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "spectral": self.spectral,
            "synchronized": self.synchronized,
        }

    def _map(self, channels, name):
        start = "orthogonal" if self.spectral else "zeros"
        settings = {"use_bias": False, "kernel_initializer": start, "dtype": self.dtype_policy}
        dense = layers.Dense(channels, name=name, **settings)
        if not self.spectral:
            return dense
        return SpectralNormalization(dense, name=name, dtype=self.dtype_policy)
