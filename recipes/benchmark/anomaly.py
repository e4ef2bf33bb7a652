"""One-class digits: which digits are not of the class that a model has learned.

Ruff et al. 2018 (Deep SVDD), table 1: ten tasks, each with one digit as the normal class.
"""

import dataclasses

import numpy as np
from sklearn.decomposition import PCA

import kgen.metrics
from kgen.anomaly import AnomalyDetector
from kgen.plotting import roc
from recipes.benchmark import digit_codes, table, trials
from recipes.benchmark.report import Column, Published

ROWS = {"pca": "pca", "autoencoder": "autoencoder"}

COLUMNS = (
    Column("auroc", "AUROC, mean of ten", digits=1, scale=100.0),
    *(Column(f"auroc_{digit}", str(digit), digits=1, scale=100.0) for digit in range(10)),
    Column("false_positive_rate", "false alarms, %", digits=1, scale=100.0),
    Column("true_positive_rate", "found, %", digits=1, scale=100.0),
)

RUFF = (
    "Ruff et al. 2018, table 1 (from memory): MNIST, 6,000 normal digits a class, AUROC in per "
    "cent, here the mean of its ten digits"
)


@dataclasses.dataclass(frozen=True)
class Protocol(digit_codes.Protocol):
    """All that decides the result of a trial."""

    rounds: int = 5000
    false_positive_rate: float = 0.05
    """What thresholds are calibrated for."""
    calibration: float = 0.2
    """Share of a class's training digits that the threshold is calibrated on."""
    digits: tuple = tuple(range(10))
    """The normal classes, each a task of its own."""


def train(protocol, trial):
    """Trains a model of each digit and scores all test digits. Returns `(scores, arrays)`."""
    images, labels = digit_codes.digits(protocol, "train+validation")
    held_out, held_out_labels = digit_codes.digits(protocol, "test")
    scores, arrays, rates = {}, {}, []
    for digit in protocol.digits:
        normal = images[labels == digit]
        kept = max(1, int(len(normal) * protocol.calibration))
        detector = _detector(protocol, trial, normal[kept:], digit)
        found = detector.score(held_out)
        is_anomaly = held_out_labels != digit
        scores[f"auroc_{digit}"] = float(kgen.metrics.auroc(found, is_anomaly, resamples=0))
        threshold = detector.calibrate(normal[:kept], protocol.false_positive_rate)
        alarms = found > threshold
        rates.append((alarms[~is_anomaly].mean(), alarms[is_anomaly].mean()))
        arrays |= {f"scores_{digit}": found, f"labels_{digit}": is_anomaly}
    false_positives, true_positives = np.mean(rates, axis=0)
    scores["auroc"] = float(np.mean([scores[f"auroc_{digit}"] for digit in protocol.digits]))
    scores["false_positive_rate"] = float(false_positives)
    scores["true_positive_rate"] = float(true_positives)
    return scores, arrays


def _detector(protocol, trial, normal, digit):
    if trial.row == "autoencoder":
        model = digit_codes.trained(protocol, normal, 10 * trial.seed + digit)
        return AnomalyDetector(model, "reconstruction")  # As the published one.
    pca = PCA(min(protocol.latent_dim, len(normal)), random_state=trial.seed)
    pca.fit(normal.reshape(len(normal), -1))

    def squared_error(images):
        rows = images.reshape(len(images), -1)
        errors = np.square(pca.inverse_transform(pca.transform(rows)) - rows)
        return errors.mean(axis=1)

    return AnomalyDetector(pca, squared_error)


def describe(protocol):
    """Returns the protocol in sentences."""
    return [
        f"{protocol.data}; {digit_codes.said(protocol)}, one model a digit, trained on the "
        "training digits of that class alone, scored by the mean squared error of its "
        "reconstruction on the whole test split, where the other nine are anomalies. PCA has as "
        "many components.",
        f"False alarms and anomalies found are those at a threshold calibrated for "
        f"{protocol.false_positive_rate:.0%} false alarms on {protocol.calibration:.0%} of the "
        "class's training digits, kept from the training; means over the classes.",
    ]


def draw(folder, table, summary):
    """Draws the ROC curve of the classes together of each row's first trial."""
    curves = {}
    for row in summary:
        left = trials.arrays(folder, row)
        digits = sorted(name.removeprefix("scores_") for name in left if "scores" in name)
        for digit in digits:
            curves[f"{row}, {digit}"] = (left[f"scores_{digit}"], left[f"labels_{digit}"])
    return roc(curves, folder / "picture.png")


ANOMALY = table.Table(
    name="anomaly",
    full=Protocol(),
    small=Protocol(rounds=800, filters=16, trials=3),
    rows=ROWS,
    columns=COLUMNS,
    published=(
        Published("DCAE", {"auroc": "89.7"}, RUFF, "autoencoder"),
        Published("AnoGAN", {"auroc": "91.3"}, RUFF),
        Published("Deep SVDD", {"auroc": "94.8"}, RUFF),
    ),
    departures=(
        "not the published protocol, which is MNIST's 6,000 normal digits a class and networks of "
        "its own: here mnist5k's 320, or with --data tfds:mnist four fifths of the 6,000."
    ),
    describe=describe,
    train=train,
    draw=draw,
)
