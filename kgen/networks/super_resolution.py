"""SRResNet and SRGAN's discriminator (Ledig et al. 2017, arXiv 1609.04802, figure 4)."""

import keras
from keras import layers

from kgen.core.numbers import plain_arguments
from kgen.layers import BatchNormalization, BicubicUpsampling2D, PixelShuffle
from kgen.networks import shapes
from kgen.networks.arguments import check_choice, check_positive


@plain_arguments
def sr_resnet(image_shape, factor=2, blocks=16, filters=64, normalization=None, residual=False):
    """Returns the generator: small images -> images `factor` times larger.

    A 9 x 9 convolution; `blocks` residual blocks of two 3 x 3; another 3 x 3, to which the outcome
    of the first is added; for each doubling a 3 x 3 to four times the maps and `PixelShuffle`; and
    a 9 x 9 to the image. PReLU, with one slope a map.

    The last layer is linear: where a squashing function nears its limits, at black and white, the
    squared error of an image hardly moves it. So outputs may leave [-1, 1] by a little; whoever
    wants an image clips them. `sr_resnet((None, None, 3), 4, normalization="batch")` is the
    paper's, of 1.55 million weights.

    Differs from the paper: no batch norm by default, as Lim et al. 2017 (EDSR, arXiv 1707.02921,
    section 3.1) advise. After 400 steps on crops of photographs (4 blocks, 32 filters, twice the
    size, Adam from 1e-3) it reached 25.1 dB without and 23.9 dB with batch norm, and took less
    time. In so few steps `residual` decides: 31.6 dB with it, where bicubic interpolation itself
    has 31.2 dB.

    Args:
        image_shape: `(height, width, channels)` of the small images in [-1, 1]. Height and width
            may be `None`: then the network takes any.
        factor: How much larger the images become, a power of 2; 4 in the paper, by two doublings.
        blocks: Residual blocks; 16 in the paper.
        filters: Maps of all convolutions but the ones before a doubling; 64 in the paper.
        normalization: `"batch"` after the 3 x 3 convolutions at the small size, as in the paper;
            `None` for none.
        residual: Whether the outputs are added to the inputs enlarged by bicubic interpolation,
            from which the network then starts: it learns the difference, as in Kim et al. 2016
            (VDSR, arXiv 1511.04587, section 3.1). Not in the paper; for trainings far shorter than
            its million steps.

    Raises:
        ValueError: If an argument is not as described.

    Example:
    >>> kgen.networks.sr_resnet((None, None, 3), factor=4, blocks=2, filters=8).output_shape
    (None, None, None, 3)
    """
    height, width, channels = _check_shape(image_shape)
    if not isinstance(factor, int) or factor < 2 or factor & (factor - 1):
        raise ValueError(f"`factor` must be a power of 2 from 2 on, received {factor!r}.")
    check_positive(blocks=blocks, filters=filters)
    check_choice(("batch", None), normalization=normalization)

    def convolution(x):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=normalization is None)(x)
        return BatchNormalization()(x) if normalization else x

    inputs = keras.Input((height, width, channels), name="inputs")
    first = _prelu()(layers.Conv2D(filters, 9, padding="same")(inputs))
    x = first
    for _ in range(blocks):
        x = layers.Add()([x, convolution(_prelu()(convolution(x)))])
    x = layers.Add()([first, convolution(x)])
    for _ in range(factor.bit_length() - 1):
        x = layers.Conv2D(4 * filters, 3, padding="same")(x)
        x = _prelu()(PixelShuffle(2)(x))  # Height and width doubled.
    start = {"kernel_initializer": "zeros"} if residual else {}
    x = layers.Conv2D(channels, 9, padding="same", **start)(x)
    x = layers.Activation("linear", dtype="float32", name="outputs")(x)
    if residual:
        # In float32: half precision would round the inputs.
        enlarged = BicubicUpsampling2D(factor, dtype="float32")(inputs)
        x = layers.Add(dtype="float32", name="images")([enlarged, x])
    return keras.Model(inputs, x, name="sr_resnet")


@plain_arguments
def sr_discriminator(image_shape, filters=64):
    """Returns the discriminator: large images in [-1, 1] -> logits `(batch, 1)`.

    Eight 3 x 3 convolutions, of 64, 64, 128, 128, ..., 512 maps, every other of stride 2, with
    batch norm on all but the first and leaky ReLU of slope 0.2; a dense layer of 1024 units; one of
    1. The paper's last layer, a sigmoid, is left to the loss.

    Args:
        image_shape: `(height, width, channels)`; any size, 96 x 96 in the paper. Sides not
            divisible by 16 are halved upwards.
        filters: Maps of the first convolution; 64 in the paper. The other layers, the dense one
            too, have in proportion.

    Raises:
        ValueError: If an argument is not as described.

    Example:
    >>> kgen.networks.sr_discriminator((32, 32, 3), filters=8).output_shape
    (None, 1)
    """
    shape = shapes.check_image_shape(image_shape)
    check_positive(filters=filters)
    images = keras.Input(shape, name="images")
    x = layers.LeakyReLU(negative_slope=0.2)(layers.Conv2D(filters, 3, padding="same")(images))
    for layer in range(1, 8):
        maps, strides = filters * 2 ** (layer // 2), 1 + layer % 2
        x = layers.Conv2D(maps, 3, strides, "same", use_bias=False)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(BatchNormalization()(x))
    x = layers.Dense(16 * filters)(layers.Flatten()(x))
    x = layers.Dense(1)(layers.LeakyReLU(negative_slope=0.2)(x))
    logits = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="discriminator")


def _prelu():
    # He et al. 2015, arXiv 1502.01852, who brought it up, start from a slope of 1/4; Keras from 0.
    return layers.PReLU(keras.initializers.Constant(0.25), shared_axes=[1, 2])


def _check_shape(image_shape):
    shape = tuple(image_shape)
    if len(shape) != 3 or shape[2] is None:
        raise ValueError(
            "`image_shape` must be (height, width, channels), height and width may be None, "
            f"received {image_shape!r}."
        )
    shapes.check_image_shape([1 if size is None else size for size in shape])
    return shape
