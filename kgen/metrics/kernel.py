"""The kernel distance: an unbiased squared maximum mean discrepancy of two sets of features."""

import numpy as np

from kgen.metrics.arrays import check_same_width, checked_integer, checked_number, checked_rows
from kgen.metrics.bootstrap import (
    bootstrap_seeds,
    centred_interval,
    resampling_generator,
    row_counts,
)
from kgen.metrics.card import Card
from kgen.metrics.score import Score


def kernel_distance(
    features, reference, degree=3, scale=None, offset=1.0, block_size=1000, resamples=100, seed=0
):
    """Unbiased squared MMD with the kernel k(x, y) = (scale x.y + offset)^degree.

    Binkowski et al. 2018, section 4, arXiv 1801.01401, over features of an Inception network, there
    called KID, with degree 3, scale 1 / d and offset 1. Of a block of n rows a side it is

        mean of k(x, x') over pairs of two rows + the same of y - 2 mean of k(x, y),

    Gretton et al. 2012, eq. 3, and the score is the mean over blocks. It has no bias from few
    samples: near a distance of 0 it is negative about as often as positive, which is no error.
    Lower is better; its unit is the kernel's.

    The deviation is that of a block (divisor blocks - 1); a single block has none. The interval
    resamples the rows of every block and tells the spread of the mean over draws of samples; where
    the two sets are all but alike it is too wide, up to twice.

    Args:
        features: Features of the samples, array `(n, d)`.
        reference: Features of the reference, `(m, d)`.
        degree: Integer from 1 on.
        scale: Number above 0; `None` for 1 / d.
        offset: Number from 0 on.
        block_size: Most rows a side of one block, at least 2. The rows, in random order, are cut
            into as few blocks of one size as this allows; of the larger side only as many rows are
            used as the smaller has. Memory and time a row grow with it, and not with n and m.
        resamples: Number of resamples of the bootstrap; 0 for no interval.
        seed: Integer that fixes the order and the resamples.

    Returns:
        `Score`. Its card has the size and the number of the blocks.

    Raises:
        ValueError: If an argument is not as said, or not finite.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import kernel_distance
        >>> features, reference = np.array([[1.0], [3.0]]), np.array([[0.0], [2.0]])
        >>> float(kernel_distance(features, reference, degree=1))
        -1.0
    """
    # Differs from the paper: its blocks are 100 random subsets that share rows. Blocks that share
    # none have the same mean, and a deviation from which the mean's error can be told.
    features, reference = checked_rows("features", features), checked_rows("reference", reference)
    check_same_width("features", features, "reference", reference)
    degree = checked_integer("degree", degree, 1)
    dimensions = features.shape[1]
    scale = 1.0 / dimensions if scale is None else checked_number("scale", scale, above=0.0)
    offset = checked_number("offset", offset, at_least=0.0)
    block_size = checked_integer("block_size", block_size, 2)
    generator = resampling_generator(resamples, seed)

    rows = min(len(features), len(reference))
    # No block of one row: 3 rows in blocks of 2 are one block.
    blocks = min(-(-rows // block_size), rows // 2)
    size = rows // blocks
    values, replicates = [], []
    for x, y in zip(
        _blocks(features, blocks, size, [seed, 0]),
        _blocks(reference, blocks, size, [seed, 1]),
        strict=True,
    ):
        with np.errstate(over="ignore", invalid="ignore"):
            kernels = [(scale * (a @ b.T) + offset) ** degree for a, b in ((x, x), (y, y), (x, y))]
        if not all(np.isfinite(kernel).all() for kernel in kernels):
            raise ValueError(
                f"`features` and `reference` must be small enough for their kernel of degree "
                f"{degree} to be finite; received values up to "
                f"{max(np.abs(x).max(), np.abs(y).max()):g}."
            )
        once = np.ones((1, size))
        values.append(_discrepancies(*kernels, once, once)[0])
        if generator is not None:
            counts = (row_counts(generator, size, resamples) for _ in range(2))
            replicates.append(_discrepancies(*kernels, *counts))

    value = float(np.mean(values))
    interval = None
    if generator is not None:
        interval = centred_interval(value, np.mean(replicates, axis=0))
    card = Card(
        "kernel_distance",
        samples=len(features),
        reference_samples=len(reference),
        settings={
            "degree": degree,
            "scale": scale,
            "offset": offset,
            "block_size": size,
            "blocks": blocks,
        },
        seeds={"blocks": int(seed), **bootstrap_seeds(resamples, seed)},
    )
    return Score(value, card, interval, np.std(values, ddof=1) if blocks > 1 else None)


def _blocks(rows, blocks, size, seed):
    """Yields blocks `(size, d)` of rows, none twice, in an order drawn from a seed."""
    order = np.random.default_rng(seed).permutation(len(rows))
    for number in range(blocks):
        yield rows[order[number * size : (number + 1) * size]]


def _discrepancies(of_x, of_y, between, counts_x, counts_y):
    """Squared MMD of resamples, (resamples,), from the kernels `(n, n)` of one block.

    `counts_x` and `counts_y` `(resamples, n)` say how often each row is drawn. A row drawn twice
    makes no pair with itself: such a pair would be the diagonal that the unbiased mean leaves out.
    """
    return (
        _mean_over_pairs(of_x, counts_x)
        + _mean_over_pairs(of_y, counts_y)
        - 2.0 * np.sum((counts_x @ between) * counts_y, axis=1) / _pairs(counts_x, counts_y)
    )


def _mean_over_pairs(kernel, counts):
    alike = counts**2
    total = np.sum((counts @ kernel) * counts, axis=1) - alike @ np.diag(kernel)
    # A resample that is one row over and over, likely of few rows only, has no pair: its mean is
    # taken as 0 rather than 0 / 0.
    return total / np.maximum(_pairs(counts, counts) - np.sum(alike, axis=1), 1.0)


def _pairs(counts, other):
    return np.sum(counts, axis=1) * np.sum(other, axis=1)
