"""ProGAN (Karras et al. 2018): a GAN that grows from 4 x 4 pixels to its full size."""

import dataclasses

from kgen.models import ProGAN
from kgen.networks import ProgressiveDiscriminator, ProgressiveGenerator
from recipes import growing, training


@dataclasses.dataclass(frozen=True)
class Config(growing.Config):
    """A GAN that grows while it trains."""

    out: str = "runs/progan"
    penalty_weight: float = 10.0
    """Weight of the gradient penalty; the paper's 10."""
    drift_weight: float = 1e-3
    """Weight of the critic's squared scores of real images; the paper's 0.001."""


def build(config, image_shape):
    sizes = {"filters": config.filters, "max_filters": config.max_filters}
    generator = ProgressiveGenerator(image_shape, config.latent_dim, **sizes)
    model = ProGAN(
        generator,
        ProgressiveDiscriminator(image_shape, **sizes),
        **growing.schedule(config, generator),
        penalty_weight=config.penalty_weight,
        drift_weight=config.drift_weight,
        ema_momentum=config.ema_momentum,
        seed=config.seed,
    )
    return growing.compiled(model, config)


def report(config, model, folder):
    """Writes how samples compare with held-out images."""
    scores = growing.scores(config, {"": lambda count: model.sample(count, seed=config.seed)})
    training.write_scores(folder, scores, model)


FAMILY = training.Family(report=report)


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
