"""How well a code of few numbers holds a digit: autoencoders against principal components.

Hinton and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks", figure 2:
of MNIST by 30 numbers a mean squared error a digit of 3.00 against 13.87 of PCA.
"""

import dataclasses

import numpy as np
from sklearn.decomposition import PCA

import kgen.metrics
from recipes.benchmark import digit_codes, table
from recipes.benchmark.report import Column, Published

SIZES = (2, 8, 32)

# Each row's method and size of the code.
ROWS = {f"{method}_{size}": (method, size) for size in SIZES for method in ("pca", "autoencoder")}

COLUMNS = (
    Column("squared_error", "squared error a digit", digits=2),
    Column("psnr", "PSNR", digits=2),
)

HINTON = (
    "Hinton and Salakhutdinov 2006, figure 2 (from memory): MNIST, 30 numbers, squared error a "
    "digit of pixels in [0, 1]"
)


def train(protocol, trial):
    """Trains one model and scores its reconstructions. Returns `(scores, arrays)`."""
    method, size = ROWS[trial.row]
    images, _ = digit_codes.digits(protocol, "train+validation")
    held_out, _ = digit_codes.digits(protocol, "test")
    if method == "pca":
        pca = PCA(min(size, len(images)), random_state=trial.seed)
        pca.fit(images.reshape(len(images), -1))
        codes = pca.transform(held_out.reshape(len(held_out), -1))
        outputs = np.clip(pca.inverse_transform(codes), -1.0, 1.0).reshape(held_out.shape)
    else:
        protocol = dataclasses.replace(protocol, latent_dim=size)
        outputs = digit_codes.trained(protocol, images, trial.seed).reconstruct(held_out)
    # In units of [0, 1], those of the published numbers.
    errors = np.sum(np.square(0.5 * (outputs - held_out)), axis=(1, 2, 3))
    scores = {
        "squared_error": float(np.mean(errors)),
        "psnr": float(np.mean(kgen.metrics.psnr(outputs, held_out))),
    }
    return scores, {"images": outputs[:100:10], "originals": held_out[:100:10]}


def describe(protocol):
    """Returns the protocol in sentences."""
    return [
        f"{protocol.data}; {digit_codes.said(protocol)}, the codes of each row's own size.",
        "Squared error summed over the pixels, in units of [0, 1], and PSNR in decibels, the means "
        "over the digits of the test split. PCA has the same training digits and the same sizes.",
    ]


COMPRESSION = table.Table(
    name="compression",
    full=digit_codes.Protocol(),
    small=digit_codes.Protocol(rounds=2000, filters=16),
    rows=ROWS,
    columns=COLUMNS,
    published=(
        Published("PCA, 30", {"squared_error": "13.87"}, HINTON, "pca_32"),
        Published("deep autoencoder, 30", {"squared_error": "3.00"}, HINTON, "autoencoder_32"),
    ),
    departures=(
        "not the published protocol, which is MNIST's 60,000 digits, a code of 30 and dense "
        "layers that are pretrained one by one: here mnist5k's 4,000, convolutions, and codes of "
        "2, 8 and 32. --data tfds:mnist takes the 60,000."
    ),
    describe=describe,
    train=train,
    draw=digit_codes.draw,
)
