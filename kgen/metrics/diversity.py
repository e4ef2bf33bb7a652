"""Diversity of samples: how unlike one another they are, by multi-scale SSIM."""

import numpy as np

from kgen.metrics.arrays import checked_images, checked_integer
from kgen.metrics.bootstrap import bootstrap_seeds, mean_interval
from kgen.metrics.card import Card
from kgen.metrics.score import Score
from kgen.metrics.structural_similarity import multi_scale_ssim, scale_weights

_MOST_PAIRS = 1000  # unless more are asked for

# Pairs that are compared at once.
_PAIRS = 128


def diversity(images, pairs=None, labels=None, resamples=100, seed=0):
    """Mean multi-scale SSIM over random pairs of distinct samples: in [0, 1], low if diverse.

    Lower is not better: noise has the lowest. It says something beside that of real images, which
    good samples share; far above it they are too much alike.

    Odena et al. 2017, section 4.2, arXiv 1610.09585, which takes 100 pairs of each class. Two
    samples are distinct by their place: a generator that repeats an image scores towards 1.

    Pairs come from random orders of the samples, so that none shares a sample while there are
    others left. The interval resamples the pairs: with more of them than half the samples, which
    share samples, it is too short.

    Args:
        images: Floats `(n, height, width, channels)` in [-1, 1], height and width at least 11, and
            at least 2 images.
        pairs: Number of pairs, at least 2; `None` for as many as share no sample, at most 1,000.
        labels: Integers `(n,)`: only samples of one class make a pair, and each class has as many
            pairs as any other, but for one. `None` for any two samples.
        resamples: Number of resamples of the bootstrap; 0 for no interval.
        seed: Integer that fixes the pairs and the resamples.

    Returns:
        `Score`. Its card has the number of pairs, of scales, and of classes where there are labels.

    Raises:
        ValueError: If an argument is not as said, or a class has but one sample.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import diversity
        >>> copies = np.tile(np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 1)), (4, 1, 1, 1))
        >>> round(float(diversity(copies)), 6)
        1.0
    """
    images = checked_images("images", images, minimum=2)
    if pairs is not None:
        pairs = checked_integer("pairs", pairs, 2)
    scales = len(scale_weights(*images.shape[1:3]))
    groups = [np.arange(len(images))] if labels is None else _groups(labels, len(images))
    if pairs is None:
        pairs = min(_MOST_PAIRS, len(groups) * min(len(group) // 2 for group in groups))
    if pairs == 1:
        resamples = 0  # One number has no spread.
    settings = {"pairs": pairs, "scales": scales}
    if labels is not None:
        settings["classes"] = len(groups)
    generator = np.random.default_rng([checked_integer("seed", seed, 0), 0])
    first, second = _pairs(groups, pairs, generator)
    numbers = np.empty(pairs)
    for start in range(0, pairs, _PAIRS):  # Few at a time, as each pair is a copy of its images.
        chunk = slice(start, start + _PAIRS)
        numbers[chunk] = multi_scale_ssim(images[first[chunk]], images[second[chunk]])
    card = Card(
        "diversity",
        samples=len(images),
        settings=settings,
        seeds={"pairs": int(seed), **bootstrap_seeds(resamples, seed)},
    )
    interval = mean_interval(numbers, resamples, seed, lowest=0.0, highest=1.0)
    return Score(np.mean(numbers), card, interval)


def _pairs(groups, pairs, generator):
    """Rows of the first and the second image of each pair, two arrays `(pairs,)`."""
    chosen = []
    for number, group in enumerate(groups):
        # The first groups have one more where the pairs do not go up evenly.
        wanted = pairs // len(groups) + (number < pairs % len(groups))
        found = 0
        while found < wanted:
            order = generator.permutation(group)
            half = min(len(order) // 2, wanted - found)
            chosen.append(order[: 2 * half].reshape(half, 2))
            found += half
    return np.concatenate(chosen).T


def _groups(labels, count):
    """The rows of every class."""
    labels = np.asarray(labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be integers of shape {(count,)}, one for each image; received "
            f"{labels.dtype} of shape {labels.shape}."
        )
    classes, sizes = np.unique(labels, return_counts=True)
    if sizes.min() < 2:
        raise ValueError(
            "`labels` must have at least 2 samples of every class; received 1 of class "
            f"{classes[sizes.argmin()]}."
        )
    return [np.flatnonzero(labels == name) for name in classes]
