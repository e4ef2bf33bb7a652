"""CycleGAN's generator (Zhu et al. 2017, arXiv 1703.10593, appendix; after Johnson et al. 2016)."""

import keras
from keras import layers

from kgen.core.numbers import plain_arguments
from kgen.layers import InstanceNormalization, ReflectionPadding2D
from kgen.networks import shapes
from kgen.networks.arguments import check_positive


@plain_arguments
def resnet_translator(image_shape, output_channels=None, blocks=9, filters=64, downsamplings=2):
    """Returns the generator: images -> images of the same size, in [-1, 1].

    In the paper's notation c7s1-64, d128, d256, R256 `blocks` times, u128, u64, c7s1-3: instance
    norm and ReLU after every layer but the last, which has tanh, and but the sum of a residual
    block; reflection padding wherever the stride is 1. Weights start from N(0, 0.02^2).

    Args:
        image_shape: `(height, width, channels)` of the inputs; height and width divisible by
            `2 ** downsamplings`, and twice as large at least.
        output_channels: Channels of the outputs; `None` for those of the inputs.
        blocks: Residual blocks; in the paper 6 for 128 x 128 pixels, 9 from 256 x 256 on.
        filters: Maps of the first convolution; 64 in the paper, and twice as many at each step
            down.
        downsamplings: Steps down and up; 2 in the paper.

    Raises:
        ValueError: If an argument is not as described.

    Example:
    >>> kgen.networks.resnet_translator((32, 32, 3), blocks=2, filters=8).output_shape
    (None, 32, 32, 3)
    """
    if isinstance(downsamplings, bool) or not isinstance(downsamplings, int) or downsamplings < 0:
        raise ValueError(
            f"`downsamplings` must be an integer of at least 0, received {downsamplings!r}."
        )
    height, width, channels = shapes.check_image_shape(image_shape, divisor=2**downsamplings)
    output_channels = channels if output_channels is None else output_channels
    check_positive(output_channels=output_channels, blocks=blocks, filters=filters)
    smallest = max(4, 2 * 2**downsamplings)  # Both paddings need a pixel more than they add.
    if min(height, width) < smallest:
        raise ValueError(
            f"`image_shape` must have a height and a width of at least {smallest}, received "
            f"{image_shape!r}."
        )

    inputs = keras.Input((height, width, channels), name="inputs")
    x = _with_norm(_convolution(filters, 7), ReflectionPadding2D(3)(inputs))
    for step in range(1, downsamplings + 1):
        x = _with_norm(_convolution(filters * 2**step, 3, strides=2, padding="same"), x)  # Halved.
    for _ in range(blocks):
        x = _residual_block(x)
    for step in reversed(range(downsamplings)):
        up = layers.Conv2DTranspose(
            filters * 2**step, 3, 2, "same", use_bias=False, kernel_initializer=_init()
        )
        x = _with_norm(up, x)  # Height and width doubled.
    x = _convolution(output_channels, 7, use_bias=True)(ReflectionPadding2D(3)(x))
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(inputs, images, name="resnet_translator")


def _residual_block(x):
    maps = x.shape[-1]
    y = _with_norm(_convolution(maps, 3), ReflectionPadding2D(1)(x))
    y = InstanceNormalization()(_convolution(maps, 3)(ReflectionPadding2D(1)(y)))
    return layers.Add()([x, y])


def _with_norm(layer, x):
    return layers.ReLU()(InstanceNormalization()(layer(x)))


def _convolution(maps, kernel_size, use_bias=False, **kwargs):
    return layers.Conv2D(maps, kernel_size, use_bias=use_bias, kernel_initializer=_init(), **kwargs)


def _init():
    return keras.initializers.RandomNormal(stddev=0.02)
