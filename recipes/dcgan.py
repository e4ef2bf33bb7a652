"""DCGAN (Radford et al. 2016): a deep convolutional GAN."""

import dataclasses
from typing import Literal

from kgen.models import GAN
from kgen.networks import dcgan_discriminator, dcgan_generator
from recipes import training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A deep convolutional GAN."""

    steps: int = 3000
    out: str = "runs/dcgan"
    latent_dim: int = 100
    """Size of the latents; the paper's 100."""
    latent_distribution: Literal["normal", "uniform"] = "normal"
    """Distribution of the latents; the paper's is uniform in [-1, 1]."""
    filters: int = 64
    """Maps of the networks' widest layers; the paper has 128 at 64 x 64."""
    kernel_size: int = 5
    """Side of the kernels in pixels; the paper's 5."""
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
    """Penalty of the discriminator; the paper's none. With one the discriminator has layer norm
    in place of batch norm, which a gradient penalty does not allow."""
    penalty_weight: float = 10.0
    """Weight of the penalty; 10 in the papers of all."""
    learning_rate: float = 1e-3
    """Adam's step size for both players; the paper's 2e-4 suits trainings ten times as long."""
    beta_1: float = 0.5
    """Adam's momentum for both players; the paper's 0.5."""
    ema_momentum: float = 0.995
    """Momentum per round of the moving average of the generator's weights that samples use."""


def build(config, image_shape):
    model = GAN(
        dcgan_generator(image_shape, config.latent_dim, config.filters, config.kernel_size),
        dcgan_discriminator(
            image_shape,
            config.filters,
            config.kernel_size,
            normalization="batch" if config.penalty == "none" else "layer",
        ),
        loss=config.loss,
        penalty=None if config.penalty == "none" else config.penalty,
        penalty_weight=config.penalty_weight,
        latent_distribution=config.latent_distribution,
        ema_momentum=config.ema_momentum,
        seed=config.seed,
    )
    return training.compile_with_adam(
        model, config, learning_rate=config.learning_rate, beta_1=config.beta_1
    )


FAMILY = training.Family()


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
