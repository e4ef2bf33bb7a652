"""Modes reached and how evenly: for mixtures of known centres and for stacked MNIST."""

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import rel_entr

from kgen.metrics.arrays import (
    check_same_width,
    checked_integer,
    checked_labels,
    checked_number,
    checked_rows,
)
from kgen.metrics.bootstrap import bootstrap_seeds, counts_interval, shares_without_noise
from kgen.metrics.card import Card
from kgen.metrics.score import Score


def mixture_scores(points, centres, std, within=3.0, resamples=100, seed=0):
    """Modes reached, share of samples near a mode, and evenness over the modes of a mixture.

    The protocol of Lin et al. 2018 (PacGAN), section 4.1 and table 1, arXiv 1712.04086, on which
    its 2-D ring and grid are scored:

    - `"modes"`: number of modes that have at least one sample of high quality. A sample is of high
      quality if its nearest centre is at most `within` standard deviations away; it counts for that
      mode only.
    - `"high_quality"`: share of such samples, in [0, 1].
    - `"reverse_kl"`: KL(samples || uniform) = sum_m q_m log(q_m modes) in nats, where q_m is the
      share of all samples, near or far, whose nearest centre is m. From 0, every mode alike, to
      log(modes), one mode alone; a mode without samples adds nothing.

    The shares' intervals say how they spread over draws of samples; a share of 0 or 1 has one of no
    width. `"modes"` has none, as resampling can only lose modes.

    Args:
        points: Samples, array `(n, d)`.
        centres: Centres of the modes, array `(modes, d)`, at least 2.
        std: Standard deviation of every mode along each dimension.
        within: Radius of high quality, in standard deviations.
        resamples: Number of resamples of the bootstrap; 0 for no intervals.
        seed: Integer that fixes the resamples.

    Returns:
        Dict of three `Score`.

    Raises:
        ValueError: If an argument is not as said, or not finite.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import mixture_scores
        >>> points, centres = np.array([[0.0], [0.2], [5.0]]), np.array([[0.0], [4.0]])
        >>> scores = mixture_scores(points, centres, std=0.1)
        >>> [round(float(score), 3) for score in scores.values()]
        [1.0, 0.667, 0.057]
    """
    # Differs from the paper: its authors' released code takes the shares q_m of the samples of
    # high quality alone; here all count, so that a stray sample is not left out of the balance.
    points = checked_rows("points", points, minimum=1)
    centres = checked_rows("centres", centres)
    check_same_width("points", points, "centres", centres)
    std = checked_number("std", std, above=0.0)
    within = checked_number("within", within, above=0.0)
    distances, nearest = cKDTree(centres).query(points)
    near = (distances <= within * std).astype(int)
    counts = np.zeros((2, len(centres)), int)  # (far and near, modes)
    np.add.at(counts, (near, nearest), 1)

    def high_quality(counts):
        return counts[1].sum() / counts.sum()

    settings = {"modes": len(centres), "std": std, "within": within}
    share, of_mode, even = high_quality(counts), counts.sum(axis=0), np.ones(len(centres))
    modes = float(np.count_nonzero(counts[1]))
    draws = (resamples, seed)
    return {
        "modes": Score(modes, Card("modes", samples=len(points), settings=settings)),
        "high_quality": Score(
            share,
            _card("high_quality", len(points), settings, *draws),
            counts_interval(high_quality, counts, share, *draws, lowest=0.0, highest=1.0),
        ),
        "reverse_kl": Score(
            reverse_kl(of_mode, even),
            _card("reverse_kl", len(points), settings, *draws),
            _evenness_interval(of_mode, even, *draws),
        ),
    }


