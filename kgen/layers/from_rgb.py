"""From an image to feature maps."""

import keras

from kgen.core.numbers import plain_arguments
from kgen.layers.equalized_conv2d import EqualizedConv2D


@keras.saving.register_keras_serializable("kgen")
class FromRGB(EqualizedConv2D):
    """Makes feature maps of the colours at every pixel: an equalised 1x1 convolution.

    Karras et al., "Progressive Growing of GANs", 2018, figure 2 and table 2 (arXiv:1710.10196).

    Args:
        filters: Positive integer, feature maps.
        activation: Keras activation; "leaky_relu" has the paper's slope of 0.2.
        gain: Positive float, see `EqualizedConv2D`; the default suits the activation.
        **kwargs: Other arguments of `EqualizedConv2D`.

    Input shape: `(batch, height, width, channels)`. Output shape:
    `(batch, height, width, filters)`.

    Raises:
        ValueError: If an argument is out of the range named above.

    Example:
    >>> kgen.layers.FromRGB(16)(keras.random.normal((2, 8, 8, 3))).shape
    TensorShape([2, 8, 8, 16])
    """

    @plain_arguments
    def __init__(self, filters, activation="leaky_relu", gain=2.0**0.5, **kwargs):
        super().__init__(filters, 1, activation=activation, gain=gain, **kwargs)

    def get_config(self):
        config = super().get_config()
        del config["kernel_size"]
        return config
