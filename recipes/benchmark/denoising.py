"""How well a denoising autoencoder cleans digits, against a median filter and a linear map.

Vincent et al. 2008 and 2010 (denoising autoencoders), with the corruptions of theirs.
"""

import keras
import numpy as np
import scipy.ndimage
from sklearn.linear_model import Ridge

import kgen.metrics
from kgen.core import SeededNoise
from kgen.models import DenoisingAutoencoder
from kgen.models.corruption import CORRUPTIONS
from recipes.benchmark import digit_codes, table
from recipes.benchmark.report import Column

# The amounts of each corruption: deviation in units of [-1, 1], and shares of the pixels.
AMOUNTS = {"gaussian": 0.5, "masking": 0.5, "salt_and_pepper": 0.2}

# Each row's corruption and what cleans the images: nothing, a filter or a model.
ROWS = {
    f"{corruption}_{method}": (corruption, method)
    for corruption in AMOUNTS
    for method in ("noisy", "median", "linear", "autoencoder")
}

COLUMNS = (Column("psnr", "PSNR", digits=2), Column("ssim", "SSIM", digits=3))

WINDOWS = (3, 5)

# Of the linear map: how often each training digit is corrupted anew, and weights of its penalty.
DRAWS, PENALTIES = 8, (100.0, 1000.0, 10_000.0)


def train(protocol, trial):
    """Cleans the corrupted test split and scores it. Returns `(scores, arrays)`."""
    corruption, method = ROWS[trial.row]
    clean, _ = digit_codes.digits(protocol, "test")
    # The same corrupted digits for all trials and methods.
    noisy = _corrupted(clean, corruption, protocol.seed)
    if method == "autoencoder":
        images, _ = digit_codes.digits(protocol, "train+validation")
        model = digit_codes.trained(
            protocol,
            images,
            trial.seed,
            DenoisingAutoencoder,
            corruption=corruption,
            amount=AMOUNTS[corruption],
        )
        cleaned = model.reconstruct(noisy)
    elif method == "linear":
        images, _ = digit_codes.digits(protocol, "train+validation")
        cleaned = _linear_map(images, corruption, trial.seed)(noisy)
    elif method == "median":
        # The better of the windows on the test split itself: the baseline gets the doubt.
        shown = np.clip(noisy, -1.0, 1.0)
        tried = [scipy.ndimage.median_filter(shown, (1, window, window, 1)) for window in WINDOWS]
        cleaned = max(tried, key=lambda images: np.mean(kgen.metrics.psnr(images, clean)))
    else:
        cleaned = noisy
    cleaned = np.clip(cleaned, -1.0, 1.0)
    scores = {
        "psnr": float(np.mean(kgen.metrics.psnr(cleaned, clean))),
        "ssim": float(np.mean(kgen.metrics.ssim(cleaned, clean))),
    }
    return scores, {"images": cleaned[:100:10], "originals": clean[:100:10]}


def _corrupted(images, corruption, seed):
    found = CORRUPTIONS[corruption](images, AMOUNTS[corruption], SeededNoise(seed))
    return keras.ops.convert_to_numpy(found)


def _linear_map(images, corruption, seed):
    """Returns the function from corrupted images to clean ones that ridge regression finds."""
    draws = range(1000 * (seed + 1), 1000 * (seed + 1) + DRAWS)
    noisy = np.stack([_corrupted(images, corruption, draw) for draw in draws])
    noisy = noisy.reshape(DRAWS, len(images), -1)
    clean = np.broadcast_to(images.reshape(len(images), -1), noisy.shape)
    kept = len(images) // 10  # What the penalty is chosen on.
    width = noisy.shape[-1]

    def fitted(penalty):
        ridge = Ridge(penalty, solver="cholesky")
        return ridge.fit(noisy[:, kept:].reshape(-1, width), clean[:, kept:].reshape(-1, width))

    def error(ridge):
        return np.mean(np.square(ridge.predict(noisy[0, :kept]) - clean[0, :kept]))

    best = min(map(fitted, PENALTIES), key=error)
    return lambda images: best.predict(images.reshape(len(images), -1)).reshape(images.shape)


def describe(protocol):
    """Returns the protocol in sentences."""
    amounts = ", ".join(f"{name} {amount}" for name, amount in AMOUNTS.items())
    return [
        f"{protocol.data}; {digit_codes.said(protocol)}, squared error.",
        f"Corruption: {amounts} (deviation in units of [-1, 1]; shares of the pixels), drawn once "
        f"and not clipped, as in training. The median filter has the better window of {WINDOWS} "
        "pixels by its PSNR on the test split; the linear map is that of ridge regression on "
        f"{DRAWS} draws of each training digit, its penalty chosen on a tenth of the digits. "
        "Scores are means over the test split, of images clipped to [-1, 1].",
    ]


DENOISING = table.Table(
    name="denoising",
    full=digit_codes.Protocol(),
    small=digit_codes.Protocol(rounds=3000, trials=1),
    rows=ROWS,
    columns=COLUMNS,
    published=(),
    departures=(
        "nothing was published of this; the corruptions are those of the papers, on mnist5k's "
        "4,000 digits or, with --data tfds:mnist, MNIST's 60,000."
    ),
    describe=describe,
    train=train,
    draw=digit_codes.draw,
)
