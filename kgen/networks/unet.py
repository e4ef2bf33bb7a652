"""The U-Net of pix2pix, and the same without its skips (Isola et al. 2017, arXiv 1611.07004)."""

import math

import keras
from keras import layers

from kgen.core.numbers import plain_arguments
from kgen.layers import (
    BatchNormalization,
    Dropout,
    InstanceNormalization,
    ThinConv2D,
    ThinConv2DTranspose,
)
from kgen.networks import shapes
from kgen.networks.arguments import check_choice, check_positive

_NORMS = {"instance": InstanceNormalization, "batch": BatchNormalization, None: None}


@plain_arguments
def unet(
    image_shape,
    output_channels=None,
    depth=None,
    filters=64,
    normalization="instance",
    dropout=0.5,
    skip_connections=True,
):
    """Returns the generator of section 6.1.1: images -> images of the same size, in [-1, 1].

    `depth` convolutions of 4 x 4 and stride 2 down, of 64, 128, 256 and from then on 512 maps with
    leaky ReLU of slope 0.2, and as many transposed ones back up with ReLU. What comes out of each
    step up is concatenated with what went into the step down from the same size. Norm follows each
    of them but the first and the last, which see and make the images, and the innermost: on maps
    of 1 x 1 pixel nothing but zeros would be left. Weights start from N(0, 0.02^2).

    `unet((256, 256, 3), normalization="batch")` is the paper's, of 54.4 million weights.

    Args:
        image_shape: `(height, width, channels)` of the inputs. An odd size is halved upwards, 7 to
            4, and what is one too large on the way back is cropped: any size is as good.
        output_channels: Channels of the outputs; `None` for those of the inputs.
        depth: How often height and width are halved; 8 in the paper. `None` halves until the
            smaller side has 2 pixels left: 4 times for 28 x 28 (14, 7, 4, 2) and for 32 x 32, 5
            times for 64 x 64; and as the paper does, down to 1, from 256 x 256 on, at most 8 times.
        filters: Maps of the first convolution; 64 in the paper. The others have in proportion.
        normalization: `"instance"`, `"batch"` as in the paper, whose batches have often one image,
            so that it is the same in training; `None` for none.
        dropout: Rate of dropout in [0, 1) after the first steps up: 3 of them as in the paper, but
            no more than half the depth, so that small images too get some steps without.
        skip_connections: Whether to concatenate; `encoder_decoder` is the one without.

    Raises:
        ValueError: If an argument is not as described, or a side too short for the depth.

    Example:
    >>> kgen.networks.unet((64, 64, 1), output_channels=3, filters=8).output_shape
    (None, 64, 64, 3)
    """
    height, width, channels = shapes.check_image_shape(image_shape)
    output_channels = channels if output_channels is None else output_channels
    depth = _default_depth(min(height, width)) if depth is None else depth
    check_positive(output_channels=output_channels, depth=depth, filters=filters)
    check_choice(tuple(_NORMS), normalization=normalization)
    if min(height, width) <= 2 ** (depth - 1):
        raise ValueError(
            f"`image_shape` must have a height and a width larger than {2 ** (depth - 1)}, to be "
            f"halved depth={depth} times, received {image_shape!r}."
        )
    norm = _NORMS[normalization]
    # Differs from the paper: without norm He's initial weights, for the paper's shrink what narrow
    # layers pass on, and nothing would scale it up again.
    init = (lambda: "he_normal") if norm is None else _paper_init

    inputs = keras.Input((height, width, channels), name="inputs")
    x, ins = inputs, []
    widths = [filters * min(2**step, 8) for step in range(depth)]
    for step, maps in enumerate(widths):
        ins.append(x)
        has_norm = norm is not None and 0 < step < depth - 1
        make = ThinConv2D if step == 0 else layers.Conv2D
        x = make(maps, 4, 2, "same", use_bias=not has_norm, kernel_initializer=init())(x)
        x = norm()(x) if has_norm else x
        x = layers.LeakyReLU(negative_slope=0.2)(x)  # Height and width halved.
    for step in reversed(range(1, depth)):
        up = layers.Conv2DTranspose(
            widths[step - 1], 4, 2, "same", use_bias=not norm, kernel_initializer=init()
        )
        x = _cropped(up(x), ins[step])  # Height and width doubled.
        x = norm()(x) if norm else x
        if dropout and depth - step <= min(3, depth // 2):
            x = Dropout(dropout)(x)
        x = layers.ReLU()(x)
        if skip_connections:
            x = layers.Concatenate()([x, ins[step]])
    x = ThinConv2DTranspose(output_channels, 4, 2, "same", kernel_initializer=_paper_init())(x)
    images = layers.Activation("tanh", dtype="float32", name="images")(_cropped(x, inputs))
    return keras.Model(inputs, images, name="unet" if skip_connections else "encoder_decoder")


@plain_arguments
def encoder_decoder(
    image_shape,
    output_channels=None,
    depth=None,
    filters=64,
    normalization="instance",
    dropout=0.5,
):
    """Returns `unet` without skip connections: all of the image goes through the innermost layer.

    The paper's figure 4 compares the two. The arguments are those of `unet`.

    Example:
    >>> kgen.networks.encoder_decoder((32, 32, 3), filters=8).name
    'encoder_decoder'
    """
    return unet(image_shape, output_channels, depth, filters, normalization, dropout, False)


def _default_depth(side):
    """Halvings, rounded up, of the shorter side down to 2 pixels; the paper's 8 from 256 on."""
    return 8 if side >= 256 else max(1, math.ceil(math.log2(side)) - 1)


def _cropped(x, like):
    """`x` without its last row or column where it has one more than `like`."""
    rows, columns = (own - other for own, other in zip(x.shape[1:3], like.shape[1:3], strict=True))
    return layers.Cropping2D(((0, rows), (0, columns)))(x) if rows or columns else x


def _paper_init():
    return keras.initializers.RandomNormal(stddev=0.02)  # A new one each: one repeats its draws.
