"""InfoGAN (Chen et al. 2016): codes that come to mean something without any label."""

import dataclasses

import numpy as np

import kgen.metrics
import kgen.plotting
from kgen.models import InfoGAN
from kgen.networks import infogan_discriminator, infogan_generator
from recipes import conditional, training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A GAN that tells what its codes mean by maximising mutual information."""

    steps: int = 3000
    out: str = "runs/infogan"
    export: str = "saved_models/infogan"
    categories: list[int] = dataclasses.field(default_factory=lambda: [10])
    """How many values each categorical code has; the paper's one of 10."""
    continuous: int = 2
    """How many continuous codes there are; the paper's 2."""
    noise_dim: int = 62
    """Size of the noise beside the codes; the paper's 62."""
    categorical_weight: float = 1.0
    """Weight of the categorical codes' bound of the mutual information; the paper's 1."""
    continuous_weight: float = 0.1
    """Weight of the continuous codes' bound."""
    units: int = 512
    """Units of the dense layers; the paper's 1024."""
    filters: int = 32
    """Maps of the networks' widest layers; the paper's 64."""
    learning_rate: float = 2e-4
    """Adam's step size for the discriminator; the paper's 2e-4."""
    generator_learning_rate: float = 1e-3
    """Adam's step size for the generator; the paper's 1e-3."""
    beta_1: float = 0.5
    """Adam's momentum for both players; the paper's 0.5."""


def build(config, image_shape):
    codes = sum(config.categories) + config.continuous
    model = InfoGAN(
        infogan_generator(image_shape, config.noise_dim + codes, config.units, config.filters),
        infogan_discriminator(image_shape, codes, config.units, config.filters),
        categories=config.categories,
        continuous=config.continuous,
        categorical_weight=config.categorical_weight,
        continuous_weight=config.continuous_weight,
        seed=config.seed,
    )
    return training.compile_with_adam(
        model,
        config,
        learning_rate={
            "discriminator": config.learning_rate,
            "generator": config.generator_learning_rate,
        },
        beta_1=config.beta_1,
    )


def report(config, model, folder):
    """Writes a picture for each code, swept along the rows, and what the category has found."""
    for code in range(len(config.categories) + config.continuous):
        images, columns = sweep(model, code)
        kgen.plotting.save_grid(images, folder / f"code-{code}.png", columns)
    if not config.categories or not conditional.has_labels(config.data):
        return
    images, labels = conditional.held_out(config)
    found = np.argmax(model.encode(images)[:, : config.categories[0]], axis=1)
    conditional.write_scores(
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
