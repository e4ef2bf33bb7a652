"""WGAN-GP (Gulrajani et al. 2017): a Wasserstein GAN with a gradient penalty."""

import dataclasses
from typing import Literal

from kgen.models import WGANGP
from kgen.networks import dcgan_discriminator, dcgan_generator, resnet_critic, resnet_generator
from recipes import training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A Wasserstein GAN with a gradient penalty."""

    steps: int = 1500
    out: str = "runs/wgan_gp"
    latent_dim: int = 128
    """Size of the latents; the paper's 128."""
    networks: Literal["convolutional", "residual"] = "convolutional"
    """DCGAN's, with layer norm in the critic, or the paper's residual ones, far slower."""
    filters: int = 32
    """Maps of the widest convolutions; in the paper's residual networks 128 at 32 x 32."""
    critic_updates: int = 5
    """Updates of the critic for each of the generator, each on its own batch; the paper's 5."""
    penalty_weight: float = 10.0
    """Weight of the gradient penalty; the paper's 10."""
    learning_rate: float = 5e-4
    """Adam's step size for both players; the paper's 1e-4 suits trainings 100 times as long."""
    ema_momentum: float = 0.98
    """Momentum per round of the moving average of the generator's weights that samples use."""


def build(config, image_shape):
    if config.networks == "residual":
        generator = resnet_generator(image_shape, config.latent_dim, config.filters)
        critic = resnet_critic(image_shape, config.filters)
    else:
        generator = dcgan_generator(image_shape, config.latent_dim, config.filters)
        critic = dcgan_discriminator(image_shape, config.filters, normalization="layer")
    model = WGANGP(
        generator,
        critic,
        critic_updates=config.critic_updates,
        penalty_weight=config.penalty_weight,
        ema_momentum=config.ema_momentum,
        seed=config.seed,
    )
    return training.compile_with_adam(
        model, config, learning_rate=config.learning_rate, beta_1=0.0, beta_2=0.9
    )


FAMILY = training.Family(updates=lambda config: config.critic_updates)


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
