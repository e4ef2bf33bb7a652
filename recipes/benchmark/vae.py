"""-log p(x) of the VAE and of the importance-weighted autoencoder on binarised digits.

Burda et al. 2016 (IWAE), section 5, arXiv 1509.00519: one stochastic layer.
"""

import dataclasses

import keras
import numpy as np

import kgen.data
from kgen.models import VAE
from kgen.networks import dense_decoder, dense_encoder
from recipes.benchmark import table, trials
from recipes.benchmark.pictures import rows_of_images
from recipes.benchmark.report import Column, Published

# Each row's k, the importance samples of the bound that it maximises.
ROWS = {"vae_k1": 1, "iwae_k5": 5, "iwae_k50": 50}

COLUMNS = (
    Column("nll", "-log p(x)", digits=2),
    Column("over_images", "error over images", digits=2),
    Column("over_draws", "error over draws", digits=3),
)

IWAE = (
    "Burda et al. 2016 (from memory): fixed binarisation, 60,000 digits, this network, trained by "
    "its schedule of falling rates for 3,280 epochs"
)

PYTHAE = (
    "pythae's table of reproduced results, fixed binarisation, 60,000 digits, each paper's own "
    "network and importance samples"
)


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All that decides the result of a trial."""

    data: str = "mnist5k"
    """`mnist5k`, or `tfds:mnist` for the published 60,000 digits."""
    batch_size: int = 20
    """The paper's 20."""
    epochs: int = 300
    """At most; the training ends where the bound on validation digits has not improved for
    `patience` epochs, and goes back to the best."""
    patience: int = 15
    validation: int = 500
    """Digits of the training split that are kept for that."""
    latent_dim: int = 50
    units: int = 200
    learning_rate: float = 1e-3
    epsilon: float = 1e-4
    samples: int = 5000
    """Importance samples of an estimate."""
    repeats: int = 3
    """Estimates of every digit."""
    test_images: int | None = None
    """Digits of the test split that are scored; None for all."""
    trials: int | None = 3
    seed: int = 0


def train(protocol, trial):
    """Trains one model and estimates -log p of the test split. Returns `(scores, arrays)`."""
    # Which pixels are ones is drawn once, alike for all trials and rows.
    digits = binarised(protocol.data, "train+validation", protocol.seed)
    test = binarised(protocol.data, "test", protocol.seed)[: protocol.test_images]
    count = len(digits) - protocol.validation
    if count < protocol.batch_size or protocol.validation < 1:
        raise ValueError(
            f"`validation` must leave a batch of the {len(digits):,} digits of {protocol.data} and "
            f"be positive, received {protocol.validation}."
        )
    keras.backend.clear_session()
    keras.utils.set_random_seed(trial.seed)
    shape = digits.shape[1:]
    model = VAE(
        dense_encoder(shape, protocol.latent_dim, protocol.units, hidden_layers=2),
        dense_decoder(shape, protocol.latent_dim, protocol.units, hidden_layers=2),
        importance_samples=ROWS[trial.row],
        seed=trial.seed,
    )
    model.compile(keras.optimizers.Adam(protocol.learning_rate, epsilon=protocol.epsilon))
    best = keras.callbacks.EarlyStopping(
        "val_loss", patience=protocol.patience, mode="min", restore_best_weights=True
    )
    history = model.fit(
        kgen.data.from_arrays(digits[:count], batch_size=protocol.batch_size, seed=trial.seed),
        validation_data=kgen.data.from_arrays(
            digits[count:], batch_size=min(100, protocol.validation), shuffle=False
        ),
        epochs=protocol.epochs,
        callbacks=[best],
        verbose=0,
    ).history
    estimates = np.stack(
        [
            model.log_prob(test, protocol.samples, seed=1000 * trial.seed + i, batch_size=100)
            for i in range(protocol.repeats)
        ]
    ).astype(np.float64)  # (repeats, images)
    trials.check_finite(estimates)
    scores = {**nats(estimates), "epochs": len(history["loss"])}
    return scores, {"images": model.sample(16, seed=trial.seed)}


