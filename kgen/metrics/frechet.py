"""The Frechet distance between two sets of features, each taken for a Gaussian."""

import numpy as np
import threadpoolctl
from scipy import linalg

from kgen.metrics.arrays import check_same_width, checked_number, checked_rows, checked_units
from kgen.metrics.bootstrap import bootstrap_interval, bootstrap_seeds
from kgen.metrics.card import Card
from kgen.metrics.moments import Moments
from kgen.metrics.score import Score

# Dimensions up to which a matrix is small.
_SMALL = 512


def frechet_distance(features, reference, shrinkage=None, resamples=100, seed=0, units=None):
    """|m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) of the means m and covariances C of two sets.

    Heusel et al. 2017, eq. 6, arXiv 1706.08500, over features of an Inception network, there called
    FID; Dowson and Landau 1982. It is a squared distance, in squared units of the features; from 0,
    lower is better. Covariances have divisor n - 1.

    Few samples bias it upwards, by an amount that differs between generators (Binkowski et al.
    2018, arXiv 1801.01401): compare scores of as many samples. The interval tells the spread over
    draws of samples and not this bias. It is too wide, up to twice, where rows are few (below some
    ten a dimension) or the two sets are all but alike. It resamples the sides that are arrays; what
    spread a side given as `Moments` has is not in it. A resample costs about as much as the
    distance itself.

    Args:
        features: Features of the samples, array `(n, d)` or `Moments` of d dimensions.
        reference: The same of the reference, `(m, d)`.
        shrinkage: `None`, or how far each covariance is moved towards its mean variance times the
            identity, in (0, 1]: C becomes (1 - shrinkage) C + shrinkage tr(C) / d I. Scores with
            and without it cannot be compared.
        resamples: Number of resamples of the bootstrap; 0 for no interval.
        seed: Integer that fixes the resamples.
        units: What the bootstrap draws of `features`, an array: integers `(n,)`, such as the
            photograph that each row is of a crop of; `None` for the rows themselves.

    Returns:
        `Score`; its interval is `None` where both sides are `Moments`.

    Raises:
        ValueError: If a side is no such array or moments, their widths differ, or a side has at
            most d rows and there is no shrinkage.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import frechet_distance
        >>> reference = np.array([[0.0], [1.0], [2.0]])
        >>> round(float(frechet_distance(reference + 3.0, reference)), 6)
        9.0
    """
    sides = [_checked_side("features", features), _checked_side("reference", reference)]
    if shrinkage is not None:
        shrinkage = checked_number("shrinkage", shrinkage, above=0.0, at_most=1.0)
    moments = [_moments(side) for side in sides]
    check_same_width("features", moments[0].mean[None], "reference", moments[1].mean[None])
    for name, side in zip(("features", "reference"), moments, strict=True):
        _check_enough(name, side, shrinkage)

    def of_moments(moments, trace_of_root):
        gaussians = [(side.mean, _shrunk(side.covariance, shrinkage)) for side in moments]
        return _distance(*gaussians[0], *gaussians[1], trace_of_root)

    value = of_moments(moments, _trace_of_root)
    arrays = [number for number, side in enumerate(sides) if not isinstance(side, Moments)]

    def of_resample(*rows):
        resampled = list(moments)
        for number, chosen in zip(arrays, rows, strict=True):
            resampled[number] = Moments.of(sides[number][chosen])
        return of_moments(resampled, _rough_trace_of_root)

    resamples = resamples if arrays else 0
    counts = tuple(len(sides[number]) for number in arrays)
    settings = {} if shrinkage is None else {"shrinkage": shrinkage}
    if units is not None:
        if 0 not in arrays:
            raise ValueError("`units` must be None where `features` are Moments.")
        counts = (checked_units(units, counts[0]), *counts[1:])
        settings["units"] = len(np.unique(units))
    card = Card(
        "frechet_distance",
        samples=moments[0].count,
        reference_samples=moments[1].count,
        settings=settings,
        seeds=bootstrap_seeds(resamples, seed),
    )
    # Small matrices are far faster on one thread, above all where cores are shared.
    threads = 1 if len(moments[0].mean) <= _SMALL else None
    with threadpoolctl.threadpool_limits(threads, "blas"):
        interval = bootstrap_interval(of_resample, counts, value, resamples, seed, lowest=0.0)
    return Score(value, card, interval)


