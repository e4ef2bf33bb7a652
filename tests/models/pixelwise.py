"""Networks of 1 x 1 convolutions with given weights, whose outputs NumPy computes in one line."""

import keras
import numpy as np
import tensorflow as tf


def translator(kernel, bias=0.0, shape=(4, 4)):
    """The network x -> x @ kernel + bias, kernel `(channels in, channels out)`."""
    kernel = np.asarray(kernel, "float32")
    images = keras.Input((*shape, kernel.shape[0]))
    layer = keras.layers.Conv2D(kernel.shape[1], 1)
    network = keras.Model(images, layer(images))
    layer.set_weights([kernel[None, None], np.full(kernel.shape[1], bias, "float32")])
    return network


def judge(*kernels, bias=0.0, shape=(4, 4)):
    """The network of one input a kernel: a logit a pixel, sum(x @ kernel) + bias."""
    channels = [len(kernel) for kernel in kernels]
    images = [keras.Input((*shape, count)) for count in channels]
    x = keras.layers.Concatenate()(images) if len(images) > 1 else images[0]
    layer = keras.layers.Conv2D(1, 1)
    network = keras.Model(images if len(images) > 1 else images[0], layer(x))
    weights = np.concatenate([np.float32(kernel) for kernel in kernels])
    layer.set_weights([weights[None, None, :, None], np.float32([bias])])
    return network


def copy_of(network):
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


def descend(networks, loss, rate):
    """One step of gradient descent on `loss()` by all weights of the networks."""
    variables = [variable for network in networks for variable in network.trainable_variables]
    values = [variable.value for variable in variables]
    with tf.GradientTape() as tape:
        value = loss()
    for variable, gradient in zip(variables, tape.gradient(value, values), strict=True):
        variable.assign(variable - rate * gradient)


def assert_same_weights(found, expected):
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def softplus(x):
    return np.log1p(np.exp(x))


def images(seed, channels, count=3, shape=(4, 4)):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, *shape, channels)).astype("float32")
