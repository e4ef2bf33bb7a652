"""What can be said of a code: how many units are used, how active they are, how it contracts."""

import numpy as np

from kgen.core.precision import full_precision
from kgen.losses import contractive_penalty
from kgen.metrics.arrays import checked_images, checked_integer, checked_number, checked_rows
from kgen.metrics.bootstrap import bootstrap_seeds, mean_interval
from kgen.metrics.card import Card
from kgen.metrics.score import Score


def code_scores(model, images, threshold=0.01, batch_size=512, resamples=100, seed=0):
    """How many units of a code are in use, how active they are, and how much the code contracts.

    Args:
        model: `kgen.GenerativeModel` that encodes images without labels; of a `VAE` the codes are
            the means.
        images: Floats `(n, height, width, channels)` in [-1, 1], at least 2.
        threshold: Variance over images above which a unit is active; 0.01 in Burda et al. 2016,
            section 5.2, arXiv 1509.00519.
        batch_size: Images, and units of them in the Jacobian, that are computed at once.
        resamples: Number of resamples of the bootstrap over images for the mean activation's
            interval; 0 for none.
        seed: Integer that fixes the resamples.

    Returns:
        Dict of three `Score`: `"active_units"`, their number; `"mean_activation"`, over images and
        units, of a sparse code in [0, 1] the share of units that are on; and `"contraction"`,
        E[||dh/dx||_F^2] / sum_j Var(h_j), which is what `ContractiveAutoencoder` makes small and
        does not change with the scale of a code: of codes h = W x it is ||W||_F^2 / tr(W C W'), C
        being the images' covariance. Infinite of a code that is always the same.

    Raises:
        ValueError: If an argument is not as said.
        NotImplementedError: If the model cannot encode.

    Example:
        scores = kgen.metrics.code_scores(model, images)
        print(scores["active_units"])
    """
    images = checked_images("images", images, minimum=2).astype("float32")
    threshold = checked_number("threshold", threshold, at_least=0.0)
    batch_size = checked_integer("batch_size", batch_size, 1)
    codes = checked_rows("codes", model.encode(images, batch_size=batch_size))
    variances = codes.var(axis=0)
    activity = codes.mean(axis=1)
    facts = {"samples": len(images)}
    seeds = bootstrap_seeds(resamples, seed)
    jacobian = _squared_jacobian(model, images, codes.shape[1], batch_size)
    contraction = jacobian / variances.sum() if variances.any() else np.inf
    settings = {"threshold": threshold, "units": codes.shape[1]}
    return {
        "active_units": Score(
            np.sum(variances > threshold), Card("active_units", **facts, settings=settings)
        ),
        "mean_activation": Score(
            np.mean(activity),
            Card("mean_activation", **facts, seeds=seeds),
            mean_interval(activity, resamples, seed),
        ),
        "contraction": Score(contraction, Card("contraction", **facts)),
    }


def _squared_jacobian(model, images, units, batch_size):
    """E[||dh/dx||_F^2], exactly."""
    together = max(1, batch_size // units)
    total = 0.0
    with full_precision(model):
        for start in range(0, len(images), together):
            part = images[start : start + together]
            total += len(part) * float(contractive_penalty(model.encode_step, part, units))
    return total / len(images)
