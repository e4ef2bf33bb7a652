"""A small residual pair, after that of WGAN-GP (Gulrajani et al. 2017, arXiv 1704.00028)."""

import keras
from keras import layers

from kgen.core.numbers import plain_arguments
from kgen.layers import LayerNormalization
from kgen.networks import conditioning, shapes


@plain_arguments
def resnet_generator(image_shape, latent_dim=128, filters=64, classes=None, normalization="batch"):
    """Returns the generator: latents `(batch, latent_dim)` -> images in [-1, 1].

    With `classes` it takes `[latents, labels]`, labels being one-hot, `(batch, classes)`.

    Residual blocks that double height and width by repetition, with batch norm.

    Args:
        image_shape: `(height, width, channels)`; height and width divisible by 4.
        latent_dim: Size of the latents; 128 in the paper.
        filters: Maps of every convolution; 128 in the paper's 32 x 32 network.
        classes, normalization: As of `dcgan_generator`.

    Raises:
        ValueError: If an argument is not of this form.
    """
    conditioning.check_generator_norm(normalization, classes)
    height, width, channels = shapes.check_image_shape(image_shape, divisor=4)
    stages = shapes.halvings(height, width)
    base = (height // 2**stages, width // 2**stages, filters)

    latents = keras.Input((latent_dim,), name="latents")
    labels = conditioning.labels_input(classes)
    norm = conditioning.generator_norm(normalization, labels)
    x = latents if normalization != "batch" else conditioning.with_labels(latents, labels)
    x = layers.Dense(base[0] * base[1] * base[2], kernel_initializer="he_normal")(x)
    x = layers.Reshape(base)(x)
    for _ in range(stages):
        x = _up_block(x, filters, norm)  # Height and width doubled.
    x = layers.ReLU()(norm(x))
    x = _convolution(channels)(x)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(conditioning.inputs(latents, labels), images, name="generator")


@plain_arguments
def resnet_critic(image_shape, filters=64, classes=None, condition=None):
    """Returns the critic: images in [-1, 1] -> scores `(batch, 1)`.

    With `condition` it is for `GAN(condition=...)` of the same name and knows of labels.

    Residual blocks that halve height and width by average pooling, with layer norm, which the paper
    (section 4) recommends in place of batch norm: the penalty is on each image's own gradient.

    Args:
        image_shape: `(height, width, channels)`; height and width divisible by 4.
        filters: Maps of every convolution; 128 in the paper's 32 x 32 network.
        classes, condition: As of `dcgan_discriminator`.

    Raises:
        ValueError: If an argument is not of this form.
    """
    height, width, _ = shapes.check_image_shape(image_shape, divisor=4)
    images = keras.Input(image_shape, name="images")
    labels = conditioning.discriminator_labels(condition, classes)
    x = conditioning.with_label_maps(images, labels) if condition == "concatenation" else images
    x = _convolution(filters)(x)
    for _ in range(shapes.halvings(height, width)):
        x = _down_block(x, filters)  # Height and width halved.
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(LayerNormalization()(x)))
    scores = conditioning.judged(x, labels, classes, condition, initializer=lambda: "he_normal")
    return keras.Model(conditioning.inputs(images, labels), scores, name="critic")


def _up_block(x, filters, norm):
    y = layers.ReLU()(norm(x))
    y = _convolution(filters)(layers.UpSampling2D()(y))
    y = _convolution(filters)(layers.ReLU()(norm(y)))
    return layers.Add()([y, layers.UpSampling2D()(x)])


def _down_block(x, filters):
    y = _convolution(filters)(layers.ReLU()(LayerNormalization()(x)))
    y = _convolution(filters)(layers.ReLU()(LayerNormalization()(y)))
    return layers.Add()([layers.AveragePooling2D(2)(y), layers.AveragePooling2D(2)(x)])


def _convolution(filters):
    return layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")
