"""The dense pair of the importance-weighted autoencoder (Burda et al. 2016, arXiv 1509.00519)."""

import math

import keras
from keras import layers

from kgen.networks import shapes


def iwae_encoder(image_shape, latent_dim=50, units=200):
    """Returns an encoder: images in [-1, 1] -> (mean, log variance), each `(batch, latent_dim)`.

    Section 5 there, the model of one stochastic layer: two hidden layers of 200 units with tanh
    and 50 latents.
    """
    images = keras.Input(shapes.check_image_shape(image_shape), name="images")
    # The paper's pixels are 0 and 1: of -1 and 1, most of them -1, tanh is driven into saturation.
    x = layers.Rescaling(0.5, offset=0.5)(layers.Flatten()(images))
    for _ in range(2):
        x = layers.Dense(units, "tanh")(x)
    float32 = layers.Activation("linear", dtype="float32", name="float32")
    mean = layers.Dense(latent_dim, name="mean")(x)
    log_variance = layers.Dense(latent_dim, name="log_variance")(x)
    return keras.Model(images, [float32(mean), float32(log_variance)], name="encoder")


def iwae_decoder(image_shape, latent_dim=50, units=200):
    """Returns a decoder: latents `(batch, latent_dim)` -> a logit a pixel and channel.

    The mirror image of `iwae_encoder`; logits are `(batch, height, width, channels)`.
    """
    shape = shapes.check_image_shape(image_shape)
    latents = keras.Input((latent_dim,), name="latents")
    x = latents
    for _ in range(2):
        x = layers.Dense(units, "tanh")(x)
    logits = layers.Reshape(shape)(layers.Dense(math.prod(shape))(x))
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(latents, logits, name="decoder")
