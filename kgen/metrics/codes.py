"""What can be said of a code: how many units are used, how active they are, how it contracts."""

import numpy as np

from kgen.core.precision import full_precision
from kgen.losses import contractive_penalty
from kgen.metrics.arrays import checked_images, checked_integer, checked_number, checked_rows
from kgen.metrics.bootstrap import bootstrap_seeds, mean_interval
from kgen.metrics.card import Card
from kgen.metrics.score import Score


def code_scores(model, images, threshold=0.001, batch_size=512, resamples=100, seed=0):
    """How many units of a code are in use, how active they are, and how much the code contracts.

    None changes where a unit is scaled and the decoder makes up for it, but the mean activation,
    which means something of codes in [0, 1] alone.

    Args:
        model: `kgen.GenerativeModel` that encodes and decodes images without labels; of a `VAE` the
            codes are the means.
        images: Floats `(n, height, width, channels)` in [-1, 1], at least 2, not all the same.
        threshold: A unit is active if images that are decoded with the unit at its mean differ from
            those decoded as usual by a larger share of the images' variance than this.
        batch_size: Images, and units of them in the Jacobian, that are computed at once.
        resamples: Number of resamples of the bootstrap over images for the mean activation's
            interval; 0 for none.
        seed: Integer that fixes the resamples.

    Returns:
        Dict of three `Score`: `"active_units"`, their number; `"mean_activation"`, over images and
        units; and `"contraction"`, E[||dh/dx||_F^2] Var(x) / Var(h), the variances being sums over
        elements: what `ContractiveAutoencoder` makes small. Of d orthonormal projections it is d
        over the share of the variance that they hold; of a code that is always the same, infinite.

    Raises:
        ValueError: If an argument is not as said.
        NotImplementedError: If the model cannot encode or decode.

    Example:
        scores = kgen.metrics.code_scores(model, images)
        print(scores["active_units"])
    """
    # Active units by the variance of the codes themselves, as of Burda et al. 2016, section 5.2,
    # need codes whose scale a prior fixes.
    images = checked_images("images", images, minimum=2).astype("float32")
    threshold = checked_number("threshold", threshold, at_least=0.0)
    batch_size = checked_integer("batch_size", batch_size, 1)
    variance = images.var(axis=0, dtype="float64").sum()
    if not variance:
        raise ValueError("`images` must differ from each other; received copies of one image.")
    codes = checked_rows("codes", model.encode(images, batch_size=batch_size))
    spread = codes.var(axis=0).sum()
    jacobian = _squared_jacobian(model, images, codes.shape[1], batch_size)
    contraction = jacobian * variance / spread if spread else np.inf
    shares = _squares_of_units(model, codes, batch_size) / variance
    activity = codes.mean(axis=1)
    seeds = bootstrap_seeds(resamples, seed)
    facts = {"samples": len(images)}
    return {
        "active_units": Score(
            np.sum(shares > threshold),
            Card("active_units", settings={"threshold": threshold, "of": len(shares)}, **facts),
        ),
        "mean_activation": Score(
            np.mean(activity),
            Card("mean_activation", seeds=seeds, **facts),
            mean_interval(activity, resamples, seed),
        ),
        "contraction": Score(contraction, Card("contraction", **facts)),
    }


def _squares_of_units(model, codes, batch_size):
    """By which squared error each unit moves decoded images, `(d,)`, the mean over images."""
    decoded = model.decode(codes.astype("float32"), batch_size=batch_size)
    moved = np.empty(codes.shape[1])
    for unit in range(len(moved)):
        without = codes.astype("float32")
        without[:, unit] = codes[:, unit].mean()
        error = np.square(model.decode(without, batch_size=batch_size) - decoded, dtype="float64")
        moved[unit] = error.sum() / len(codes)
    return moved


def _squared_jacobian(model, images, units, batch_size):
    """E[||dh/dx||_F^2], exactly."""
    together = max(1, batch_size // units)
    total = 0.0
    with full_precision(model):
        for start in range(0, len(images), together):
            part = images[start : start + together]
            total += len(part) * float(contractive_penalty(model.encode_step, part, units))
    return total / len(images)
