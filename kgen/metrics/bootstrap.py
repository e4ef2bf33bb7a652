"""Bootstrap intervals: how far a score would move with other samples from the same source.

An interval here holds 95 % and says how a score spreads because these rows were drawn and no
others. It does not say how far a score of so few rows lies from the score of infinitely many: that
bias, which the Frechet distance of few samples has above all, is the same in every draw.
"""

import numpy as np
from scipy.special import rel_entr

from kgen.metrics.arrays import checked_integer


def bootstrap_interval(
    statistic, counts, value, resamples=100, seed=0, lowest=-np.inf, highest=np.inf
):
    """Returns the 95 % interval of a statistic of rows, or `None` without resamples.

    Efron and Tibshirani 1993, "An introduction to the bootstrap": rows are drawn from the sample
    with replacement, as many as there are.

    Rows that come from few units, as overlapping crops of a photograph do, are drawn by units,
    each with all its rows (Davison and Hinkley 1997, "Bootstrap methods and their application",
    section 3.8). Of so few as three units the interval is still too short.

    Args:
        statistic: Function from one array of row indices for each of `counts` to a float.
        counts: Tuple of the numbers of rows of the samples, which are resampled each on its own;
            or, in place of a number, the unit of every row, integers `(n,)`. Of one unit there is
            no interval.
        value: The statistic of the rows themselves.
        resamples: Number of resamples; 0 for no interval.
        seed: Integer that fixes the draws.
        lowest: Bound of the statistic, below which the interval does not reach.
        highest: The same above.

    Raises:
        ValueError: If `resamples` or `seed` is no integer from 0 on, or `resamples` is 1.
    """
    generator = resampling_generator(resamples, seed)
    if generator is None:
        return None
    groups = [None if np.ndim(count) == 0 else _rows_of_units(count) for count in counts]
    if any(rows is not None and len(rows) < 2 for rows in groups):
        return None

    def drawn(count, rows):
        if rows is None:
            return generator.integers(count, size=count)
        chosen = generator.integers(len(rows), size=len(rows))
        return np.concatenate([rows[unit] for unit in chosen])

    replicates = [
        statistic(*(drawn(*side) for side in zip(counts, groups, strict=True)))
        for _ in range(resamples)
    ]
    return centred_interval(value, replicates, lowest, highest)


def _rows_of_units(units):
    """The rows of every unit, a list of arrays."""
    return [np.flatnonzero(units == unit) for unit in np.unique(units)]


def mean_interval(numbers, resamples=100, seed=0, lowest=-np.inf, highest=np.inf, units=None):
    """Returns the 95 % interval of the mean of a number a row, or `None` without resamples.

    Args:
        numbers: Array `(n,)`.
        resamples: As in `bootstrap_interval`.
        seed: As in `bootstrap_interval`.
        lowest: As in `bootstrap_interval`.
        highest: As in `bootstrap_interval`.
        units: The unit of every row, integers `(n,)`; `None` for rows that are units themselves.
    """
    numbers = np.asarray(numbers, "float64")
    return bootstrap_interval(
        lambda rows: numbers[rows].mean(),
        (len(numbers) if units is None else units,),
        numbers.mean(),
        resamples,
        seed,
        lowest,
        highest,
    )


def counts_interval(
    statistic, counts, value, resamples=100, seed=0, lowest=-np.inf, highest=np.inf, shares=None
):
    """Returns the 95 % interval of a statistic of counts, or `None` without resamples.

    The same as resampling rows that fall into cells, without touching a row.

    Args:
        statistic: Function from counts of the shape of `counts` to a float.
        counts: Integers of any shape: the number of rows in every cell.
        value: The statistic of the counts themselves.
        resamples: As in `bootstrap_interval`.
        seed: As in `bootstrap_interval`.
        lowest: As in `bootstrap_interval`.
        highest: As in `bootstrap_interval`.
        shares: Shares of the cells to draw from, of the shape of `counts` and sum 1, such as those
            of `shares_without_noise`; `None` for the counts' own.
    """
    generator = resampling_generator(resamples, seed)
    if generator is None:
        return None
    total = counts.sum()
    shares = counts / total if shares is None else shares
    draws = generator.multinomial(total, shares.ravel(), size=resamples)
    replicates = [statistic(draw.reshape(counts.shape)) for draw in draws]
    return centred_interval(value, replicates, lowest, highest)


