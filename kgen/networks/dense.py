"""The fully connected pair of the first GAN (Goodfellow et al. 2014, arXiv 1406.2661)."""

import math

import keras
from keras import layers

from kgen.core.numbers import plain_arguments
from kgen.layers import Dropout, Maxout
from kgen.networks import conditioning, shapes


@plain_arguments
def dense_generator(image_shape, latent_dim=100, units=1200, classes=None):
    """Returns the generator: latents `(batch, latent_dim)` -> images in [-1, 1].

    With `classes` it takes `[latents, labels]`, labels being one-hot, `(batch, classes)`.

    Two hidden layers of rectified linear units, as in the configuration published with the paper.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: Size of the latents; 100 in the paper.
        units: Units of each hidden layer; 1200 in the paper's MNIST network.
        classes: How many, for a conditional generator; `None` for none.
    """
    shape = shapes.check_image_shape(image_shape)
    latents = keras.Input((latent_dim,), name="latents")
    labels = conditioning.labels_input(classes)
    x = conditioning.with_labels(latents, labels)
    x = layers.Dense(units, "relu", kernel_initializer=_init())(x)
    x = layers.Dense(units, "relu", kernel_initializer=_init())(x)
    x = layers.Dense(math.prod(shape), kernel_initializer=_init())(x)
    # Differs from the paper: tanh instead of sigmoid, as kgen's images lie in [-1, 1].
    x = layers.Activation("tanh", dtype="float32")(x)
    images = layers.Reshape(shape, dtype="float32", name="images")(x)
    return keras.Model(conditioning.inputs(latents, labels), images, name="generator")


@plain_arguments
def dense_discriminator(
    image_shape,
    units=240,
    pieces=5,
    dropout=0.5,
    input_dropout=0.2,
    classes=None,
    condition=None,
    max_norm=None,
):
    """Returns the discriminator: images in [-1, 1] -> logits `(batch, 1)`.

    With `condition` it is for `GAN(condition=...)` of the same name and knows of labels.

    Two hidden layers of maxout units with dropout, as in the configuration published with the
    paper.

    Args:
        image_shape: `(height, width, channels)`.
        units: Units of each hidden layer; 240 in the paper's MNIST network.
        pieces: Linear pieces of each maxout unit; 5 there.
        dropout: Rate of dropout before the later layers, in [0, 1); 0.5 there.
        input_dropout: Rate of dropout on the pixels, in [0, 1); 0.2 there.
        classes, condition: As of `dcgan_discriminator`.
        max_norm: Most that the norm of a unit's weights may be after an update, of each linear
            piece and of the output (`keras.constraints.MaxNorm`); the configuration published with
            the paper limits it to 1.9365. `None` for any.

    Raises:
        ValueError: If an argument is not of this form.
    """
    limit = _max_norm(max_norm)  # Differs from the paper: none by default.
    images = keras.Input(shapes.check_image_shape(image_shape), name="images")
    labels = conditioning.discriminator_labels(condition, classes)
    x = Dropout(input_dropout)(layers.Flatten()(images))
    x = conditioning.with_labels(x, labels if condition == "concatenation" else None)
    weights = {"kernel_constraint": limit}
    x = Maxout(units, pieces, kernel_initializer=_init(0.005), **weights)(x)
    x = Maxout(units, pieces, kernel_initializer=_init(0.005), **weights)(Dropout(dropout)(x))
    x = Dropout(dropout)(x)
    outputs = conditioning.judged(
        x, labels, classes, condition, initializer=lambda: _init(0.005), constraint=limit
    )
    return keras.Model(conditioning.inputs(images, labels), outputs, name="discriminator")


def _init(limit=0.05):
    return keras.initializers.RandomUniform(-limit, limit)


def _max_norm(limit):
    """The constraint of a unit's weights; `None` for none."""
    if limit is None:
        return None
    is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
    if not is_number or not 0.0 < limit < math.inf:
        raise ValueError(f"`max_norm` must be None or a positive number, received {limit!r}.")
    return keras.constraints.MaxNorm(limit)
