"""GAN (Goodfellow et al. 2014): the first one, of fully connected networks."""

import dataclasses

from kgen.models import GAN
from kgen.networks import dense_discriminator, dense_generator
from recipes import training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """The first GAN, of fully connected networks with maxout and dropout."""

    steps: int = 6000
    out: str = "runs/gan"
    export: str = "saved_models/gan"
    latent_dim: int = 100
    """Size of the latents, uniform in [-1, 1]; the paper's 100."""
    generator_units: int = 1200
    """Units of the generator's two hidden layers; the paper's 1200 on MNIST."""
    discriminator_units: int = 240
    """Maxout units of the discriminator's two hidden layers; the paper's 240 on MNIST."""
    learning_rate: float = 2e-4
    """Adam's step size for both players."""
    beta_1: float = 0.5
    """Adam's momentum for both players."""
    ema_momentum: float = 0.99
    """Momentum per round of the moving average of the generator's weights that samples use."""


def build(config, image_shape):
    model = GAN(
        dense_generator(image_shape, config.latent_dim, config.generator_units),
        dense_discriminator(image_shape, config.discriminator_units),
        loss="non_saturating",
        latent_distribution="uniform",
        ema_momentum=config.ema_momentum,
        seed=config.seed,
    )
    # Differs from the paper: Adam, which is younger, instead of gradient descent with momentum.
    return training.compile_with_adam(
        model, config, learning_rate=config.learning_rate, beta_1=config.beta_1
    )


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
