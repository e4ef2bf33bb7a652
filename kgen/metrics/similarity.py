"""Similarity of pairs of images: L1, PSNR, SSIM and multi-scale SSIM."""

import numpy as np

from kgen.metrics.arrays import checked_pairs, checked_units
from kgen.metrics.bootstrap import bootstrap_seeds, mean_interval
from kgen.metrics.card import Card
from kgen.metrics.score import Score
from kgen.metrics.structural_similarity import DATA_RANGE, multi_scale_ssim, scale_weights, ssim


def l1(images, others):
    """Mean absolute difference of each pair, per pixel and channel, in units of [-1, 1].

    From 0, equal, to 2, black against white.

    Args:
        images: Floats `(n, height, width, channels)` in [-1, 1].
        others: The same.

    Returns:
        float64 `(n,)`.

    Raises:
        ValueError: If the arrays are not as said, or differ in shape.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import l1
        >>> l1(np.zeros((2, 4, 4, 1)), np.full((2, 4, 4, 1), -0.5))
        array([0.5, 0.5])
    """
    images, others = checked_pairs(images, others)
    return np.mean(np.abs(images - others), axis=(1, 2, 3))


def psnr(images, others):
    """Peak signal-to-noise ratio of each pair, 10 log10(2^2 / mean squared error), in decibels.

    2 is the range of the pixels; the mean is over pixels and channels. Two equal images have
    infinity, as by definition; never NaN.

    Args:
        images: Floats `(n, height, width, channels)` in [-1, 1].
        others: The same.

    Returns:
        float64 `(n,)`.

    Raises:
        ValueError: If the arrays are not as said, or differ in shape.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import psnr
        >>> images = np.zeros((2, 4, 4, 1))
        >>> psnr(images, images + 0.2).round(6)
        array([20., 20.])
    """
    images, others = checked_pairs(images, others)
    errors = np.mean((images - others) ** 2, axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(DATA_RANGE**2 / errors)


def similarity_scores(images, others, resamples=100, seed=0, units=None):
    """Mean L1, PSNR, SSIM and multi-scale SSIM over pairs, as of a reconstruction and its image.

    Args:
        images: Floats `(n, height, width, channels)` in [-1, 1], height and width at least 11, and
            at least 2 images.
        others: The same, each the pair of the one at its place.
        resamples: Number of resamples of the bootstrap over pairs; 0 for no intervals.
        seed: Integer that fixes the resamples.
        units: What the bootstrap draws: integers `(n,)`, such as the photograph that each pair is a
            crop of; `None` for the pairs themselves.

    Returns:
        Dict of four `Score`: `"l1"` in units of [-1, 1], `"psnr"` in decibels, `"ssim"` and
        `"multi_scale_ssim"`. Where a pair is equal, the mean PSNR is infinite and has no interval.

    Raises:
        ValueError: If an argument is not as said.
    """
    return named_similarity_scores(_MEASURES, images, others, resamples, seed, units)


# Of each measure the function, and its bounds.
_MEASURES = {
    "l1": (l1, 0.0, DATA_RANGE),
    "psnr": (psnr, -np.inf, np.inf),
    "ssim": (ssim, -1.0, 1.0),
    "multi_scale_ssim": (multi_scale_ssim, 0.0, 1.0),
}


def named_similarity_scores(names, images, others, resamples=100, seed=0, units=None):
    """Returns those of `similarity_scores` that are named, and computes no others."""
    images, others = checked_pairs(images, others, minimum=2)
    units = checked_units(units, len(images))
    scores = {}
    for name in names:
        measure, lowest, highest = _MEASURES[name]
        each, settings = measure(images, others), {}
        if measure is multi_scale_ssim:
            settings["scales"] = len(scale_weights(*images.shape[1:3]))
        if units is not None:
            settings["units"] = len(np.unique(units))
        drawn = resamples if np.isfinite(each).all() else 0
        card = Card(
            name,
            samples=len(images),
            reference_samples=len(others),
            settings=settings,
            seeds=bootstrap_seeds(drawn, seed),
        )
        interval = mean_interval(each, drawn, seed, lowest, highest, units)
        scores[name] = Score(np.mean(each), card, interval)
    return scores
