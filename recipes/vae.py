"""VAE (Kingma and Welling 2014): a variational autoencoder."""

import dataclasses
from typing import Literal

from kgen.models import VAE
from kgen.networks import convolutional_decoder, convolutional_encoder
from recipes import training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A convolutional variational autoencoder."""

    steps: int = 3000
    out: str = "runs/vae"
    latent_dim: int = 20
    """Size of the latents."""
    filters: int = 32
    """Maps of the networks' widest layers."""
    likelihood: Literal["bernoulli", "gaussian", "discretized_logistic"] = "bernoulli"
    """Distribution of the pixels given the latents."""
    beta: float = 1.0
    """Weight of the KL divergence; 1 is the evidence bound."""
    importance_samples: int = 1
    """Samples of the importance-weighted bound; 1 is the evidence bound."""
    learning_rate: float = 1e-3
    """Adam's step size."""


def build(config, image_shape):
    model = VAE(
        convolutional_encoder(image_shape, config.latent_dim, config.filters),
        convolutional_decoder(image_shape, config.latent_dim, config.filters, config.likelihood),
        likelihood=config.likelihood,
        beta=config.beta,
        importance_samples=config.importance_samples,
        seed=config.seed,
    )
    return training.compile_with_adam(model, config, learning_rate=config.learning_rate)


FAMILY = training.Family(held_out=training.held_out_images)


def run(config=Config()):
    """Trains and returns a `training.Result`; the history has `val_loss` on held-out images."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
