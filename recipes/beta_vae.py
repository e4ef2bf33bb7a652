"""Beta-VAE (Higgins et al. 2017): a variational autoencoder whose latents each say one thing."""

import dataclasses
import json

import numpy as np

import kgen.data
import kgen.metrics
import kgen.plotting
from kgen.core.whole_file import write_text
from kgen.latent import traverse
from kgen.models import BetaVAE
from kgen.networks import dense_decoder, dense_encoder
from recipes import training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A beta-VAE of dense networks."""

    data: str = "shapes"
    """Training images: shapes (one white shape on black, of known factors), mnist5k (28 x 28
    digits), a folder, an .npy or .npz file; whatever `kgen.data.load` takes."""
    image_size: int | tuple[int, int] | None = 32
    """Pixels to scale images to: one number for squares, or height and width; None for the data's
    own size."""
    steps: int = 8000
    out: str = "runs/beta_vae"
    latent_dim: int = 10
    """Size of the latents; the paper's 10."""
    units: int = 128
    """Units of each hidden layer; the paper's 1200."""
    hidden_layers: int = 2
    """Hidden layers of the encoder and of the decoder; the paper's 2 and 3."""
    beta: float = 4.0
    """Weight of the KL divergence, or with a capacity of its distance from that; the paper's 4."""
    capacity: float = 0.0
    """Nats that the latents are to say in the end (Burgess et al. 2018, with a beta of 1000 and 25
    nats); 0 for none, the loss of Higgins et al."""
    capacity_rounds: int = 6000
    """Rounds in which the capacity rises from 0."""
    learning_rate: float = 1e-3
    """Adam's step size."""


def build(config, image_shape):
    networks = {"units": config.units, "hidden_layers": config.hidden_layers}
    model = BetaVAE(
        dense_encoder(image_shape, config.latent_dim, **networks),
        dense_decoder(image_shape, config.latent_dim, **networks),
        beta=config.beta,
        capacity=config.capacity,
        capacity_rounds=config.capacity_rounds,
        seed=config.seed,
    )
    return training.compile_with_adam(model, config, learning_rate=config.learning_rate)


def report(config, model, folder):
    """Writes `traversal.png` and what its rows are, and of shapes, whose factors are known, scores.

    Each row of the picture is one dimension of the latents, moved along the row from -3 to 3; the
    first row is of the dimension that says most.
    """
    images = np.concatenate(list(training.held_out_images(config, "test", limit=500)))
    said = nats(model, images)
    order = np.argsort(-said)
    rows = traversal(model, images[0], order)
    kgen.plotting.save_grid(rows, folder / "traversal.png", COLUMNS, clip=True)
    rows = [{"dimension": int(i), "nats": float(said[i])} for i in order]
    write_text(folder / "traversal.json", json.dumps(rows, indent=2) + "\n")
    if config.data == "shapes":
        scores = kgen.metrics.disentanglement_scores(model, "shapes", images.shape[1:3])
        training.write_scores(folder, scores, model)


COLUMNS = 9  # Of the picture, from -3 to 3.


def nats(model, images):
    """Returns what each dimension says of images, its mean KL divergence in nats, `(d,)`."""
    mean, log_variance = (np.asarray(x) for x in model.encoder(images, training=False))
    return np.mean(0.5 * (np.expm1(log_variance) - log_variance + mean**2), axis=0)


def traversal(model, image, dimensions):
    """Returns images of the latents of `image` in which one dimension a row goes from -3 to 3.

    Returns:
        Images `(dimensions * COLUMNS, height, width, channels)`.
    """
    (latents,) = model.encode(image[None])
    rows = traverse(latents, dimensions, np.linspace(-3.0, 3.0, COLUMNS))
    return model.decode(rows.reshape(-1, rows.shape[-1]))


FAMILY = training.Family(report=report)


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
