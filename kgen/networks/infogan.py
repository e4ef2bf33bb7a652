"""InfoGAN's networks for digits (Chen et al. 2016, appendix C.1, arXiv 1606.03657)."""

import math

import keras
from keras import layers

from kgen.layers import BatchNormalization, ThinConv2D, ThinConv2DTranspose
from kgen.networks import shapes
from kgen.networks.normalization import normalized


def infogan_generator(image_shape, latent_dim=74, units=1024, filters=64):
    """Returns the generator: noise and codes `(batch, latent_dim)` -> images in [-1, 1].

    Two dense layers, then two transposed convolutions of stride 2; ReLU and batch norm.

    Args:
        image_shape: `(height, width, channels)`; height and width divisible by 4.
        latent_dim: Numbers of noise and codes together; the paper's 62 + 10 + 2.
        units: Units of the first dense layer; 1024 in the paper.
        filters: Maps before the output; 64 in the paper, and twice as many before.
    """
    height, width, channels = shapes.check_image_shape(image_shape, divisor=4)
    base = (height // 4, width // 4, 2 * filters)
    latents = keras.Input((latent_dim,), name="latents")
    x = layers.ReLU()(BatchNormalization()(layers.Dense(units, use_bias=False)(latents)))
    x = layers.Dense(math.prod(base), use_bias=False)(x)
    x = layers.ReLU()(BatchNormalization()(layers.Reshape(base)(x)))
    x = layers.Conv2DTranspose(filters, 4, 2, "same", use_bias=False)(x)
    x = layers.ReLU()(BatchNormalization()(x))
    x = ThinConv2DTranspose(channels, 4, 2, "same")(x)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(latents, images, name="generator")


def infogan_discriminator(
    image_shape, codes=12, units=1024, filters=64, code_units=128, normalization="layer"
):
    """Returns the discriminator: images in [-1, 1] -> `[logits, codes]`.

    Logits are `(batch, 1)`, codes `(batch, codes)`. All but the last layers are one trunk: two
    convolutions of stride 2 and a dense layer, leaky ReLU of slope 0.1. The codes have one hidden
    layer of their own.

    Args:
        image_shape: `(height, width, channels)`; height and width divisible by 4.
        codes: Outputs of Q: the sizes of the categories and the continuous codes, together.
        units: Units of the trunk's dense layer; 1024 in the paper.
        filters: Maps of the first convolution; 64 in the paper, and twice as many after it.
        code_units: Units of Q's hidden layer; 128 in the paper.
        normalization: Of all but the first and last layers: `"layer"`, `"spectral"`, `None`, or
            `"batch"` as in the paper. Batch norm's averages mix the moments of real and of fake
            images, under which `encode` is worse than by those of either.
    """
    images = keras.Input(shapes.check_image_shape(image_shape, divisor=4), name="images")
    x = layers.LeakyReLU(0.1)(ThinConv2D(filters, 4, strides=2, padding="same")(images))
    x = _dense_or_convolution(layers.Conv2D, normalization, 2 * filters, 4, 2, "same")(x)
    x = _dense_or_convolution(layers.Dense, normalization, units)(layers.Flatten()(x))
    logits = layers.Activation("linear", dtype="float32", name="logits")(layers.Dense(1)(x))
    q = _dense_or_convolution(layers.Dense, normalization, code_units)(x)
    q = layers.Activation("linear", dtype="float32", name="codes")(layers.Dense(codes)(q))
    return keras.Model(images, [logits, q], name="discriminator")


def _dense_or_convolution(make, normalization, *arguments):
    """A hidden layer, its normalisation and its activation."""
    layer = normalized(make(*arguments), normalization)
    return lambda x: layers.LeakyReLU(0.1)(layer(x))
