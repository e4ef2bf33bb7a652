"""Stacked MNIST: how many of 1,000 modes a GAN reaches.

The protocol of PacGAN (Lin et al. 2018, section 4.2 and table 2, arXiv 1712.04086).
"""

import dataclasses
import math

import keras
import numpy as np

import kgen.data
from kgen.metrics import extractor, label_scores
from kgen.models import GAN
from kgen.networks import dcgan_discriminator, dcgan_generator
from recipes.benchmark import table, trials
from recipes.benchmark.pictures import rows_of_images
from recipes.benchmark.report import Column, Published

SHAPE = (28, 28, 3)

# Each row's arguments of `GAN`.
ROWS = {
    "dcgan": {},
    "packing_2": {"packing": 2},
    "packing_4": {"packing": 4},
    "r1": {"penalty": "r1"},
    "wgan_gp": {  # Gulrajani et al. 2017: 5 updates of the critic.
        "loss": "wasserstein",
        "penalty": "gradient",
        "discriminator_updates": 5,
    },
}

COLUMNS = (
    Column("modes", "modes"),
    Column("reverse_kl", "KL", digits=2),
    Column("recognised", "recognised %", scale=100.0),
)

PACGAN = "Lin et al. 2018 (PacGAN), table 2, 10 trials"
# Networks, latents and batches of their own; see Lin et al. 2018, table 3.
HALF = "D half of G: Metz et al. 2017 (Unrolled GAN), table 1, and PacGAN, table 3"


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All that decides the result of a trial. The defaults are PacGAN's."""

    images: int = 128_000
    """Images of the training set; an epoch shows the discriminator as many packs."""
    batch_size: int = 64
    """Packs of one update, each of `packing` images."""
    epochs: float = 50.0
    samples: int = 26_000
    latent_dim: int = 100
    generator_filters: int = 64
    discriminator_filters: int = 64
    kernel_size: int = 5
    normalization: str | None = "batch"
    """The discriminator's; always None under a penalty on each image's gradient."""
    learning_rate: float = 2e-4
    beta_1: float = 0.5
    penalty_weight: float = 10.0
    """wgan_gp's; 10 in its paper."""
    r1_weight: float = 10.0
    """R1's; 10 in its paper."""
    trials: int | None = 10
    seed: int = 0


SMALL = Protocol(
    epochs=16.0,
    generator_filters=16,
    discriminator_filters=8,
    kernel_size=4,
    normalization=None,
    learning_rate=1e-3,
    beta_1=0.0,
    r1_weight=1.0,
    trials=1,
)


def train(protocol, trial):
    """Trains one GAN and counts the modes of its samples. Returns `(scores, arrays)`."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(trial.seed)
    model = build(protocol, trial.row, trial.seed)
    updates = model.discriminator_updates
    count = rounds(protocol, updates)
    model.compile(
        {
            player.name: keras.optimizers.Adam(
                protocol.learning_rate, protocol.beta_1, name=player.name
            )
            for player in model.players
        },
        steps_per_execution=math.gcd(count, 10),
    )
    images = kgen.data.load(
        "stacked_mnist",
        split="train+validation",
        batch_size=protocol.batch_size * model.packing * updates,
        length=protocol.images,
        seed=trial.seed,
    )
    model.fit(images, epochs=1, steps_per_epoch=count, verbose=0)
    samples = model.sample(protocol.samples, seed=trial.seed, batch_size=500)
    trials.check_finite(samples)
    labels, recognised = digits_of(samples)
    scores = label_scores(labels, 1000, resamples=0)
    return {**scores, "recognised": recognised}, {"images": samples[:16]}


def build(protocol, row, seed=0):
    """Returns a row's `GAN`, not compiled."""
    arguments = dict(ROWS[row])
    normalization = protocol.normalization
    if "penalty" in arguments:
        is_r1 = arguments["penalty"] == "r1"
        arguments["penalty_weight"] = protocol.r1_weight if is_r1 else protocol.penalty_weight
        normalization = None
    generator = dcgan_generator(
        SHAPE, protocol.latent_dim, protocol.generator_filters, protocol.kernel_size
    )
    height, width, channels = SHAPE
    discriminator = dcgan_discriminator(
        (height, width, channels * arguments.get("packing", 1)),
        protocol.discriminator_filters,
        protocol.kernel_size,
        normalization,
    )
    return GAN(generator, discriminator, seed=seed, **arguments)


