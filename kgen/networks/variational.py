"""Encoders and decoders of autoencoders, variational or not, dense and convolutional."""

import math

import keras
from keras import layers

from kgen.core.arrays import is_one_of
from kgen.core.numbers import plain_arguments
from kgen.layers import ThinConv2DTranspose
from kgen.losses import LIKELIHOODS
from kgen.networks import conditioning, shapes


@plain_arguments
def dense_encoder(
    image_shape,
    latent_dim=20,
    units=500,
    hidden_layers=1,
    variational=True,
    activation=None,
    classes=None,
):
    """Returns an encoder: images in [-1, 1] -> (mean, log variance), each `(batch, latent_dim)`.

    If not `variational` it returns the code alone, `(batch, latent_dim)`, after an `activation`,
    such as `"sigmoid"`; `None` is none. With `classes` it takes `[images, labels]`, labels being
    one-hot, `(batch, classes)`, for a conditional `VAE`.

    A perceptron with tanh: one hidden layer of 500 units in Kingma and Welling 2014, appendix C,
    arXiv 1312.6114; two of 200 and 50 latents in Burda et al. 2016 (IWAE), section 5, arXiv
    1509.00519.
    """
    images = keras.Input(shapes.check_image_shape(image_shape), name="images")
    labels = conditioning.labels_input(classes)
    # The papers' pixels are 0 to 1: of -1 to 1, most of them -1, tanh is driven into saturation.
    x = layers.Rescaling(0.5, offset=0.5)(layers.Flatten()(images))
    x = conditioning.with_labels(x, labels)
    for _ in range(hidden_layers):
        x = layers.Dense(units, "tanh")(x)
    inputs = conditioning.inputs(images, labels)
    return _encoder(inputs, x, latent_dim, variational, activation)


@plain_arguments
def dense_decoder(
    image_shape,
    latent_dim=20,
    units=500,
    likelihood="bernoulli",
    hidden_layers=1,
    classes=None,
):
    """Returns a decoder: latents `(batch, latent_dim)` -> the parameters of `likelihood`.

    The mirror image of `dense_encoder`. The parameters are `(batch, height, width, channels)` for
    `"bernoulli"`, whose one output a channel suits any `Autoencoder`, with twice the channels for
    `"gaussian"` and `"discretized_logistic"`. With `classes` it takes `[latents, labels]`.
    """
    height, width, channels = shapes.check_image_shape(image_shape)
    shape = (height, width, _outputs(channels, likelihood))
    latents = keras.Input((latent_dim,), name="latents")
    labels = conditioning.labels_input(classes)
    x = conditioning.with_labels(latents, labels)
    for _ in range(hidden_layers):
        x = layers.Dense(units, "tanh")(x)
    x = layers.Reshape(shape)(layers.Dense(math.prod(shape))(x))
    return _decoder(conditioning.inputs(latents, labels), x)


@plain_arguments
def convolutional_encoder(
    image_shape,
    latent_dim=20,
    filters=32,
    variational=True,
    activation=None,
    classes=None,
    hidden_activation="relu",
):
    """Returns an encoder: images in [-1, 1] -> (mean, log variance), each `(batch, latent_dim)`.

    Convolutions of stride 2 down to 4 pixels or an odd number.

    Args:
        image_shape: `(height, width, channels)`; height and width divisible by 4.
        latent_dim: Size of the latents.
        filters: Maps of the first convolution; each further one has twice as many.
        variational, activation, classes: As of `dense_encoder`; labels come in after the
            convolutions.
        hidden_activation: Activation of the other layers, such as `"silu"`.
    """
    height, width, _ = shapes.check_image_shape(image_shape, divisor=4)
    images = keras.Input(image_shape, name="images")
    labels = conditioning.labels_input(classes)
    x = images
    for stage in range(shapes.halvings(height, width)):
        x = layers.Conv2D(filters * 2**stage, 4, 2, "same", activation=hidden_activation)(x)
    x = conditioning.with_labels(layers.Flatten()(x), labels)
    x = layers.Dense(8 * filters, hidden_activation)(x)
    inputs = conditioning.inputs(images, labels)
    return _encoder(inputs, x, latent_dim, variational, activation)


@plain_arguments
def convolutional_decoder(
    image_shape, latent_dim=20, filters=32, likelihood="bernoulli", classes=None
):
    """Returns a decoder: latents `(batch, latent_dim)` -> the parameters of `likelihood`.

    The mirror image of `convolutional_encoder`; the parameters' shape and `classes` are as in
    `dense_decoder`.
    """
    height, width, channels = shapes.check_image_shape(image_shape, divisor=4)
    stages = shapes.halvings(height, width)
    widths = [filters * 2**stage for stage in reversed(range(stages))]
    base = (height // 2**stages, width // 2**stages, widths[0])

    latents = keras.Input((latent_dim,), name="latents")
    labels = conditioning.labels_input(classes)
    x = layers.Dense(8 * filters, "relu")(conditioning.with_labels(latents, labels))
    x = layers.Reshape(base)(layers.Dense(math.prod(base), "relu")(x))
    for maps in widths[1:]:
        x = layers.Conv2DTranspose(maps, 4, 2, "same", activation="relu")(x)
    x = ThinConv2DTranspose(_outputs(channels, likelihood), 4, 2, "same")(x)
    return _decoder(conditioning.inputs(latents, labels), x)


def _encoder(inputs, x, latent_dim, variational, activation):
    if not variational:
        x = layers.Dense(latent_dim, name="code")(x)
        code = layers.Activation(activation or "linear", dtype="float32", name="float32")(x)
        return keras.Model(inputs, code, name="encoder")
    if activation is not None:
        raise ValueError(
            f"`activation` must be None with variational=True, received {activation!r}."
        )
    float32 = layers.Activation("linear", dtype="float32", name="float32")
    mean = layers.Dense(latent_dim, name="mean")(x)
    log_variance = layers.Dense(latent_dim, name="log_variance")(x)
    return keras.Model(inputs, [float32(mean), float32(log_variance)], name="encoder")


def _decoder(inputs, x):
    parameters = layers.Activation("linear", dtype="float32", name="parameters")(x)
    return keras.Model(inputs, parameters, name="decoder")


def _outputs(channels, likelihood):
    if not is_one_of(likelihood, LIKELIHOODS):
        raise ValueError(
            f"`likelihood` must be one of {sorted(LIKELIHOODS)}, received {likelihood!r}."
        )
    return channels * LIKELIHOODS[likelihood].outputs