def shares_without_noise(counts, target, freedom):
    """Returns shares of cells as uneven against a target as those that the counts are drawn from.

    Shares of n counts lie further from the target than the shares they are drawn from: their
    Kullback-Leibler divergence is greater by about freedom / 2n (Wilks 1938). A resample of the
    counts adds as much again, so that the plain bootstrap of a statistic of this distance is up to
    1.7 times too wide. These shares are the counts', moved towards the target by so much.

    Args:
        counts: Integers of any shape.
        target: Shares of the same shape and of sum 1, above 0 wherever `counts` are.
        freedom: Degrees of freedom of the counts about the target.
    """
    shares = counts / counts.sum()
    divergence = np.sum(rel_entr(shares, target))
    noise = freedom / (2.0 * counts.sum())
    kept = np.sqrt(max(0.0, 1.0 - noise / divergence)) if divergence > 0.0 else 0.0
    return target + kept * (shares - target)


def centred_interval(value, replicates, lowest=-np.inf, highest=np.inf):
    """Returns the 95 % interval around a value from its replicates, clipped to its bounds.

    It is value + quantiles of (replicates - their mean). A resample holds rows more than once,
    which moves many statistics to one side (a Frechet distance up), so that the plain quantiles of
    the replicates may not even hold the value.
    """
    replicates = np.asarray(replicates, "float64")
    # Order statistic k of n as quantile k / (n + 1): with few replicates the usual k / n, which
    # puts the first and last at 0 and 1, gives intervals that are too short.
    ends = np.quantile(replicates - replicates.mean(), (0.025, 0.975), method="weibull")
    low, high = np.clip(value + ends, lowest, highest)
    return float(low), float(high)


def bootstrap_seeds(resamples, seed):
    """Returns a card's `seeds` for an interval: empty where nothing is drawn."""
    return {"bootstrap": int(seed)} if resamples else {}


def row_counts(generator, count, resamples):
    """Returns how often each row is drawn in each resample, float64 `(resamples, count)`."""
    draws = (generator.integers(count, size=count) for _ in range(resamples))
    return np.stack([np.bincount(rows, minlength=count) for rows in draws]).astype("float64")


def half_samples(generator, count, resamples):
    """Returns which rows are in each random half of them, booleans `(resamples, count)`.

    Shao and Wu 1989, "A general theory for jackknife variance estimation": a statistic of half the
    rows, each at most once, spreads about that of all as that of all spreads over draws, the
    variance of both being 2 / n - 1 / n = 1 / n of a row's. It stands in for the bootstrap where a
    row drawn twice would spoil the statistic, as with nearest neighbours.

    Args:
        generator: NumPy's generator of random numbers, `None` only without resamples.
        count: Number of rows.
        resamples: Number of halves, of count // 2 rows each.
    """
    if not resamples:
        return np.zeros((0, count), bool)
    return generator.permuted(np.tile(np.arange(count) < count // 2, (resamples, 1)), axis=1)


def resampling_generator(resamples, seed):
    """Returns a generator of random numbers, or `None` where nothing is to be drawn.

    Raises:
        ValueError: If `resamples` or `seed` is no integer from 0 on, or `resamples` is 1.
    """
    resamples, seed = checked_integer("resamples", resamples, 0), checked_integer("seed", seed, 0)
    if resamples == 1:
        raise ValueError("`resamples` must be 0, for no interval, or at least 2; received 1.")
    return np.random.default_rng(seed) if resamples else None
