"""Conditional GAN (Mirza and Osindero 2014): a GAN that is told which class to make."""

import dataclasses
from typing import Literal

import numpy as np

import kgen.data
import kgen.metrics
from kgen.metrics.extractors.digits import FEATURES
from kgen.models import GAN
from kgen.networks import dcgan_discriminator, dcgan_generator
from recipes import conditional, training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A conditional GAN."""

    steps: int = 2500
    out: str = "runs/cgan"
    condition: Literal["concatenation", "projection", "auxiliary"] = "projection"
    """How the discriminator learns of the class: by a one-hot label (Mirza and Osindero 2014), a
    projection (Miyato and Koyama 2018), or as an auxiliary classifier (Odena et al. 2017)."""
    normalization: Literal["batch", "conditional_batch"] = "conditional_batch"
    """How the generator does: by labels beside the latents, or by batch norm of each class."""
    latent_dim: int = 100
    """Size of the latents."""
    filters: int = 64
    """Maps of the networks' widest layers."""
    kernel_size: int = 5
    """Side of the kernels in pixels."""
    learning_rate: float = 1e-3
    """Adam's step size for both players."""
    beta_1: float = 0.5
    """Adam's momentum for both players."""
    ema_momentum: float = 0.995
    """Momentum per round of the moving average of the generator's weights that samples use."""


def build(config, image_shape):
    classes = kgen.data.class_count(config.data, config.follow_links)
    model = GAN(
        dcgan_generator(
            image_shape,
            config.latent_dim,
            config.filters,
            config.kernel_size,
            classes,
            config.normalization,
        ),
        dcgan_discriminator(
            image_shape,
            config.filters,
            config.kernel_size,
            classes=classes,
            condition=config.condition,
        ),
        condition=config.condition,
        ema_momentum=config.ema_momentum,
        seed=config.seed,
    )
    return training.compile_with_adam(
        model, config, learning_rate=config.learning_rate, beta_1=config.beta_1
    )


def report(config, model, folder):
    """Writes rows of classes by columns of latents, and how samples match their labels.

    As many samples of each class as are held out, by a classifier of digits that has seen neither;
    their Frechet distance to the training images of the class, and that of the held-out ones.
    """
    conditional.save_classes(model, folder, conditional.class_names(config))
    if config.data not in conditional.DIGITS:
        return  # Nothing here knows the classes of other data.
    held_out, labels = conditional.held_out(config)
    samples = model.sample(len(labels), seed=config.seed, labels=labels)
    scores = {
        "label_agreement": conditional.digit_agreement(samples, labels),
        "label_agreement_of_held_out": conditional.digit_agreement(held_out, labels),
    }
    if np.bincount(labels).min() > FEATURES:
        extractor = kgen.metrics.extractor("digits")
        reference = conditional.held_out(config, split=config.split)
        reference = (extractor(reference[0]), reference[1])
        for suffix, images in (("", samples), ("_of_held_out", held_out)):
            distances = kgen.metrics.class_frechet_distances(extractor(images), labels, *reference)
            scores |= {f"{name}{suffix}": score for name, score in distances.items()}
    training.write_scores(folder, scores, model)


FAMILY = training.Family(load=conditional.labelled_images, report=report)


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
