"""From feature maps to an image."""

import keras

from kgen.core.numbers import is_count, plain_arguments
from kgen.layers.equalized_conv2d import EqualizedConv2D


@keras.saving.register_keras_serializable("kgen")
class ToRGB(EqualizedConv2D):
    """Projects the feature maps at every pixel to colours: an equalised 1x1 convolution, linear.

    Karras et al., "Progressive Growing of GANs", 2018, figure 2 and table 2 (arXiv:1710.10196).

    Args:
        channels: Positive integer, channels of the image.
        gain: Positive float, see `EqualizedConv2D`.
        **kwargs: Other arguments of `EqualizedConv2D`.

    Input shape: `(batch, height, width, maps)`. Output shape: `(batch, height, width, channels)`.

    Raises:
        ValueError: If an argument is out of the range named above.

    Example:
    >>> kgen.layers.ToRGB()(keras.random.normal((2, 8, 8, 16))).shape
    TensorShape([2, 8, 8, 3])
    """

    @plain_arguments
    def __init__(self, channels=3, gain=1.0, **kwargs):
        if not is_count(channels):
            raise ValueError(
                f"ToRGB: `channels` should be a positive integer. Received: channels={channels!r}"
            )
        super().__init__(channels, 1, gain=gain, **kwargs)
        self.channels = channels

    def get_config(self):
        config = super().get_config()
        del config["filters"], config["kernel_size"]
        return {**config, "channels": self.channels}
