"""The ring of 8 and the grid of 25 Gaussians: how many modes a GAN keeps, and how sharp they are.

The protocol of PacGAN (Lin et al. 2018, section 4.1 and table 1, arXiv 1712.04086).
"""

import dataclasses
import math

import keras
import numpy as np

import kgen.data
from kgen.data.mixtures import GRID_CENTRES, GRID_STD, RING_CENTRES, RING_STD
from kgen.metrics import mixture_scores
from kgen.models import GAN
from kgen.networks import mixture_discriminator, mixture_generator
from recipes.benchmark import table, trials
from recipes.benchmark.pictures import scatter
from recipes.benchmark.report import Column, Published

SETS = {"ring": (RING_CENTRES, RING_STD), "grid": (GRID_CENTRES, GRID_STD)}

# Each row's arguments of `GAN`. What its own paper asks for is marked; all else is shared.
ROWS = {
    "minimax": {"loss": "minimax"},
    "non_saturating": {"loss": "non_saturating"},
    "wasserstein": {"loss": "wasserstein", "discriminator_updates": 5},  # Arjovsky et al. 2017.
    "wgan_gp": {  # Gulrajani et al. 2017: 5 updates of the critic, the penalty.
        "loss": "wasserstein",
        "penalty": "gradient",
        "discriminator_updates": 5,
    },
    "least_squares": {"loss": "least_squares"},
    "hinge": {"loss": "hinge"},
    "dragan": {"penalty": "dragan"},
    "r1": {"penalty": "r1"},
    "packing_2": {"packing": 2},
    "packing_3": {"packing": 3},
    "packing_4": {"packing": 4},
}

COLUMNS = (
    Column("modes", "modes"),
    Column("high_quality", "high quality %", scale=100.0),
    Column("reverse_kl", "reverse KL", digits=2),
)

PACGAN = "Lin et al. 2018 (PacGAN), table 1, 10 trials"


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All that decides the result of a trial. The defaults are PacGAN's."""

    data: str
    points: int = 100_000
    """Points of the training set; an epoch shows the discriminator as many packs."""
    batch_size: int = 100
    """Packs of one update, each of `packing` points."""
    epochs: int = 400
    samples: int = 2_500
    generator_units: int = 400
    normalization: str | None = "batch"
    """The generator's."""
    discriminator_units: int = 200
    learning_rate: float = 1e-4
    beta_1: float = 0.8
    beta_2: float = 0.999
    last_rate: float = 1.0
    """Share of the step size that is left at the end of its fall along a cosine; 1 for constant."""
    ema_momentum: float | None = None
    """Momentum of the average of the generator's weights that samples use; None for none."""
    r1_weight: float = 0.003
    penalty_weight: float = 0.1
    """Weight of the other penalties. 10 in their papers, for images; WGAN-GP's authors published
    0.1 for points of the plane. More of any penalty hides modes that are narrow."""
    weight_clipping: float = 0.1
    """Limit of the clipped weights. 0.01 in the paper, for images."""
    trials: int | None = 10
    seed: int = 0


def build(protocol, row, seed=0):
    """Returns a row's `GAN`, not compiled."""
    arguments = dict(ROWS[row])
    if "penalty" in arguments:
        is_r1 = arguments["penalty"] == "r1"
        arguments["penalty_weight"] = protocol.r1_weight if is_r1 else protocol.penalty_weight
    elif arguments.get("loss") == "wasserstein":
        arguments["weight_clipping"] = protocol.weight_clipping
    points = 2 * arguments.get("packing", 1)
    return GAN(
        mixture_generator(units=protocol.generator_units, normalization=protocol.normalization),
        mixture_discriminator(points, units=protocol.discriminator_units),
        ema_momentum=protocol.ema_momentum,
        seed=seed,
        **arguments,
    )