def gaussian_frechet_distance(mean, covariance, other_mean, other_covariance):
    """|m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) of two Gaussians, as a float; from 0, 0 if equal.

    Dowson and Landau 1982, "The Frechet distance between multivariate normal distributions".

    Args:
        mean: Array `(d,)`.
        covariance: Symmetric array `(d, d)` without negative eigenvalues; it may be singular.
        other_mean: As `mean`.
        other_covariance: As `covariance`.

    Raises:
        ValueError: If an array is not as said, or not finite.

    Example:
        >>> from kgen.metrics.frechet import gaussian_frechet_distance
        >>> gaussian_frechet_distance([0.0], [[4.0]], [3.0], [[1.0]])
        10.0
    """
    mean, other_mean = _checked_mean("mean", mean), _checked_mean("other_mean", other_mean)
    check_same_width("mean", mean[None], "other_mean", other_mean[None])
    covariance = _checked_covariance("covariance", covariance, len(mean))
    other_covariance = _checked_covariance("other_covariance", other_covariance, len(mean))
    return _distance(mean, covariance, other_mean, other_covariance, _trace_of_root)


def _distance(mean, covariance, other_mean, other_covariance, trace_of_root):
    apart = np.sum((mean - other_mean) ** 2)
    if np.array_equal(covariance, other_covariance):
        return float(apart)
    root = trace_of_root(covariance, other_covariance)
    distance = apart + np.trace(covariance) + np.trace(other_covariance) - 2.0 * root
    return max(float(distance), 0.0)  # Below 0 by rounding alone.


def _trace_of_root(covariance, other):
    """The trace of (C C')^(1/2)."""
    # With C = F F^T and C' = G G^T, the eigenvalues of C C' are the squares of the singular values
    # of F^T G, whose sum is asked for. They keep twice the digits that square roots of eigenvalues
    # would.
    return np.sum(linalg.svdvals(_factor(covariance).T @ _factor(other), overwrite_a=True))


def _rough_trace_of_root(covariance, other):
    """The same about seven times faster, to 1e-8 of the largest variance a dimension."""
    factor = _factor(covariance)
    squares = linalg.eigvalsh(factor.T @ other @ factor, overwrite_a=True)
    return np.sum(np.sqrt(np.maximum(squares, 0.0)))


def _factor(covariance):
    """F with F F^T the covariance, (d, d)."""
    try:
        return linalg.cholesky(covariance, lower=True)
    except linalg.LinAlgError:  # Singular: a feature that is constant, or a sum of others.
        variances, directions = linalg.eigh(covariance)
        if variances[0] < -1e-8 * max(variances[-1], -variances[0]):
            raise ValueError(
                "A covariance must have eigenvalues from 0 on; received one of "
                f"{variances[0]:.4g}, the largest being {variances[-1]:.4g}."
            ) from None
        return directions * np.sqrt(np.maximum(variances, 0.0))


def _shrunk(covariance, shrinkage):
    if shrinkage is None:
        return covariance
    dimensions = len(covariance)
    spherical = np.trace(covariance) / dimensions * np.eye(dimensions)
    return (1.0 - shrinkage) * covariance + shrinkage * spherical


def _moments(side):
    return side if isinstance(side, Moments) else Moments.of(side)


def _check_enough(name, moments, shrinkage):
    if moments.count > moments.dimensions or (shrinkage is not None and moments.count >= 2):
        return
    raise ValueError(
        f"`{name}` must have more rows than dimensions; received {moments.count:,} rows of "
        f"{moments.dimensions:,} dimensions, whose covariance is singular. Expected more samples, "
        "`shrinkage` in (0, 1], or `kernel_distance`, which needs no covariance."
    )


def _checked_side(name, side):
    return side if isinstance(side, Moments) else checked_rows(name, side)


def _checked_mean(name, mean):
    mean = np.asarray(mean)
    if mean.ndim != 1:
        raise ValueError(f"`{name}` must have shape (d,); received {mean.shape}.")
    return checked_rows(name, mean[None], minimum=1)[0]


def _checked_covariance(name, covariance, dimensions):
    covariance = checked_rows(name, covariance, minimum=1)
    if covariance.shape != (dimensions, dimensions):
        raise ValueError(
            f"`{name}` must have shape {(dimensions, dimensions)}, as its mean has {dimensions} "
            f"dimensions; received {covariance.shape}."
        )
    largest = np.max(np.abs(covariance))
    if np.max(np.abs(covariance - covariance.T)) > 1e-8 * largest:
        raise ValueError(f"`{name}` must be symmetric; received another matrix.")
    return covariance
