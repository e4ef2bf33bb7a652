"""What `python -m recipes.tune` searches for, unless told otherwise: a space for each recipe."""

import dataclasses

from kgen.tuning import Float, Int
from recipes import (
    autoencoder,
    beta_vae,
    biggan,
    cgan,
    cvae,
    cyclegan,
    dcgan,
    gan,
    infogan,
    pix2pix,
    progan,
    srgan,
    stylegan,
    vae,
    wgan_gp,
)

RATE = Float(1e-4, 5e-3, log=True)
BETA_1 = [0.0, 0.5, 0.9]
WEIGHT = Float(0.1, 100.0, log=True)


@dataclasses.dataclass(frozen=True)
class Searched:
    """How a recipe is searched.

    Attributes:
        recipe: The recipe's module.
        objective: Name of the objective.
        space: Dict from names of fields to ranges, see `kgen.tuning.hypermodel`.
    """

    recipe: object
    objective: str
    space: dict


def _filters(low, high):
    return Int(low, high, log=True, step=2)


RECIPES = {
    "autoencoder": Searched(
        autoencoder,
        "val_psnr",
        {
            "learning_rate": RATE,
            "latent_dim": Int(8, 64, log=True, step=2),
            "filters": _filters(16, 64),
            "reconstruction": "all",
        },
    ),
    "dcgan": Searched(
        dcgan,
        "val_frechet",
        {
            "learning_rate": RATE,
            "beta_1": BETA_1,
            "filters": _filters(16, 64),
            "loss": "all",
            "penalty": "all",
            "penalty_weight": WEIGHT,
            "ema_momentum": [0.98, 0.995, 0.999],
        },
    ),
    "gan": Searched(
        gan,
        "val_frechet",
        {
            "learning_rate": RATE,
            "beta_1": BETA_1,
            "generator_units": _filters(300, 1200),
            "discriminator_units": _filters(60, 240),
            "loss": "all",
            "penalty": "all",
            "penalty_weight": WEIGHT,
        },
    ),
    "wgan_gp": Searched(
        wgan_gp,
        "val_frechet",
        {
            "learning_rate": RATE,
            "filters": _filters(16, 64),
            "critic_updates": Int(1, 5),
            "penalty_weight": WEIGHT,
            "ema_momentum": [0.95, 0.98, 0.995],
        },
    ),
    "vae": Searched(
        vae,
        "val_nll",
        {
            "learning_rate": RATE,
            "filters": _filters(16, 64),
            "latent_dim": Int(5, 80, log=True, step=2),
            "importance_samples": [1, 5],
        },
    ),
    "beta_vae": Searched(
        beta_vae,
        "val_nll",
        {
            "learning_rate": RATE,
            "latent_dim": Int(5, 20, log=True, step=2),
            "units": _filters(64, 512),
            "hidden_layers": Int(1, 3),
        },
    ),
    "cvae": Searched(
        cvae,
        "val_nll",
        {
            "learning_rate": RATE,
            "filters": _filters(16, 64),
            "latent_dim": Int(5, 80, log=True, step=2),
        },
    ),
    "cgan": Searched(
        cgan,
        "val_frechet",
        {
            "learning_rate": RATE,
            "beta_1": BETA_1,
            "filters": _filters(16, 64),
            "condition": "all",
            "normalization": "all",
        },
    ),
    "infogan": Searched(
        infogan,
        "val_frechet",
        {
            "learning_rate": RATE,
            "filters": _filters(16, 64),
            "noise_dim": Int(8, 64, log=True, step=2),
            "noise_scale": Float(0.1, 1.0, log=True),
            "continuous_weight": Float(0.01, 1.0, log=True),
        },
    ),
    "biggan": Searched(
        biggan,
        "val_frechet",
        {
            "model": "all",
            "filters": _filters(8, 32),
            "generator_learning_rate": Float(5e-5, 2e-3, log=True),
            "discriminator_learning_rate": Float(1e-4, 5e-3, log=True),
            "discriminator_updates": [1, 2],
            "beta_2": [0.9, 0.99, 0.999],
            "orthogonal_weight": Float(1e-5, 1e-2, log=True),
        },
    ),
    "progan": Searched(
        progan,
        "val_frechet",
        {
            "learning_rate": RATE,
            "filters": _filters(8, 32),
            "progressive": "all",
            "penalty_weight": WEIGHT,
            "drift_weight": [0.0, 1e-3, 1e-2],
        },
    ),
    "stylegan": Searched(
        stylegan,
        "val_frechet",
        {
            "learning_rate": RATE,
            "filters": _filters(8, 32),
            "objective": "all",
            "penalty_weight": WEIGHT,
            "mapping_depth": Int(1, 8),
            "mapping_multiplier": Float(1e-3, 1.0, log=True),
            "mixing": [0.0, 0.5, 0.9],
        },
    ),
    "pix2pix": Searched(
        pix2pix,
        "val_psnr",
        {
            "learning_rate": RATE,
            "filters": _filters(16, 64),
            "objective": ["both", "reconstruction"],
            "reconstruction_weight": Float(1.0, 1000.0, log=True),
            "receptive_field": ["1", "7", "16", "image"],
            "dropout": [0.0, 0.5],
        },
    ),
    "cyclegan": Searched(
        cyclegan,
        "val_frechet",
        {
            "learning_rate": RATE,
            "filters": _filters(12, 48),
            "blocks": Int(1, 6),
            "cycle_weight": Float(1.0, 30.0, log=True),
            "identity_weight": [0.0, 0.5, 1.0],
        },
    ),
    "srgan": Searched(
        srgan,
        "val_psnr",
        {
            "learning_rate": RATE,
            "filters": _filters(16, 64),
            "blocks": Int(2, 8),
            "objective": "all",
            "adversarial_weight": Float(1e-4, 1e-1, log=True),
        },
    ),
}
