"""How far each latent stands for one factor of shapes whose factors are known: beta-VAE and VAE.

Higgins et al. 2017 (beta-VAE), table 1; Burgess et al. 2018 (its capacity), arXiv 1804.03599.
"""

import dataclasses
import math

import keras
import numpy as np

import kgen.data
import kgen.metrics
from kgen.models import VAE, BetaVAE
from kgen.networks import dense_decoder, dense_encoder
from recipes import beta_vae
from recipes.benchmark import table, trials
from recipes.benchmark.pictures import rows_of_images
from recipes.benchmark.report import Column, Published

# Each row's loss.
ROWS = {
    "vae": "the evidence bound",
    "beta_vae": "with a weight of the KL divergence",
    "beta_vae_capacity": "with a weight of its distance from a capacity that grows",
}

COLUMNS = (
    Column("beta_vae_score", "beta-VAE's score %", scale=100.0),
    Column("factor_vae_score", "FactorVAE's score %", scale=100.0),
    Column("mutual_information_gap", "MIG", digits=3),
    Column("reconstruction", "reconstruction"),
    Column("kl", "KL"),
)

HIGGINS = (
    "Higgins et al. 2017 (beta-VAE), table 1 (from memory): 2D shapes of 64 x 64 pixels and 4 "
    "factors, a classifier of their own"
)


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All that decides the result of a trial."""

    image_size: int = 64
    batch_size: int = 64
    rounds: int = 200_000
    latent_dim: int = 10
    units: int = 1200
    hidden_layers: int = 2
    learning_rate: float = 1e-4
    beta: float = 4.0
    """Of the row beta_vae."""
    capacity_beta: float = 100.0
    """Of the row beta_vae_capacity; gamma in its paper."""
    capacity: float = 25.0
    """Nats that its latents are to say in the end."""
    capacity_rounds: float = 0.75
    """Share of the rounds in which the capacity gets there."""
    groups: int = 600
    """Of pairs, for beta-VAE's score to learn from; its test has two thirds as many."""
    pairs: int = 64
    """Pairs of images of a group."""
    votes: int = 800
    """For FactorVAE's score, of 100 images each, and as many for its test."""
    samples: int = 10_000
    """Images of the mutual information gap, and of the reconstruction and KL."""
    trials: int | None = 3
    seed: int = 0


def train(protocol, trial):
    """Trains one model and scores its codes. Returns `(scores, arrays)`."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(trial.seed)
    model = build(protocol, trial.row, trial.seed)
    model.compile(
        keras.optimizers.Adam(protocol.learning_rate),
        steps_per_execution=math.gcd(protocol.rounds, 50),
    )
    images = kgen.data.load(
        "shapes",
        split="train+validation",
        image_size=protocol.image_size,
        batch_size=protocol.batch_size,
        seed=trial.seed,
    )
    model.fit(images, epochs=1, steps_per_epoch=protocol.rounds, verbose=0)
    trials.check_finite(model.sample(8, seed=0))
    held_out = kgen.data.in_order(
        "shapes", protocol.image_size, length=protocol.samples, batch_size=500
    )
    held_out = np.concatenate(list(held_out.as_numpy_iterator()))
    losses = model.evaluate(held_out, batch_size=500, verbose=0, return_dict=True)
    order = np.argsort(-beta_vae.nats(model, held_out[:500]))
    rows = beta_vae.traversal(model, held_out[0], order[:6])
    return {
        **_scores(protocol, model),
        "reconstruction": losses["reconstruction"],
        "kl": losses["kl"],
    }, {"traversal": rows}


def build(protocol, row, seed=0):
    """Returns a row's model, not compiled."""
    shape = (protocol.image_size, protocol.image_size, 1)
    networks = {"units": protocol.units, "hidden_layers": protocol.hidden_layers}
    pair = (
        dense_encoder(shape, protocol.latent_dim, **networks),
        dense_decoder(shape, protocol.latent_dim, **networks),
    )
    if row == "vae":
        return VAE(*pair, seed=seed)
    if row == "beta_vae":
        return BetaVAE(*pair, beta=protocol.beta, seed=seed)
    return BetaVAE(
        *pair,
        beta=protocol.capacity_beta,
        capacity=protocol.capacity,
        capacity_rounds=max(1, round(protocol.capacity_rounds * protocol.rounds)),
        seed=seed,
    )


def describe(protocol):
    """Returns the protocol in sentences."""
    return [
        f"Shapes of {protocol.image_size} x {protocol.image_size} pixels and 5 factors, all drawn "
        f"evenly; {protocol.hidden_layers} layers of {protocol.units} tanh, {protocol.latent_dim} "
        f"latents; Adam({protocol.learning_rate:g}), {protocol.rounds:,} rounds of "
        f"{protocol.batch_size} images; beta 1 (vae), {protocol.beta:g} (beta_vae), and "
        f"{protocol.capacity_beta:g} with a capacity of {protocol.capacity:g} nats at "
        f"{protocol.capacity_rounds:.0%} of the rounds (beta_vae_capacity).",
        f"Scores of the latents' means: beta-VAE's of {protocol.groups} groups of "
        f"{protocol.pairs} pairs by logistic regression, FactorVAE's of {protocol.votes} votes of "
        f"100 images, the mutual information gap (MIG) of {protocol.samples:,} images and at least "
        "20 bins; chance is 20 %, 20 % and 0. Reconstruction and KL in nats per image, of held-out "
        "images.",
    ]


def draw(folder, table, summary):
    """Draws, of each row's first trial, the 6 latents that say most, moved from -3 to 3."""
    left = [trials.arrays(folder, row) for row in summary]
    columns = beta_vae.COLUMNS
    rows = [
        entry["traversal"][start : start + columns]
        for entry in left
        if entry
        for start in range(0, len(entry["traversal"]), columns)
    ]
    return rows_of_images(folder / "picture.png", rows)


def _scores(protocol, model):
    def encode(images):
        return model.encode(images, batch_size=512)

    source = kgen.metrics.known_factors("shapes", protocol.image_size)
    test_groups = max(1, 2 * protocol.groups // 3)
    return {
        "beta_vae_score": kgen.metrics.beta_vae_score(
            encode,
            source,
            groups=protocol.groups,
            pairs=protocol.pairs,
            test_groups=test_groups,
            seed=protocol.seed,
        ),
        "factor_vae_score": kgen.metrics.factor_vae_score(
            encode, source, votes=protocol.votes, test_votes=protocol.votes, seed=protocol.seed
        ),
        "mutual_information_gap": kgen.metrics.mutual_information_gap(
            encode, source, samples=protocol.samples, seed=protocol.seed
        ),
    }


def _published(name, row, score):
    return Published(name, {"beta_vae_score": score}, HIGGINS, row)


DISENTANGLEMENT = table.Table(
    name="disentanglement",
    full=Protocol(),
    small=Protocol(
        image_size=32,
        rounds=8000,
        units=128,
        learning_rate=1e-3,
        beta=8.0,
        capacity_beta=30.0,
        capacity=10.0,
    ),
    rows=ROWS,
    columns=COLUMNS,
    published=(
        _published("VAE", "vae", "61.58"),
        _published("beta-VAE", "beta_vae", "99.23"),
        _published("PCA", None, "84.9"),
    ),
    departures=(
        "not the published protocol, which is shapes of 4 factors, networks and a beta of its own "
        "and a classifier trained by Adagrad: here 5 factors in the layout of dSprites, dense "
        "networks, beta 4 and logistic regression."
    ),
    describe=describe,
    train=train,
    draw=draw,
)
