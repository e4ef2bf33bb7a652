"""Conditional VAE (Sohn et al. 2015): a variational autoencoder that is told the class."""

import dataclasses
from typing import Literal

import numpy as np

import kgen.data
import kgen.plotting
from kgen.models import VAE
from kgen.networks import convolutional_decoder, convolutional_encoder
from recipes import conditional, training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A convolutional variational autoencoder of labelled images."""

    steps: int = 3000
    out: str = "runs/cvae"
    latent_dim: int = 20
    """Size of the latents, beside the label."""
    filters: int = 32
    """Maps of the networks' widest layers."""
    likelihood: Literal["bernoulli", "gaussian", "discretized_logistic"] = "bernoulli"
    """Distribution of the pixels given latents and label."""
    learning_rate: float = 1e-3
    """Adam's step size."""


def build(config, image_shape):
    classes = kgen.data.class_count(config.data, config.follow_links)
    sizes = (image_shape, config.latent_dim, config.filters)
    model = VAE(
        convolutional_encoder(*sizes, classes=classes),
        convolutional_decoder(*sizes, likelihood=config.likelihood, classes=classes),
        likelihood=config.likelihood,
        seed=config.seed,
    )
    return training.compile_with_adam(model, config, learning_rate=config.learning_rate)


def report(config, model, folder):
    """Writes rows of classes, held-out images in every class, and how samples match their labels.

    As many samples of each class as are held out, by a classifier of digits that has seen neither.
    """
    conditional.save_classes(model, folder, conditional.class_names(config))
    held_out, labels = conditional.held_out(config)
    images, columns = analogies(model, *conditional.held_out(config, limit=10))
    kgen.plotting.save_grid(images, folder / "analogies.png", columns, clip=True)
    if config.data not in conditional.DIGITS:
        return  # Nothing here knows the classes of other data.
    samples = model.sample(len(labels), seed=config.seed, labels=labels)
    scores = {
        "label_agreement": conditional.digit_agreement(samples, labels),
        "label_agreement_of_held_out": conditional.digit_agreement(held_out, labels),
    }
    training.write_scores(folder, scores, model)


def analogies(model, images, labels):
    """Returns images, and after each of them what its latents are in every class.

    Kingma et al. 2014, figure 1, arXiv 1406.5298.

    Returns:
        Images `(count * columns, height, width, channels)`, and how many columns there are.
    """
    codes = np.repeat(model.encode(images, labels=labels), model.classes, axis=0)
    codes[:, -model.classes :] = np.tile(np.eye(model.classes), (len(images), 1))
    decoded = model.decode(codes).reshape(len(images), model.classes, *images.shape[1:])
    rows = np.concatenate([images[:, None], decoded], axis=1)  # (count, 1 + classes, ...)
    return rows.reshape(-1, *images.shape[1:]), 1 + model.classes


FAMILY = training.Family(
    load=conditional.labelled_images, report=report, held_out=conditional.held_out_images
)


def run(config=Config()):
    """Trains and returns a `training.Result`; the history has `val_loss` on held-out images."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
