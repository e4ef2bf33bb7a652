"""The discriminators of pix2pix, which judge patches (Isola et al. 2017, arXiv 1611.07004)."""

import keras
from keras import layers

from kgen.core.numbers import plain_arguments
from kgen.layers import ThinConv2D
from kgen.networks import shapes
from kgen.networks.arguments import check_choice, check_positive
from kgen.networks.normalization import NORMALIZATIONS, normalized

# Convolutions of stride 2 for each side of a patch in pixels; two of stride 1 follow.
_STEPS = {7: 0, 16: 1, 34: 2, 70: 3, 142: 4}


@plain_arguments
def patchgan_discriminator(
    image_shape, condition_shape=None, receptive_field=70, filters=64, normalization="instance"
):
    """Returns the discriminator of section 6.1.2: a logit `(batch, h, w, 1)` for each patch.

    4 x 4 convolutions of 64, 128, 256 and from then on 512 maps, all of stride 2 but the last, then
    one to the logits; leaky ReLU of slope 0.2; no norm after the first. A patch of one pixel,
    PixelGAN, has 1 x 1 convolutions to 64 and 128 maps and the logits. Weights start from
    N(0, 0.02^2). `patchgan_discriminator((256, 256, 3), (256, 256, 3), normalization="batch")` is
    the paper's of 70 x 70, of 2.77 million weights.

    Patches of logits near a border reach beyond it and see padding, zeros, there. On an image of
    32 x 32 every patch of 70 pixels does, and most of it is padding; a smaller patch judges details
    there. `kgen.networks.receptive_field` computes the patch of any network.

    Differs from the paper: "same" padding, where the published networks pad by one pixel on every
    side, which loses a row and a column at each stride of 1: 32 x 32 logits of 256 x 256 pixels and
    not 30 x 30.

    Args:
        image_shape: `(height, width, channels)`; after the convolutions of stride 2 (none, 1, 2, 3
            and 4 of them for 7, 16, 34, 70 and 142) each side must have 2 pixels at least.
        condition_shape: Shape of the inputs that the images were made from, of the same height and
            width, for a discriminator that takes `[inputs, images]`; `None` for one that takes
            images alone.
        receptive_field: Side of the patches in pixels: 1, 7, 16, 34, 70 or 142; or `"image"`, one
            logit `(batch, 1, 1, 1)` that sees all of it: convolutions of stride 2 as in DCGAN, and
            a dense layer. Height and width must be divisible by 4 for that one.
        filters: Maps of the first convolution; 64 in the paper. The others have in proportion.
        normalization: `"instance"`, `"batch"` as in the paper, `"layer"`, `"spectral"` or `None`;
            all but `"batch"` are fit for a gradient penalty.

    Raises:
        ValueError: If an argument is not as described.

    Example:
    >>> kgen.networks.patchgan_discriminator((64, 64, 3), filters=8).output_shape
    (None, 8, 8, 1)
    """
    check_choice((1, *_STEPS, "image"), receptive_field=receptive_field)
    check_choice(NORMALIZATIONS, normalization=normalization)
    check_positive(filters=filters)
    divisor = 4 if receptive_field == "image" else 1
    height, width, channels = shapes.check_image_shape(image_shape, divisor)
    images = keras.Input((height, width, channels), name="images")
    inputs, x = images, images
    if condition_shape is not None:
        inputs = [_condition_input(condition_shape, height, width), images]
        x = layers.Concatenate()(inputs)
    if receptive_field == "image":
        logits = _one_logit(x, filters, normalization)
    elif receptive_field == 1:
        logits = _pixel_logits(x, filters, normalization)
    else:
        steps = _STEPS[receptive_field]
        if min(height, width) <= 2**steps:
            raise ValueError(
                f"`receptive_field`={receptive_field} needs a height and a width larger than "
                f'{2**steps}; use a smaller one or "image". '
                f"Received `image_shape` {image_shape!r}."
            )
        logits = _patch_logits(x, steps, filters, normalization)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(inputs, logits, name="discriminator")


def _patch_logits(x, steps, filters, normalization):
    for step in range(steps + 1):
        strides = 2 if step < steps else 1
        maps = filters * min(2**step, 8)
        x = _layer(x, maps, 4, strides, normalization, first=step == 0)
    return normalized(_convolution(1, 4), normalization, first=True)(x)


def _pixel_logits(x, filters, normalization):
    x = _layer(x, filters, 1, 1, normalization, first=True)
    x = _layer(x, 2 * filters, 1, 1, normalization)
    return normalized(_convolution(1, 1), normalization, first=True)(x)


def _one_logit(x, filters, normalization):
    for step in range(shapes.halvings(*x.shape[1:3])):
        x = _layer(x, filters * min(2**step, 8), 4, 2, normalization, first=step == 0)
    dense = layers.Dense(1, kernel_initializer=_init())
    x = normalized(dense, normalization, first=True)(layers.Flatten()(x))
    return layers.Reshape((1, 1, 1))(x)


def _layer(x, maps, kernel_size, strides, normalization, first=False):
    # An offset before these norms is subtracted again.
    use_bias = first or normalization not in ("batch", "instance")
    make = ThinConv2D if first else layers.Conv2D
    convolution = _convolution(maps, kernel_size, strides, use_bias, make)
    return layers.LeakyReLU(negative_slope=0.2)(
        normalized(convolution, normalization, first=first)(x)
    )


def _convolution(maps, kernel_size, strides=1, use_bias=True, make=layers.Conv2D):
    return make(maps, kernel_size, strides, "same", use_bias=use_bias, kernel_initializer=_init())


def _condition_input(condition_shape, height, width):
    shape = tuple(condition_shape)
    if len(shape) != 3 or shape[:2] != (height, width):
        raise ValueError(
            "`condition_shape` must be (height, width, channels), of the images' height and width "
            f"({height}, {width}), received {condition_shape!r}."
        )
    return keras.Input(shapes.check_image_shape(shape), name="inputs")


def _init():
    return keras.initializers.RandomNormal(stddev=0.02)
