"""Every loss and penalty of `GAN` on mnist5k, with one network and one budget.

After Lucic et al. 2018, "Are GANs created equal?", arXiv 1711.10337, who hold that with the same
network and budget they hardly differ.
"""

import dataclasses

import keras
import numpy as np

import kgen.data
from kgen.metrics import Evaluation
from kgen.models import GAN
from kgen.networks import dcgan_discriminator, dcgan_generator
from recipes.benchmark import table, trials
from recipes.benchmark.pictures import bars
from recipes.benchmark.report import Column, Published

SHAPE = (28, 28, 1)
FLOOR = "real_digits"

# Each row's arguments of `GAN`; the first is no GAN but real digits out of the training split.
ROWS = {
    FLOOR: None,
    "minimax": {"loss": "minimax"},
    "non_saturating": {"loss": "non_saturating"},
    "least_squares": {"loss": "least_squares"},
    "wasserstein_clipping": {"loss": "wasserstein"},
    "hinge": {"loss": "hinge"},
    "relativistic_average": {"loss": "relativistic_average"},
    "wasserstein_gradient": {"loss": "wasserstein", "penalty": "gradient"},
    "non_saturating_gradient": {"penalty": "gradient"},
    "non_saturating_dragan": {"penalty": "dragan"},
    "non_saturating_r1": {"penalty": "r1"},
    "non_saturating_r2": {"penalty": "r2"},
}

COLUMNS = (
    Column("frechet", "Frechet distance", digits=2),
    Column("precision", "precision", digits=3),
    Column("recall", "recall", digits=3),
)

LUCIC = (
    "Lucic et al. 2018, table 2: FID by Inception of 10,000 samples against MNIST, the best of a "
    "search, not comparable with ours"
)


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All that decides the result of a trial."""

    rounds: int = 3000
    batch_size: int = 64
    latent_dim: int = 64
    filters: int = 32
    kernel_size: int = 4
    learning_rate: float = 1e-3
    beta_1: float = 0.5
    beta_2: float = 0.99
    discriminator_updates: int = 1
    penalty_weight: float = 10.0
    ema_momentum: float = 0.995
    samples: int = 1000
    neighbours: int = 5
    trials: int | None = 3
    seed: int = 0


def train(protocol, trial):
    """Trains one GAN and scores its samples. Returns `(scores, arrays)`."""
    arguments = ROWS[trial.row]
    if arguments is None:
        return _scores(protocol, _real_digits(protocol.samples, trial.seed)), {}
    if "penalty" in arguments:
        arguments = {**arguments, "penalty_weight": protocol.penalty_weight}
    keras.backend.clear_session()
    keras.utils.set_random_seed(trial.seed)
    model = GAN(
        dcgan_generator(SHAPE, protocol.latent_dim, protocol.filters, protocol.kernel_size),
        # Layer norm in all rows, as a gradient penalty allows no batch norm.
        dcgan_discriminator(SHAPE, protocol.filters, protocol.kernel_size, "layer"),
        discriminator_updates=protocol.discriminator_updates,
        ema_momentum=protocol.ema_momentum,
        seed=trial.seed,
        **arguments,
    )
    model.compile(
        {
            player.name: keras.optimizers.Adam(
                protocol.learning_rate, protocol.beta_1, protocol.beta_2, name=player.name
            )
            for player in model.players
        }
    )
    batch_size = protocol.batch_size * protocol.discriminator_updates
    images = kgen.data.load(
        "mnist5k", split="train+validation", batch_size=batch_size, seed=trial.seed
    )
    model.fit(images, epochs=1, steps_per_epoch=protocol.rounds, verbose=0)
    samples = model.sample(protocol.samples, seed=trial.seed, batch_size=250)
    return _scores(protocol, trials.check_finite(samples)), {"images": samples[:16]}


def describe(protocol):
    """Returns the protocol in sentences."""
    return [
        f"mnist5k, {protocol.rounds:,} rounds of {protocol.batch_size} images, "
        f"{protocol.discriminator_updates} updates of the discriminator a round; DCGAN of "
        f"{protocol.filters} filters with layer norm in D, {protocol.latent_dim} latents; "
        f"Adam({protocol.learning_rate:g}, {protocol.beta_1}, {protocol.beta_2}); penalties' "
        f"weight {protocol.penalty_weight:g}; weights clipped at 0.01 in wasserstein_clipping; "
        f"samples of the generator's average (momentum {protocol.ema_momentum}).",
        f"{protocol.samples:,} samples against the 1,000 held-out digits, in the features of "
        f"kgen's classifier of digits; precision and recall with {protocol.neighbours} "
        f"neighbours. {FLOOR} is the floor: as many real digits of the training split, drawn by "
        "the seed.",
    ]


def draw(folder, table, summary):
    """Draws each row's Frechet distance, with the floor as a line."""
    means = {row: entry["mean"]["frechet"] for row, entry in summary.items() if entry["mean"]}
    floor = means.pop(FLOOR, None)
    return bars(
        folder / "picture.png",
        means,
        "Frechet distance to held-out digits",
        None if floor is None else ("real digits", floor),
        {row: summary[row]["deviation"]["frechet"] for row in means},
    )


def _scores(protocol, images):
    evaluation = Evaluation(
        "mnist5k",
        [column.name for column in COLUMNS],
        resamples=0,
        options={"manifold": {"neighbours": protocol.neighbours}},
    )
    return evaluation.of(images)


def _real_digits(count, seed):
    """The first `count` digits of the training split, in the order that the seed gives."""
    images = kgen.data.load("mnist5k", split="train+validation", batch_size=1, seed=seed)
    return np.concatenate(list(images.take(count).as_numpy_iterator()))


def _published(name, row, number):
    return Published(name, {"frechet": number}, LUCIC, row)


LOSSES = table.Table(
    name="losses",
    full=Protocol(),
    small=Protocol(rounds=1000),
    rows=ROWS,
    columns=COLUMNS,
    published=(
        _published("MM GAN (from memory)", "minimax", "9.8"),
        _published("NS GAN (from memory)", "non_saturating", "6.8"),
        _published("LSGAN (from memory)", "least_squares", "7.8"),
        _published("WGAN (from memory)", "wasserstein_clipping", "6.7"),
        _published("WGAN-GP (from memory)", "wasserstein_gradient", "20.3"),
        _published("DRAGAN (from memory)", "non_saturating_dragan", "7.6"),
    ),
    departures=(
        "not the published protocol, which is MNIST's 60,000 digits, FID by Inception of 10,000 "
        "samples, and the best of a search over settings for each loss: here mnist5k's 4,000, one "
        "network, one budget and one setting for all, and the features of kgen's classifier of "
        "1,000 samples."
    ),
    describe=describe,
    train=train,
    draw=draw,
)
