"""BigGAN (Brock et al. 2019) and SAGAN (Zhang et al. 2019): attention, and classes told often."""

import dataclasses
from typing import Literal

import numpy as np

import kgen.data
import kgen.metrics
import kgen.plotting
from kgen.models import SAGAN, BigGAN
from kgen.networks import biggan_discriminator, biggan_generator
from recipes import conditional, training

# How much the latents of the report's pictures and scores are truncated.
TRUNCATIONS = (2.0, 1.5, 1.0, 0.5, 0.04)


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A conditional GAN with self-attention."""

    steps: int = 2000
    out: str = "runs/biggan"
    image_size: int | tuple[int, int] | None = 32
    """Pixels to scale images to: one number for squares, or height and width; None for the data's
    own size."""
    model: Literal["biggan", "sagan"] = "biggan"
    """BigGAN; or SAGAN, which is told classes by batch norm alone and has no truncation."""
    latent_dim: int = 120
    """Size of the latents; of BigGAN divisible by the number of the generator's blocks and 1."""
    embedding_dim: int = 128
    """Size of BigGAN's shared embedding of the classes; the paper's 128."""
    filters: int = 16
    """Maps of the networks' outer blocks, which inner ones double; the paper's 96."""
    attention_size: int | Literal["auto", "none"] = "auto"
    """Height of the maps that self-attention sees; auto: half of the image's."""
    orthogonal_weight: float = 1e-4
    """Weight of BigGAN's orthogonal regularisation; the paper's 1e-4."""
    discriminator_updates: int = 1
    """Discriminator's updates per generator's update; BigGAN's 2, SAGAN's 1."""
    generator_learning_rate: float = 5e-4
    """Adam's step size for the generator; BigGAN's 5e-5, SAGAN's 1e-4."""
    discriminator_learning_rate: float = 2e-3
    """Adam's step size for the discriminator; BigGAN's 2e-4, SAGAN's 4e-4."""
    beta_2: float = 0.999
    """Adam's second momentum for both players; BigGAN's 0.999, SAGAN's 0.9. The first is 0."""
    ema_momentum: float = 0.995
    """Momentum per round of the moving average of the generator's weights that samples use."""


def build(config, image_shape):
    classes = kgen.data.class_count(config.data, config.follow_links)
    attention_size = None if config.attention_size == "none" else config.attention_size
    is_biggan = config.model == "biggan"
    generator = biggan_generator(
        image_shape,
        classes,
        config.latent_dim,
        config.filters,
        attention_size,
        config.embedding_dim,
        hierarchical=is_biggan,
        shared_embedding=is_biggan,
    )
    system = BigGAN if is_biggan else SAGAN
    model = system(
        generator,
        biggan_discriminator(image_shape, classes, config.filters, attention_size),
        discriminator_updates=config.discriminator_updates,
        ema_momentum=config.ema_momentum,
        seed=config.seed,
        **({"orthogonal_weight": config.orthogonal_weight} if is_biggan else {}),
    )
    rates = {
        "generator": config.generator_learning_rate,
        "discriminator": config.discriminator_learning_rate,
    }
    return training.compile_with_adam(
        model, config, learning_rate=rates, beta_1=0.0, beta_2=config.beta_2
    )


def report(config, model, folder):
    """Writes rows of classes, and what truncation gives and takes: fidelity, and variety.

    As many samples of each class as are held out: how they agree with their labels, by a classifier
    of digits, and their Frechet distance, precision and recall against the held-out images. The
    samples of all truncations are of the same seed.
    """
    conditional.save_classes(model, folder, conditional.class_names(config))
    truncations = TRUNCATIONS if config.model == "biggan" else ()
    if truncations:
        labels = np.arange(10) % model.classes
        rows = [model.sample(10, seed=0, labels=labels, truncation=t) for t in truncations]
        kgen.plotting.save_grid(np.concatenate(rows), folder / "truncation.png", 10, clip=True)
    if config.data not in conditional.DIGITS:
        return  # Nothing here knows the classes of other data.
    held_out, labels = conditional.held_out(config)
    evaluation = kgen.metrics.Evaluation(
        config.data, ("frechet", "precision", "recall"), "digits", image_size=config.image_size
    )
    scores = {"label_agreement_of_held_out": conditional.digit_agreement(held_out, labels)}
    for truncation in (None, *truncations):
        options, suffix = {}, ""
        if truncation is not None:
            options, suffix = {"truncation": truncation}, f"_truncation_{truncation:g}"
        samples = model.sample(len(labels), seed=config.seed, labels=labels, **options)
        found = {"label_agreement": conditional.digit_agreement(samples, labels)}
        found |= evaluation.of(samples)
        scores |= {f"{name}{suffix}": score for name, score in found.items()}
    training.write_scores(folder, scores, model)


FAMILY = training.Family(
    load=conditional.labelled_images,
    report=report,
    updates=lambda config: config.discriminator_updates,
)


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
