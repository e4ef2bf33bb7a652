"""The table of tiny systems that all common checks run over: one row a system or variant."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from kgen import models, networks

SHAPE = (8, 8, 1)

BATCH_NORM = "batch norm's statistics are those of one replica's rows"
BATCH_MEAN = "the relativistic loss and DRAGAN take means and deviations of one replica's rows"
DROPOUT = "Keras draws the same dropout mask on every replica"
DROPOUT_XLA = "Keras' dropout draws other numbers under XLA"


@dataclasses.dataclass(frozen=True)
class System:
    """How to make a system, a batch for one of its rounds, and checks known to fail and why."""

    make: Callable
    rows: int = 8
    known_failures: dict = dataclasses.field(default_factory=dict)

    def batch(self):
        # Smooth blobs: something to learn, unlike noise.
        rng = np.random.default_rng(0)
        x, y = np.meshgrid(np.linspace(-1, 1, SHAPE[1]), np.linspace(-1, 1, SHAPE[0]))
        centres = rng.uniform(-0.5, 0.5, (self.rows, 2, 1, 1))
        distances = (x - centres[:, 0]) ** 2 + (y - centres[:, 1]) ** 2
        return (2.0 * np.exp(-4.0 * distances) - 1.0).astype("float32")[..., None]


def dense_generator():
    return networks.dense_generator(SHAPE, latent_dim=4, units=16)


def smooth_critic(channels=1):
    """A critic without batch norm, dropout or kinks."""
    images = keras.Input((*SHAPE[:2], channels))
    x = keras.layers.Conv2D(4, 3, 2, "same", activation="tanh")(images)
    x = keras.layers.Dense(1, dtype="float32")(keras.layers.Flatten()(x))
    return keras.Model(images, x)


def dcgan():
    return models.GAN(
        networks.dcgan_generator(SHAPE, latent_dim=4, filters=4),
        networks.dcgan_discriminator(SHAPE, filters=4),
        ema_momentum=0.9,
    )


def first_gan():
    discriminator = networks.dense_discriminator(SHAPE, units=8, pieces=2)
    # So few units, as small as the paper starts its 240, would hardly pass a gradient on.
    discriminator.set_weights([20.0 * weight for weight in discriminator.get_weights()])
    return models.GAN(
        dense_generator(), discriminator, loss="minimax", latent_distribution="uniform"
    )


def packed_gan():
    return models.GAN(
        dense_generator(),
        smooth_critic(channels=2),
        loss="least_squares",
        penalty="gradient",
        packing=2,
        label_smoothing=0.1,
        instance_noise=0.1,
        augmentation=("color", "translation", "cutout"),
        share_fakes=False,
        discriminator_updates=2,
        ema_momentum=0.5,
    )


def relativistic_gan():
    return models.GAN(
        dense_generator(), smooth_critic(), loss="relativistic_average", penalty="dragan"
    )


def wasserstein_gan():
    return models.GAN(
        dense_generator(), smooth_critic(), loss="wasserstein", discriminator_updates=2
    )


def spectral_gan():
    return models.GAN(
        dense_generator(),
        networks.dcgan_discriminator(SHAPE, filters=4, normalization="spectral"),
        loss="hinge",
    )


def wgan_gp():
    return models.WGANGP(
        dense_generator(), networks.resnet_critic(SHAPE, filters=4), critic_updates=2
    )


def vae():
    return models.VAE(
        networks.convolutional_encoder(SHAPE, latent_dim=3, filters=4),
        networks.convolutional_decoder(SHAPE, latent_dim=3, filters=4),
        beta=2.0,
    )


def importance_weighted_vae():
    return models.VAE(
        networks.dense_encoder(SHAPE, latent_dim=3, units=8),
        networks.dense_decoder(SHAPE, 3, units=8, likelihood="discretized_logistic"),
        likelihood="discretized_logistic",
        importance_samples=3,
    )


SYSTEMS = {
    "dcgan": System(dcgan, known_failures={"two_replicas_match_one": BATCH_NORM}),
    "first_gan": System(
        first_gan,
        known_failures={"two_replicas_match_one": DROPOUT, "xla_matches_graph_mode": DROPOUT_XLA},
    ),
    "packed_gan": System(packed_gan),
    "relativistic_gan": System(
        relativistic_gan, known_failures={"two_replicas_match_one": BATCH_MEAN}
    ),
    "wasserstein_gan": System(wasserstein_gan),
    "spectral_gan": System(spectral_gan),
    "wgan_gp": System(wgan_gp),
    "vae": System(vae),
    "importance_weighted_vae": System(importance_weighted_vae),
}
