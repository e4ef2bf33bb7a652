"""The Inception score of the class probabilities that a classifier gives to samples."""

import numpy as np
from scipy.special import xlogy

from kgen.metrics.arrays import checked_integer, checked_rows
from kgen.metrics.bootstrap import (
    bootstrap_seeds,
    centred_interval,
    resampling_generator,
    row_counts,
)
from kgen.metrics.card import Card
from kgen.metrics.score import Score

# A softmax in float16 sums to 1 no closer.
_ROUNDING = 1e-2


def inception_score(probabilities, splits=10, resamples=100, seed=0):
    """exp(E KL(p(y | x) || p(y))), the mean over splits of the samples.

    Salimans et al. 2016, section 4, arXiv 1606.03498, p(y) being the mean of p(y | x) over a split.
    It lies between 1, where all samples look alike or the classifier is never sure, and the number
    of classes; higher is better. The deviation is that of the splits (divisor splits), as
    published.

    Its value hangs on the classifier: with the original Inception network the training split of
    CIFAR-10, 50,000 images in 10 splits, scores 11.24, against which a classifier said to be that
    network can be checked. A split of few samples scores too low, as p(y) then comes from these.

    Args:
        probabilities: p(y | x), array `(n, classes)`: rows from 0 that sum to 1.
        splits: Number of splits of about one size, at most n / 2.
        resamples: Number of resamples of the bootstrap, within splits; 0 for no interval.
        seed: Integer that fixes the splits, which are random so that samples sorted by class do no
            harm, and the resamples.

    Returns:
        `Score`.

    Raises:
        ValueError: If an argument is not as said, or not finite.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import inception_score
        >>> round(float(inception_score(np.eye(4), splits=1)), 6)
        4.0
    """
    # Differs from the paper: its authors' code splits the samples in the order in which they come.
    probabilities = _checked_distributions(probabilities)
    splits = checked_integer("splits", splits, 1)
    samples = len(probabilities)
    if splits > samples // 2:
        raise ValueError(
            f"`splits` must be at most {samples // 2}, so that each has 2 of the {samples} "
            f"samples; received {splits}."
        )
    generator = resampling_generator(resamples, seed)
    order = np.random.default_rng([seed, 0]).permutation(samples)
    scores, replicates = [], []
    for rows in np.array_split(order, splits):
        scores.append(_scores(probabilities[rows], np.ones((1, len(rows))))[0])
        if generator is not None:
            counts = row_counts(generator, len(rows), resamples)
            replicates.append(_scores(probabilities[rows], counts))
    value, interval = float(np.mean(scores)), None
    classes = probabilities.shape[1]
    if generator is not None:
        interval = centred_interval(value, np.mean(replicates, axis=0), 1.0, float(classes))
    card = Card(
        "inception_score",
        samples=samples,
        settings={"splits": splits, "classes": classes},
        seeds={"splits": int(seed), **bootstrap_seeds(resamples, seed)},
    )
    return Score(value, card, interval, np.std(scores))


def _scores(probabilities, counts):
    """Inception scores `(resamples,)` of resamples that draw row i counts[:, i] times."""
    counts = counts / np.sum(counts, axis=1, keepdims=True)
    # The mean KL is the entropy of the mean less the mean of the entropies.
    marginal = counts @ probabilities  # (resamples, classes)
    given = counts @ np.sum(xlogy(probabilities, probabilities), axis=1)
    divergence = given - np.sum(xlogy(marginal, marginal), axis=1)
    return np.exp(np.maximum(divergence, 0.0))  # Below 0 by rounding alone.


def _checked_distributions(probabilities):
    probabilities = checked_rows("probabilities", probabilities)
    sums = np.sum(probabilities, axis=1)
    if np.min(probabilities) < 0.0 or np.max(np.abs(sums - 1.0)) > _ROUNDING:
        raise ValueError(
            "`probabilities` must have rows from 0 on that sum to 1, as a softmax gives; received "
            f"a least value of {np.min(probabilities):.4g} and sums from {np.min(sums):.4g} to "
            f"{np.max(sums):.4g}."
        )
    return probabilities / sums[:, None]
