"""The recipes' networks in Keras' own layers, for the tutorials: the same weights and outputs."""

import keras
from keras import layers

from kgen.networks.shapes import halvings


def networks(system, config, image_shape):
    """Returns (generator, discriminator or critic), or (encoder, decoder)."""
    if system == "vae":
        return encoder(image_shape, config), decoder(image_shape, config)
    kernel_size = getattr(config, "kernel_size", 4)
    norm = layers.BatchNormalization
    if system == "wgan_gp":
        # What kgen's LayerNormalization is: all axes but the batch, a scale and offset a channel.
        def norm():
            return layers.GroupNormalization(groups=1, epsilon=1e-5)

    return (
        generator(image_shape, config, kernel_size),
        discriminator(image_shape, config, kernel_size, norm),
    )


def generator(image_shape, config, kernel_size):
    base, widths = _pyramid(image_shape, config.filters)
    kwargs = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
    latents = keras.Input((config.latent_dim,))
    units = base[0] * base[1] * base[2]
    x = layers.Reshape(base)(layers.Dense(units, use_bias=False, **kwargs)(latents))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for maps in widths[1:]:
        x = layers.Conv2DTranspose(maps, kernel_size, 2, "same", use_bias=False, **kwargs)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(image_shape[-1], kernel_size, 2, "same", **kwargs)(x)
    return keras.Model(latents, layers.Activation("tanh", dtype="float32")(x))


def discriminator(image_shape, config, kernel_size, norm):
    kwargs = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
    images = keras.Input(image_shape)
    x = images
    for stage in range(halvings(*image_shape[:2])):
        x = layers.Conv2D(config.filters * 2**stage, kernel_size, 2, "same", **kwargs)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(norm()(x) if stage else x)
    x = layers.Dense(1, **kwargs)(layers.Flatten()(x))
    return keras.Model(images, layers.Activation("linear", dtype="float32")(x))


def encoder(image_shape, config):
    images = keras.Input(image_shape)
    x = images
    for stage in range(halvings(*image_shape[:2])):
        x = layers.Conv2D(config.filters * 2**stage, 4, 2, "same", activation="relu")(x)
    x = layers.Dense(8 * config.filters, "relu")(layers.Flatten()(x))
    float32 = layers.Activation("linear", dtype="float32")
    outputs = [float32(layers.Dense(config.latent_dim)(x)) for _ in range(2)]
    return keras.Model(images, outputs)


def decoder(image_shape, config):
    base, widths = _pyramid(image_shape, config.filters)
    latents = keras.Input((config.latent_dim,))
    x = layers.Dense(8 * config.filters, "relu")(latents)
    x = layers.Dense(base[0] * base[1] * base[2], "relu")(x)
    x = layers.Reshape(base)(x)
    for maps in widths[1:]:
        x = layers.Conv2DTranspose(maps, 4, 2, "same", activation="relu")(x)
    x = layers.Conv2DTranspose(image_shape[-1], 4, 2, "same")(x)
    return keras.Model(latents, layers.Activation("linear", dtype="float32")(x))


def _pyramid(image_shape, filters):
    height, width, _ = image_shape
    stages = halvings(height, width)
    widths = [filters * 2**stage for stage in reversed(range(stages))]
    return (height // 2**stages, width // 2**stages, widths[0]), widths