def digits_of(images):
    """Returns what a digit classifier sees in images `(n, 28, 28, 3)`.

    Returns:
        Modes `(n,)`, 100 r + 10 g + b of the digits r, g and b in red, green and blue; and the
        share of digits, in [0, 1], that it is surer of than 0.9: a count of modes alone says
        nothing of what is no digit at all.
    """
    classify = extractor("digits").probabilities
    probabilities = np.stack([classify(images[..., c : c + 1]) for c in range(3)])  # (3, n, 10)
    red, green, blue = np.argmax(probabilities, axis=-1)
    return 100 * red + 10 * green + blue, float(np.mean(probabilities.max(axis=-1) > 0.9))


def rounds(protocol, updates=1):
    """Rounds of a training in which the discriminator moves `updates` times a round.

    It moves as often in every row, once for each batch of the epochs.
    """
    return max(1, round(protocol.epochs * protocol.images / (protocol.batch_size * updates)))


def describe(protocol):
    """Returns the protocol in sentences."""
    full = Protocol()
    norm = "with batch norm, none" if protocol.normalization else "without batch norm, also not"
    sentences = [
        f"{protocol.images:,} images of three digits of mnist5k's 4,000 (published: of MNIST's "
        f"60,000), batches of {protocol.batch_size} packs, {protocol.epochs:g} epochs "
        f"({rounds(protocol):,} updates of the discriminator, for every row); DCGAN of kernels "
        f"{protocol.kernel_size} x {protocol.kernel_size}, {protocol.generator_filters} filters "
        f"in G and {protocol.discriminator_filters} in D ({norm} under a penalty), "
        f"{protocol.latent_dim} latents; Adam({protocol.learning_rate:g}, {protocol.beta_1:g}); "
        "wgan_gp: 5 updates of the critic to one of the generator, weight "
        f"{protocol.penalty_weight:g}; r1: weight {protocol.r1_weight:g}; "
        f"{protocol.samples:,} samples of the last weights, modes by kgen's classifier of "
        "digits. Recognised: share of digits that it is surer of than 0.9.",
    ]
    other = [
        f"{field.name.replace('_', ' ')} {getattr(protocol, field.name)} and not "
        f"{getattr(full, field.name)}"
        for field in dataclasses.fields(full)
        if field.name not in ("seed", "trials")
        and getattr(protocol, field.name) != getattr(full, field.name)
    ]
    if other:
        sentences.append(f"Other than published: {', '.join(other)}.")
    return sentences


def draw(folder, table, summary):
    """Draws the first samples of each row's first trial, a row of the picture a row."""
    left = [trials.arrays(folder, row) for row in summary]
    return rows_of_images(folder / "picture.png", [entry["images"] for entry in left if entry])


def _published(name, row, source, *numbers):
    return Published(name, dict(zip(("modes", "reverse_kl"), numbers, strict=False)), source, row)


STACKED_MNIST = table.Table(
    name="stacked_mnist",
    full=Protocol(),
    small=SMALL,
    rows=ROWS,
    columns=COLUMNS,
    published=(
        _published("DCGAN", "dcgan", PACGAN, "78.9", "4.50"),
        _published("PacDCGAN2", "packing_2", PACGAN, "1000", "0.06"),
        _published("ALI", None, PACGAN, "16"),
        _published("Unrolled GAN", None, PACGAN, "48.7"),
        _published("VEEGAN", None, PACGAN, "150"),
        _published("DCGAN, D half of G", "dcgan", HALF, "628.0"),
        _published("PacDCGAN4, D half of G", "packing_4", HALF, "820.2"),
        _published("Unrolled-10, D half of G", None, HALF, "817.4"),
    ),
    departures=(
        "the published protocol, but that digits are of mnist5k's 4,000 and not MNIST's 60,000, "
        "and that modes are told by kgen's classifier."
    ),
    describe=describe,
    train=train,
    draw=draw,
)
