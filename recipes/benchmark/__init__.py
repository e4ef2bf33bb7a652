"""Published tables of small scale, run again: `python -m recipes.benchmark <name>`."""

import dataclasses

from recipes.benchmark import (
    anomaly,
    compression,
    denoising,
    disentanglement,
    losses,
    mixtures,
    pix2pix,
    pretraining,
    stacked_mnist,
    style,
    table,
    vae,
)


@dataclasses.dataclass(frozen=True)
class Ring(table.Config):
    """PacGAN's ring of 8 Gaussians: modes kept by each loss, penalty and packing."""


@dataclasses.dataclass(frozen=True)
class Grid(table.Config):
    """PacGAN's grid of 25 Gaussians: modes kept by each loss, penalty and packing."""


@dataclasses.dataclass(frozen=True)
class StackedMnist(table.Config):
    """PacGAN's stacked MNIST: modes of 1,000 that a GAN reaches."""


@dataclasses.dataclass(frozen=True)
class Losses(table.Config):
    """Every loss and penalty of GAN on mnist5k, with one network and one budget."""


@dataclasses.dataclass(frozen=True)
class Vae(table.Config):
    """-log p(x) of VAE and IWAE on binarised digits."""

    data: str = "mnist5k"
    """Digits: mnist5k, or tfds:mnist for the published 60,000, which has to be downloaded."""


@dataclasses.dataclass(frozen=True)
class Pix2Pix(table.Config):
    """L1, cGAN, both, and the patch sizes of pix2pix on held-out images."""

    data: str = "photos"
    """Images to make of their degraded versions: photos, mnist5k or a folder."""
    degradation: str = "edges"
    """How inputs are made of them; a name of `kgen.data.pairs`."""


@dataclasses.dataclass(frozen=True)
class Style(table.Config):
    """Growing, StyleGAN's parts and truncation, at equal training images."""


@dataclasses.dataclass(frozen=True)
class Compression(table.Config):
    """Autoencoders against principal components, by the size of the code."""

    data: str = "mnist5k"
    """Digits: mnist5k, or tfds:mnist for all 60,000, which has to be downloaded."""


@dataclasses.dataclass(frozen=True)
class Denoising(table.Config):
    """Denoising autoencoders against a median filter."""

    data: str = "mnist5k"
    """Digits: mnist5k, or tfds:mnist for all 60,000, which has to be downloaded."""


@dataclasses.dataclass(frozen=True)
class Anomaly(table.Config):
    """One-class digits: which digits are not of the class that a model has learned."""

    data: str = "mnist5k"
    """Digits: mnist5k, or tfds:mnist for all 60,000, which has to be downloaded."""


@dataclasses.dataclass(frozen=True)
class Pretraining(table.Config):
    """A classifier of few labels that starts from an autoencoder, or from random weights."""

    data: str = "mnist5k"
    """Digits: mnist5k, or tfds:mnist for all 60,000, which has to be downloaded."""


@dataclasses.dataclass(frozen=True)
class Disentanglement(table.Config):
    """How far each latent of VAE and beta-VAE stands for one factor of shapes."""


TABLES = {
    Ring: mixtures.RING,
    Grid: mixtures.GRID,
    StackedMnist: stacked_mnist.STACKED_MNIST,
    Losses: losses.LOSSES,
    Vae: vae.VAES,
    Pix2Pix: pix2pix.PIX2PIX,
    Style: style.STYLE,
    Compression: compression.COMPRESSION,
    Denoising: denoising.DENOISING,
    Anomaly: anomaly.ANOMALY,
    Pretraining: pretraining.PRETRAINING,
    Disentanglement: disentanglement.DISENTANGLEMENT,
}


def run(config, protocol=None):
    """Runs what is missing of a table, prints it and writes it.

    Args:
        config: `Ring`, `Grid` and so on.
        protocol: `Protocol` of the table's module to run in place of its full or small one.

    Returns:
        A `table.Result`.

    Raises:
        ValueError: If a field is not as described, or the folder holds another protocol's trials.
    """
    return table.run(TABLES[type(config)], config, protocol)
