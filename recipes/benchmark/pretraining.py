"""A classifier of few labels that starts from an autoencoder's encoder, or from random weights.

And a support vector machine on the pixels, which has seen no other digit.

Vincent et al. 2010, section 5, and Erhan et al. 2010, "Why does unsupervised pre-training help deep
learning?": unlabelled images first, then all weights by the labels that there are.
"""

import dataclasses

import keras
import numpy as np
from sklearn.svm import SVC

from kgen.models import DenoisingAutoencoder
from recipes.benchmark import digit_codes, table
from recipes.benchmark.pictures import bars
from recipes.benchmark.report import Column

LABELS = (50, 100, 500)

# Each row's start and number of labelled digits; "svm" starts from the pixels.
ROWS = {
    f"{start}_{count}": (start, count)
    for count in LABELS
    for start in ("svm", "random", "pretrained")
}

COLUMNS = (Column("accuracy", "accuracy, %", digits=1, scale=100.0),)


@dataclasses.dataclass(frozen=True)
class Protocol(digit_codes.Protocol):
    """All that decides the result of a trial."""

    amount: float = 0.5
    """Deviation of the Gaussian noise that the autoencoder learns to take away."""
    classifier_rounds: int = 500
    classifier_learning_rate: float = 1e-3


def train(protocol, trial):
    """Trains a classifier of few labels. Returns `(scores, arrays)`."""
    start, count = ROWS[trial.row]
    images, labels = digit_codes.digits(protocol, "train+validation")
    held_out, held_out_labels = digit_codes.digits(protocol, "test")
    chosen = few_of_each(labels, count, trial.seed)
    if start == "svm":
        pixels, few = (x.reshape(len(x), -1) for x in (held_out, images[chosen]))
        found = SVC(C=10.0).fit(few, labels[chosen]).predict(pixels)
        return {"accuracy": float(np.mean(found == held_out_labels))}, {}
    if start == "pretrained":
        encoder = digit_codes.trained(
            protocol, images, trial.seed, DenoisingAutoencoder, amount=protocol.amount
        ).encoder
    else:
        keras.backend.clear_session()
        keras.utils.set_random_seed(trial.seed)
        encoder = digit_codes.encoder(protocol, images.shape[1:])
    classifier = keras.Sequential([encoder, keras.layers.Dense(10, "softmax")])
    classifier.compile(
        keras.optimizers.Adam(protocol.classifier_learning_rate),
        "sparse_categorical_crossentropy",
        jit_compile=False,  # On a CPU XLA's convolutions are slow.
    )
    # All labelled digits a round, of both starts as many rounds.
    repeated = np.tile(chosen, protocol.classifier_rounds)
    classifier.fit(
        images[repeated], labels[repeated], batch_size=len(chosen), shuffle=False, verbose=0
    )
    found = classifier.predict(held_out, verbose=0).argmax(axis=1)
    return {"accuracy": float(np.mean(found == held_out_labels))}, {}


def few_of_each(labels, count, seed):
    """Returns the places of `count` labels, of each of ten classes as many, in a random order.

    Raises:
        ValueError: If a class has too few.
    """
    rng = np.random.default_rng(seed)
    each = count // 10
    places = [rng.permutation(np.flatnonzero(labels == digit))[:each] for digit in range(10)]
    if min(map(len, places)) < each:
        raise ValueError(f"`data` must have {each} digits of each class.")
    return rng.permutation(np.concatenate(places))


def describe(protocol):
    """Returns the protocol in sentences."""
    return [
        f"{protocol.data}; {digit_codes.said(protocol)}, denoising of Gaussian noise of "
        f"{protocol.amount}, on all training digits without labels. Then the encoder and a layer "
        f"of softmax, all weights, {protocol.classifier_rounds:,} rounds of all labelled digits, "
        f"Adam({protocol.classifier_learning_rate:g}); as many of each class, the same for both "
        "starts. svm: a support vector machine of a Gaussian kernel (scikit-learn's width, C = 10) "
        "on the pixels of the same digits. Accuracy on the test split.",
    ]


def draw(folder, table, summary):
    """Draws each row's accuracy."""
    values = {row: 100.0 * entry["mean"].get("accuracy", 0.0) for row, entry in summary.items()}
    spread = {
        row: 100.0 * (entry["deviation"].get("accuracy") or 0.0) for row, entry in summary.items()
    }
    return bars(folder / "picture.png", values, "accuracy, %", spread=spread)


PRETRAINING = table.Table(
    name="pretraining",
    full=Protocol(),
    small=Protocol(rounds=2000, filters=16),
    rows=ROWS,
    columns=COLUMNS,
    published=(),
    departures=(
        "nothing was published of so few labels with these networks; mnist5k's 4,000 digits or, "
        "with --data tfds:mnist, MNIST's 60,000."
    ),
    describe=describe,
    train=train,
    draw=draw,
)
