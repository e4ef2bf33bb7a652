"""Autoencoders (Rumelhart et al. 1986; Vincent et al. 2008; Rifai et al. 2011) of images."""

import dataclasses
from typing import Literal

import numpy as np

import kgen.callbacks
import kgen.data
import kgen.plotting
from kgen.metrics import code_scores
from kgen.metrics.similarity import named_similarity_scores
from kgen.models import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
)
from kgen.networks import (
    convolutional_decoder,
    convolutional_encoder,
    dense_decoder,
    dense_encoder,
)
from recipes import training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """An autoencoder: plain, denoising, sparse or contractive."""

    steps: int = 3000
    out: str = "runs/autoencoder"
    kind: Literal["plain", "denoising", "sparse", "contractive"] = "plain"
    """What is asked of the code: to be small, to come from corrupted images, to be sparse, or to
    move little."""
    networks: Literal["convolutional", "dense"] = "convolutional"
    """The networks' family; dense ones have one hidden layer."""
    latent_dim: int = 32
    """Size of the code."""
    filters: int = 32
    """Maps of the first convolution."""
    units: int = 500
    """Units of the hidden layer of dense networks."""
    reconstruction: Literal["l2", "l1", "bernoulli"] = "l2"
    """Error of the reconstruction: squared, absolute, or the cross-entropy of pixels in [0, 1]."""
    corruption: Literal["gaussian", "masking", "salt_and_pepper"] = "gaussian"
    """Of a denoising one what images are corrupted by."""
    amount: float = 0.5
    """Of a denoising one the noise's deviation in units of [-1, 1], or the share of pixels."""
    sparsity: Literal["kl", "l1"] = "kl"
    """Of a sparse one the penalty: on units that are active too often, or on all activity."""
    sparsity_weight: float | None = None
    """Of a sparse one the weight of the penalty; None for Ng's 3 in units of the loss, which is 24
    for kl and l2, and for 0.1 of l1."""
    target: float = 0.05
    """Of a sparse one the mean activation that kl asks for."""
    contraction_weight: float = 0.1
    """Of a contractive one the weight of the code's squared Jacobian."""
    projections: int | None = 4
    """Of a contractive one how many random directions estimate the Jacobian; None for all of it."""
    learning_rate: float = 1e-3
    """Adam's step size."""


# Of which fields each kind's class has arguments.
KINDS = {
    "plain": (Autoencoder, ()),
    "denoising": (DenoisingAutoencoder, ("corruption", "amount")),
    "sparse": (SparseAutoencoder, ("sparsity", "sparsity_weight", "target")),
    "contractive": (ContractiveAutoencoder, ("contraction_weight", "projections")),
}


def build(config, image_shape):
    system, arguments = KINDS[config.kind]
    is_dense = config.networks == "dense"
    # Codes in [0, 1], of units that are on or off, where papers have such. Of convolutions a
    # contractive code's sigmoids saturate in the first rounds, and nothing pulls them back.
    has_sigmoid = config.kind == "sparse" or (config.kind == "contractive" and is_dense)
    activation = "sigmoid" if has_sigmoid else None
    if config.kind == "sparse" and config.sparsity == "l1":
        # On all activity sigmoids saturate in the first rounds, half of them at 1: no unit lives.
        activation = "relu"
    settings = {"variational": False, "activation": activation}
    if is_dense:
        size, encoder, decoder = config.units, dense_encoder, dense_decoder
    else:
        size, encoder, decoder = config.filters, convolutional_encoder, convolutional_decoder
        if config.kind == "contractive":
            # Of ReLUs the Jacobian is small at an image and says nothing of the next kink.
            settings["hidden_activation"] = "silu"
    model = system(
        encoder(image_shape, config.latent_dim, size, **settings),
        decoder(image_shape, config.latent_dim, size),
        config.reconstruction,
        **{name: getattr(config, name) for name in arguments},
        seed=config.seed,
    )
    return training.compile_with_adam(model, config, learning_rate=config.learning_rate)


def held_out(config, split, count):
    """At most so many images of a split."""
    return np.concatenate(list(training.held_out_images(config, split, limit=count)))


def pictures(config, paths):
    return kgen.callbacks.ReconstructionGrid(
        paths.samples,
        held_out(config, training.split_to_show(config), 8),
        config.sample_every,
    )


def report(config, model, folder):
    """Writes reconstructions of held-out images, how near they are, and what the code is like."""
    images = held_out(config, "test", 1000)
    inputs = model.corrupt(images, seed=0) if config.kind == "denoising" else images
    outputs = model.reconstruct(inputs)
    path = folder / "reconstructions.png"
    kgen.plotting.before_after(inputs, outputs, images, path=path, clip=True)
    scores = named_similarity_scores(("l1", "psnr"), outputs, images, seed=config.seed)
    if config.kind == "denoising":
        noisy = np.clip(inputs, -1.0, 1.0)
        of_inputs = named_similarity_scores(("l1", "psnr"), noisy, images, seed=config.seed)
        scores |= {f"{name}_of_inputs": score for name, score in of_inputs.items()}
    scores |= code_scores(model, images[:200], seed=config.seed)
    training.write_scores(folder, scores, model)


FAMILY = training.Family(pictures=pictures, report=report, held_out=training.held_out_images)


def run(config=Config()):
    """Trains and returns a `training.Result`; the history has `val_loss` on held-out images."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
