"""What the tables of autoencoders share: digits with labels, and a trained convolutional model."""

import dataclasses

import keras

import kgen.data
from kgen.models import Autoencoder
from kgen.networks import convolutional_decoder, convolutional_encoder
from recipes import conditional
from recipes.benchmark import trials
from recipes.benchmark.pictures import rows_of_images


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What decides the result of a trial of any of these tables."""

    data: str = "mnist5k"
    """`mnist5k`, or `tfds:mnist` for the published 60,000 digits."""
    latent_dim: int = 32
    filters: int = 32
    rounds: int = 20_000
    batch_size: int = 64
    learning_rate: float = 1e-3
    trials: int | None = 3
    seed: int = 0


def digits(protocol, split):
    """All digits of a split in order: images in [-1, 1] and labels, two arrays."""
    return conditional.arrays(protocol.data, split)


def encoder(protocol, shape):
    """A convolutional encoder without variance."""
    return convolutional_encoder(shape, protocol.latent_dim, protocol.filters, variational=False)


def trained(protocol, images, seed, system=Autoencoder, **arguments):
    """Returns an autoencoder of a kind that has learned images."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    shape = images.shape[1:]
    model = system(
        encoder(protocol, shape),
        convolutional_decoder(shape, protocol.latent_dim, protocol.filters),
        seed=seed,
        **arguments,
    )
    model.compile(keras.optimizers.Adam(protocol.learning_rate))
    batch_size = min(protocol.batch_size, len(images))
    stream = kgen.data.from_arrays(images, batch_size=batch_size, seed=seed)
    model.fit(stream, epochs=1, steps_per_epoch=protocol.rounds, verbose=0)
    trials.check_finite(model.reconstruct(images[:8]))
    return model


def said(protocol):
    """What all protocols say of the model."""
    return (
        f"Convolutional networks of {protocol.filters} and more filters, codes of "
        f"{protocol.latent_dim}; {protocol.rounds:,} rounds of {protocol.batch_size}, "
        f"Adam({protocol.learning_rate:g})"
    )


def draw(folder, table, summary):
    """Draws digits, and what each row's first trial has made of them."""
    left = [entry for entry in (trials.arrays(folder, row) for row in summary) if entry]
    rows = [left[0]["originals"], *(entry["images"] for entry in left)]
    return rows_of_images(folder / "picture.png", rows)