def nats(estimates):
    """Returns the mean -log p and its two errors, in nats.

    Args:
        estimates: Repeated estimates of log p(image), `(repeats, images)`.

    Returns:
        Dict of `nll`, the mean; `over_images`, the standard error of the mean over images, which
        says how another test set would differ; `over_draws`, that of the estimate on these images,
        from the spread between repeats (0 of a single one, which tells nothing of it).
    """
    repeats, images = estimates.shape
    means = estimates.mean(axis=1)
    return {
        "nll": -float(means.mean()),
        "over_images": float(estimates.mean(axis=0).std(ddof=1) / np.sqrt(images)),
        "over_draws": float(means.std(ddof=1) / np.sqrt(repeats)) if repeats > 1 else 0.0,
    }


def binarised(data, split, seed):
    """Returns all images of a split, `(n, height, width, 1)`, with every pixel drawn once."""
    # The first pass of a fixed seed: shuffled, so that the last digits are of all classes.
    images = kgen.data.load(data, batch_size=1, split=split, channels=1, seed=0)
    grey = np.concatenate(list(images.unbatch().batch(1000).as_numpy_iterator()))
    return drawn(grey, [seed, {"train+validation": 0, "test": 1}[split]])


def drawn(grey, seed):
    """Returns -1 or 1, float32, for each pixel of images in [-1, 1].

    A pixel of value p in [0, 1] becomes 1 with the probability p (Salakhutdinov and Murray 2008).
    `seed` is what NumPy's generator takes.
    """
    ones = np.random.default_rng(seed).random(grey.shape) < 0.5 * (grey + 1.0)
    return np.where(ones, 1.0, -1.0).astype("float32")


def describe(protocol):
    """Returns the protocol in sentences."""
    count = "5,000 digits (4,000 for training)" if protocol.data == "mnist5k" else "all digits"
    scored = "the test split" if protocol.test_images is None else f"{protocol.test_images} digits"
    sentences = [
        f"{protocol.data}, {count}, each pixel drawn once by its grey value from the seed; two "
        f"layers of {protocol.units} tanh, {protocol.latent_dim} latents; Adam("
        f"{protocol.learning_rate:g}, epsilon {protocol.epsilon:g}), batches of "
        f"{protocol.batch_size}, at most {protocol.epochs} epochs, ended where the bound of "
        f"{protocol.validation} digits kept from the training split has not improved for "
        f"{protocol.patience}, and taken back to the best.",
        f"-log p(x) in nats of {scored} by {protocol.samples:,} importance samples: an upper bound "
        "in expectation. Error over images: standard error of the mean over digits; over draws: of "
        f"the estimate, from {protocol.repeats} repeats.",
    ]
    if protocol.data == "mnist5k":
        sentences.append(
            "Ours learns from 3,500 digits and the published from 50,000 or more: not one protocol."
        )
    return sentences


def draw(folder, table, summary):
    """Draws 16 samples of each row's first trial, a row of the picture a row."""
    left = [trials.arrays(folder, row) for row in summary]
    return rows_of_images(folder / "picture.png", [entry["images"] for entry in left if entry])


def _published(name, row, number, source=PYTHAE):
    return Published(name, {"nll": number}, source, row)


VAES = table.Table(
    name="vae",
    full=Protocol(),
    small=Protocol(patience=10, repeats=2, trials=1),
    rows=ROWS,
    columns=COLUMNS,
    published=(
        _published("VAE, k = 1", "vae_k1", "88.71", IWAE),
        _published("IWAE, k = 5", "iwae_k5", "87.63", IWAE),
        _published("IWAE, k = 50", "iwae_k50", "87.10", IWAE),
        _published("VAE", "vae_k1", "89.8"),
        _published("IWAE-50", "iwae_k50", "86.8"),
        _published("VAMP", None, "85.8"),
        _published("HVAE", None, "86.2"),
    ),
    departures=(
        "not the published protocol, which is 60,000 digits and falling rates for 3,280 epochs: "
        "here one rate, at most 300 epochs and the best of them on validation digits, and "
        "mnist5k's 3,500. --data tfds:mnist takes all but the validation digits of the 60,000."
    ),
    describe=describe,
    train=train,
    draw=draw,
)