def label_scores(labels, modes, reference=None, smoothing=0.0, resamples=100, seed=0):
    """Modes reached and evenness over them, from the mode that a classifier says of each sample.

    For stacked MNIST, 1,000 modes: Metz et al. 2017 (unrolled GAN), arXiv 1611.02163, and Lin et
    al. 2018 (PacGAN), table 2, arXiv 1712.04086.

    - `"modes"`: number of distinct labels, each from its first sample on.
    - `"reverse_kl"`: KL(samples || reference) = sum_m q_m log(q_m / r_m) in nats, q_m the share of
      label m among the samples, r_m among the reference's; a label without samples adds nothing.
      Few samples bias it upwards, by about (modes - 1) / (2 n): 0.02 of 26,000 samples in 1,000
      modes.

    Args:
        labels: Integers `(n,)` in 0 .. modes - 1.
        modes: Number of modes there are, at least 2.
        reference: Integers `(m,)` in 0 .. modes - 1, the reference's labels; `None` for a uniform
            reference.
        smoothing: Added to the count of every mode of `reference`, so that it has a share in all.
        resamples: Number of resamples of the bootstrap of the samples; 0 for no interval.
        seed: Integer that fixes the resamples.

    Returns:
        Dict of two `Score`; only `"reverse_kl"` has an interval.

    Raises:
        ValueError: If an argument is not as said, or a mode has samples but no share of the
            reference, where the divergence is infinite: smoothing gives it one.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import label_scores
        >>> scores = label_scores(np.array([0, 0, 3, 3]), modes=4)
        >>> [round(float(score), 3) for score in scores.values()]
        [2.0, 0.693]
    """
    modes = checked_integer("modes", modes, 2)
    smoothing = checked_number("smoothing", smoothing, at_least=0.0)
    counts = np.bincount(checked_labels("labels", labels, modes), minlength=modes)
    settings, reference_samples = {"modes": modes}, None
    reference_counts = np.ones(modes)
    if reference is not None:
        reference = checked_labels("reference", reference, modes)
        reference_counts = np.bincount(reference, minlength=modes) + smoothing
        reference_samples = len(reference)
        settings["smoothing"] = smoothing
        lacking = np.flatnonzero((counts > 0) & (reference_counts == 0))
        if len(lacking):
            raise ValueError(
                f"`reference` must have a label of every mode that `labels` has; received none of "
                f"{len(lacking)} of them, the first {lacking[0]}. Expected a larger reference, or "
                "`smoothing` above 0, such as 0.5."
            )

    samples, draws = int(counts.sum()), (resamples, seed)
    divergence, reached = reverse_kl(counts, reference_counts), float(np.count_nonzero(counts))
    card = _card("reverse_kl", samples, settings, *draws, reference_samples)
    interval = _evenness_interval(counts, reference_counts, *draws)
    return {
        "modes": Score(reached, Card("modes", samples=samples, settings={"modes": modes})),
        "reverse_kl": Score(divergence, card, interval),
    }


def reverse_kl(counts, reference_counts):
    """KL(counts || reference) in nats between two sets of counts `(modes,)`, each of some sum.

    Infinite where `counts` has some and the reference none.
    """
    shares, reference = counts / np.sum(counts), reference_counts / np.sum(reference_counts)
    # Equal counts may come out below 0 by rounding.
    return max(float(np.sum(rel_entr(shares, reference))), 0.0)


def _evenness_interval(counts, reference_counts, resamples, seed):
    """The interval of `reverse_kl`, of resamples that are no more uneven than draws of counts."""
    # Of the modes reached: no draw of so many is known to reach another.
    reached = np.where(counts > 0, reference_counts, 0.0)
    freedom = np.count_nonzero(reached) - 1
    return counts_interval(
        lambda drawn: reverse_kl(drawn, reference_counts),
        counts,
        reverse_kl(counts, reference_counts),
        resamples,
        seed,
        lowest=0.0,
        shares=shares_without_noise(counts, reached / reached.sum(), freedom),
    )


def _card(metric, samples, settings, resamples, seed, reference_samples=None):
    return Card(
        metric,
        samples=samples,
        reference_samples=reference_samples,
        settings=dict(settings),
        seeds=bootstrap_seeds(resamples, seed),
    )
