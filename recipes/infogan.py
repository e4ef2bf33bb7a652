"""InfoGAN (Chen et al. 2016): codes that come to mean something without any label."""

import dataclasses
from typing import Literal

import numpy as np

import kgen.metrics
import kgen.plotting
from kgen.models import InfoGAN
from kgen.networks import dcgan_discriminator, dcgan_generator
from recipes import conditional, training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A GAN that tells what its codes mean by maximising mutual information."""

    steps: int = 4000
    out: str = "runs/infogan"
    categories: list[int] = dataclasses.field(default_factory=lambda: [10])
    """How many values each categorical code has; the paper's one of 10."""
    continuous: int = 2
    """How many continuous codes there are; the paper's 2."""
    noise_dim: int = 16
    """Size of the noise beside the codes; the paper's 62."""
    noise_scale: float = 0.3
    """What noise and continuous codes are multiplied by; the paper's 1. With less, the categories
    have more to say than they."""
    discriminator_augmentation: list[
        Literal["color", "translation", "cutout", "affine", "thickness"]
    ] = dataclasses.field(default_factory=lambda: ["affine", "thickness"])
    """How images are changed before they are judged, so that codes do not stand for slant, place or
    thickness of a stroke; the paper's none."""
    categorical_weight: float = 1.0
    """Weight of the categorical codes' bound of the mutual information; the paper's 1."""
    continuous_weight: float = 0.1
    """Weight of the continuous codes' bound."""
    filters: int = 64
    """Maps of the networks' widest layers; the paper's 64."""
    kernel_size: int = 5
    """Side of the kernels in pixels; the paper's 4."""
    auxiliary_units: int | None = None
    """Units of a hidden layer between the discriminator's features and the codes that it guesses;
    the paper's 128, None for none."""
    latent_distribution: Literal["normal", "uniform"] = "normal"
    """Distribution of the noise; the paper's is uniform."""
    learning_rate: float = 1e-3
    """Adam's step size for both players; the paper's 1e-3 for the generator."""
    discriminator_learning_rate: float | None = None
    """Adam's step size for the discriminator; None for learning_rate, the paper's 2e-4."""
    beta_1: float = 0.5
    """Adam's momentum for both players; the paper's 0.5."""
    ema_momentum: float = 0.995
    """Momentum per round of the moving average of the generator's weights that samples use."""


def build(config, image_shape):
    codes = sum(config.categories) + config.continuous
    model = InfoGAN(
        dcgan_generator(image_shape, config.noise_dim + codes, config.filters, config.kernel_size),
        dcgan_discriminator(
            image_shape,
            config.filters,
            config.kernel_size,
            classes=codes,
            condition="auxiliary",
            auxiliary_units=config.auxiliary_units,
        ),
        categories=config.categories,
        continuous=config.continuous,
        categorical_weight=config.categorical_weight,
        continuous_weight=config.continuous_weight,
        noise_scale=config.noise_scale,
        augmentation=config.discriminator_augmentation or None,
        latent_distribution=config.latent_distribution,
        ema_momentum=config.ema_momentum,
        seed=config.seed,
    )
    own = config.discriminator_learning_rate
    rates = {
        "generator": config.learning_rate,
        "discriminator": config.learning_rate if own is None else own,
    }
    return training.compile_with_adam(model, config, learning_rate=rates, beta_1=config.beta_1)


def report(config, model, folder):
    """Writes a picture for each code, swept along the rows, and what the category has found."""
    for code in range(len(config.categories) + config.continuous):
        images, columns = sweep(model, code)
        kgen.plotting.save_grid(images, folder / f"code-{code}.png", columns, clip=True)
    if not config.categories or not conditional.has_labels(config.data, config.follow_links):
        return
    images, labels = conditional.held_out(config)
    found = np.argmax(model.encode(images)[:, : config.categories[0]], axis=1)
    training.write_scores(
        folder, {"cluster_agreement": kgen.metrics.cluster_agreement(found, labels)}, model
    )


def sweep(model, code, rows=10, columns=10, seed=0):
    """Returns images in which one code changes from column to column, and nothing else in a row.

    Returns:
        Images `(rows * columns, ...)`, and how many columns there are: as many as a categorical
        code has values; a continuous one goes from -2 to 2, twice as far as in training.
    """
    categorical = code < len(model.categories)
    columns = model.categories[code] if categorical else columns
    values = np.arange(columns) if categorical else np.linspace(-2.0, 2.0, columns)
    latents = np.repeat(model.latents(rows, seed), columns, axis=0)
    return model.decode(model.with_code(latents, code, np.tile(values, rows))), columns


FAMILY = training.Family(report=report)


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
