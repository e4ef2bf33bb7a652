"""The GAN of the fewest operations, for callbacks that do not ask what they train."""

import functools

import keras
import numpy as np
import tensorflow as tf

from kgen import models
from tests.systems import SHAPE


def tiny_gan(**arguments):
    """One layer a network."""
    return models.GAN(tiny_generator(), tiny_critic(), **arguments)


def tiny_generator(first=()):
    """Latents of 4 numbers, through given layers first, to images in [-1, 1]."""
    latents = x = keras.Input((4,))
    for layer in first:
        x = layer(x)
    x = keras.layers.Dense(SHAPE[0] * SHAPE[1])(x)
    x = keras.layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(latents, keras.layers.Reshape(SHAPE, dtype="float32")(x))


def tiny_critic():
    images = keras.Input(SHAPE)
    return keras.Model(
        images, keras.layers.Dense(1, dtype="float32")(keras.layers.Flatten()(images))
    )


@functools.cache
def in_order(rows, batch_size):
    """Noise images in batches, always the same; arrays would be a dataset anew in each `fit`."""
    images = np.random.default_rng(0).uniform(-1.0, 1.0, (rows, *SHAPE)).astype("float32")
    return tf.data.Dataset.from_tensor_slices(images).batch(batch_size, drop_remainder=True)
