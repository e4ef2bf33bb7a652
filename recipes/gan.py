"""GAN (Goodfellow et al. 2014): the first one, of fully connected networks."""

import dataclasses
from typing import Literal

from kgen.models import GAN
from kgen.networks import dense_discriminator, dense_generator
from recipes import training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """The first GAN, of fully connected networks with maxout and dropout."""

    steps: int = 6000
    out: str = "runs/gan"
    latent_dim: int = 100
    """Size of the latents; the paper's 100."""
    latent_distribution: Literal["normal", "uniform"] = "uniform"
    """Distribution of the latents; the paper's is uniform in [-1, 1]."""
    generator_units: int = 1200
    """Units of the generator's two hidden layers; the paper's 1200 on MNIST."""
    discriminator_units: int = 240
    """Maxout units of the discriminator's two hidden layers; the paper's 240 on MNIST."""
    max_norm: float | None = None
    """Most that the norm of a unit's weights may be in the discriminator; None for any. The paper's
    configuration has 1.9365."""
    loss: Literal[
        "minimax",
        "non_saturating",
        "least_squares",
        "wasserstein",
        "hinge",
        "relativistic_average",
    ] = "non_saturating"
    """The adversarial loss; the paper's is non_saturating."""
    penalty: Literal["none", "gradient", "dragan", "r1", "r2"] = "none"
    """Penalty of the discriminator; the paper's none."""
    penalty_weight: float = 10.0
    """Weight of the penalty; 10 in the papers of all."""
    learning_rate: float = 2e-4
    """Adam's step size for both players."""
    beta_1: float = 0.5
    """Adam's momentum for both players."""
    ema_momentum: float = 0.99
    """Momentum per round of the moving average of the generator's weights that samples use."""


def build(config, image_shape):
    model = GAN(
        dense_generator(image_shape, config.latent_dim, config.generator_units),
        dense_discriminator(image_shape, config.discriminator_units, max_norm=config.max_norm),
        loss=config.loss,
        penalty=None if config.penalty == "none" else config.penalty,
        penalty_weight=config.penalty_weight,
        latent_distribution=config.latent_distribution,
        ema_momentum=config.ema_momentum,
        seed=config.seed,
    )
    # Differs from the paper: Adam, which is younger, instead of gradient descent with momentum.
    return training.compile_with_adam(
        model, config, learning_rate=config.learning_rate, beta_1=config.beta_1
    )


FAMILY = training.Family()


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