def train(protocol, trial):
    """Trains one GAN and scores its samples. Returns `(scores, arrays)`."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(trial.seed)
    model = build(protocol, trial.row, trial.seed)
    updates = model.discriminator_updates
    count = rounds(protocol, updates)
    # Rounds that one call of the compiled step plays: a round is short beside what a call costs.
    together = math.gcd(count, 100)
    model.compile(
        {
            "discriminator": _adam(protocol, count * updates, "discriminator"),
            "generator": _adam(protocol, count, "generator"),
        },
        steps_per_execution=together,
        jit_compile=True,  # 1.3 to 1.6 times as fast on a CPU, for the networks are so small.
    )
    images = _points(protocol, trial.seed, protocol.batch_size * model.packing * updates)
    model.fit(images, epochs=1, steps_per_epoch=count, verbose=0)

    samples = model.sample(protocol.samples, seed=trial.seed, batch_size=protocol.samples)
    trials.check_finite(samples)
    scores = mixture_scores(samples, *SETS[protocol.data], within=3.0, resamples=0)
    return scores, {"points": samples}


def rounds(protocol, updates=1):
    """Rounds of a training in which the discriminator moves `updates` times a round.

    It moves as often in every row, once for each batch of the epochs.
    """
    return max(1, protocol.epochs * protocol.points // (protocol.batch_size * updates))


def describe(protocol):
    """Returns the protocol in sentences."""
    full = Protocol(protocol.data)
    steps = (
        f"falling to {protocol.last_rate:g} of that along a cosine"
        if protocol.last_rate < 1.0
        else "constant"
    )
    norm = "with" if protocol.normalization else "without"
    average = (
        "the generator's last weights"
        if protocol.ema_momentum is None
        else f"the moving average of the generator's weights (momentum {protocol.ema_momentum})"
    )
    sentences = [
        f"{protocol.points:,} points, {protocol.epochs} epochs of batches of "
        f"{protocol.batch_size} packs ({rounds(protocol):,} updates of the discriminator, for "
        f"every row); G 4x{protocol.generator_units} ReLU {norm} batch norm, D "
        f"3x{protocol.discriminator_units} maxout-5, latents of 2 dimensions; "
        f"{protocol.samples:,} samples of {average}; high quality: within 3 standard deviations "
        "of the nearest mode; reverse KL: of all samples, where PacGAN's authors count "
        "those of high quality.",
        f"Adam({protocol.learning_rate:g}, {protocol.beta_1:g}, {protocol.beta_2:g}), {steps}, "
        "for all rows. wasserstein and wgan_gp: 5 updates of the critic to one of the generator, "
        f"as their papers do; clipping at {protocol.weight_clipping:g} (0.01 there, for images); "
        f"penalties' weight {protocol.penalty_weight:g} (wgan_gp and dragan; 10 there, for "
        f"images), {protocol.r1_weight:g} (r1; likewise). Packing k: "
        "the non-saturating loss, as PacGAN, on packs of k points.",
    ]
    if protocol.epochs != full.epochs or protocol.generator_units != full.generator_units:
        without = "" if protocol.normalization else ", no batch norm"
        sentences.append(
            f"Smaller than published: {protocol.epochs} epochs of {full.epochs}, "
            f"{protocol.generator_units} and {protocol.discriminator_units} units of "
            f"{full.generator_units} and {full.discriminator_units}{without}. Other than "
            f"published: Adam({full.learning_rate:g}, {full.beta_1:g}, {full.beta_2:g}) and "
            "samples of the last weights there."
        )
    return sentences


def draw(folder, table, summary):
    """Draws the samples of each row's first trial."""
    centres, _ = SETS[table.name]
    panels = {}
    for row in summary:
        left = trials.arrays(folder, row)
        if left:
            panels[row] = left["points"]
    limit = 1.35 * abs(centres).max()
    return scatter(folder / "picture.png", panels, centres, limit)


def _adam(protocol, steps, name):
    rate = protocol.learning_rate
    if protocol.last_rate < 1.0:
        rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=protocol.last_rate)
    return keras.optimizers.Adam(rate, protocol.beta_1, protocol.beta_2, name=name)


def _points(protocol, seed, batch_size):
    """The training set, made once: the points of a batch cost more to make than to read."""
    count = protocol.points
    made = kgen.data.load(protocol.data, None, math.gcd(count, 1000), length=count, seed=seed)
    points = np.concatenate(list(made.as_numpy_iterator()))
    return kgen.data.from_arrays(points, batch_size=batch_size, seed=seed)


def _table(name, epochs, ema_momentum, published):
    return table.Table(
        name=name,
        full=Protocol(name),
        small=Protocol(
            name,
            epochs=epochs,
            generator_units=128,
            normalization=None,
            discriminator_units=64,
            learning_rate=1e-3,
            beta_1=0.0,
            beta_2=0.99,
            last_rate=0.1,
            ema_momentum=ema_momentum,
            trials=3,
        ),
        rows=ROWS,
        columns=COLUMNS,
        published=published,
        departures=(
            "the published protocol, with the rows that PacGAN has; the other losses and "
            "penalties get its networks, data and budget."
        ),
        describe=describe,
        train=train,
        draw=draw,
    )


def _published(name, row, *numbers):
    scores = dict(zip(("modes", "high_quality", "reverse_kl"), numbers, strict=False))
    return Published(name, scores, PACGAN, row)


RING = _table(
    "ring",
    20,
    0.999,
    (
        _published("GAN", "non_saturating", "6.3", "98.2", "0.45"),
        _published("PacGAN2", "packing_2", "7.9", "95.6", "0.07"),
        _published("PacGAN4", "packing_4", "7.8"),
        _published("ALI", None, "6.6"),
    ),
)
GRID = _table(
    "grid",
    60,
    0.9995,
    (
        _published("GAN", "non_saturating", "17.3", "94.8", "0.70"),
        _published("PacGAN2", "packing_2", "23.8", "91.3", "0.13"),
        _published("PacGAN4", "packing_4", "24.8", "93.6", "0.04"),
    ),
)
