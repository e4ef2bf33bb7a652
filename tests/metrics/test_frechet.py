"""Frechet distance against closed forms for Gaussians and SciPy's matrix square root."""

import numpy as np
import pytest
from scipy import linalg

from kgen.metrics.frechet import (
    _rough_trace_of_root,
    frechet_distance,
    gaussian_frechet_distance,
)
from kgen.metrics.moments import Moments

DRAWS = np.random.default_rng(0)


def covariance(dimensions, rank=None):
    factor = DRAWS.normal(size=(dimensions, rank or dimensions + 3))
    return factor @ factor.T


def rows(count, dimensions, seed):
    return np.random.default_rng(seed).normal(size=(count, dimensions))


def by_sqrtm(mean, cov, other_mean, other_cov):
    """The formula as it stands in the paper."""
    root = linalg.sqrtm(cov @ other_cov)
    apart = np.sum((mean - other_mean) ** 2)
    return apart + np.trace(cov + other_cov - 2.0 * root.real)


def test_gaussians_of_one_dimension():
    # (m - m')^2 + (s - s')^2.
    found = gaussian_frechet_distance([1.0], [[9.0]], [3.0], [[25.0]])
    assert found == pytest.approx(2.0**2 + 2.0**2, rel=1e-14)


def test_diagonal_covariances():
    variances, others = np.array([1.0, 4.0, 9.0]), np.array([16.0, 4.0, 1.0])
    mean, other = np.array([1.0, 0.0, 2.0]), np.array([0.0, 0.0, -1.0])
    found = gaussian_frechet_distance(mean, np.diag(variances), other, np.diag(others))
    assert found == pytest.approx(10.0 + (1 - 4) ** 2 + 0 + (3 - 1) ** 2, rel=1e-14)


def test_commuting_covariances():
    """Of one set of eigenvectors: the sum of squared differences of deviations."""
    axes = linalg.qr(DRAWS.normal(size=(6, 6)))[0]
    deviations, others = DRAWS.uniform(0.1, 3.0, (2, 6))
    found = gaussian_frechet_distance(
        np.zeros(6), (axes * deviations**2) @ axes.T, np.zeros(6), (axes * others**2) @ axes.T
    )
    assert found == pytest.approx(np.sum((deviations - others) ** 2), rel=1e-12)


@pytest.mark.parametrize("dimensions", [2, 5, 40])
def test_covariances_that_do_not_commute_against_scipy(dimensions):
    cov, other = covariance(dimensions), covariance(dimensions)
    mean, other_mean = DRAWS.normal(size=(2, dimensions))
    found = gaussian_frechet_distance(mean, cov, other_mean, other)
    assert found == pytest.approx(by_sqrtm(mean, cov, other_mean, other), rel=1e-9)


def test_the_trace_that_resamples_take_is_the_same():
    cov, other = covariance(9), covariance(9, rank=6)
    root = linalg.sqrtm(cov @ other).real
    assert _rough_trace_of_root(cov, other) == pytest.approx(np.trace(root), rel=1e-6)
    assert _rough_trace_of_root(other, cov) == pytest.approx(np.trace(root), rel=1e-6)


def test_singular_covariances():
    # Of features that are constant on one side or both.
    cov, other = np.diag([4.0, 0.0, 0.0]), np.diag([1.0, 9.0, 0.0])
    found = gaussian_frechet_distance(np.zeros(3), cov, np.zeros(3), other)
    assert found == pytest.approx((2 - 1) ** 2 + 9, rel=1e-14)
    # A covariance of rank 1, u u^T: tr (u u^T C)^(1/2) = (u^T C u)^(1/2).
    u, full = DRAWS.normal(size=4), covariance(4)
    found = gaussian_frechet_distance(np.zeros(4), np.outer(u, u), np.zeros(4), full)
    assert found == pytest.approx(u @ u + np.trace(full) - 2 * np.sqrt(u @ full @ u), rel=1e-7)


def test_symmetric_scaled_and_never_negative():
    cov, other = covariance(8), covariance(8)
    mean = DRAWS.normal(size=8)
    distance = gaussian_frechet_distance(mean, cov, 0 * mean, other)
    assert gaussian_frechet_distance(0 * mean, other, mean, cov) == pytest.approx(distance)
    # A squared distance: features times 3 make it 9 times as large.
    tripled = gaussian_frechet_distance(3 * mean, 9 * cov, 0 * mean, 9 * other)
    assert tripled == pytest.approx(9 * distance)
    for _ in range(20):
        near = cov * (1.0 + 1e-15 * DRAWS.integers(-9, 9))
        assert 0.0 <= gaussian_frechet_distance(mean, cov, mean, near) < 1e-10


def test_features_against_scipy():
    features, reference = 1.0 + 2.0 * rows(300, 6, 1), rows(200, 6, 2)
    expected = by_sqrtm(
        features.mean(0), np.cov(features.T), reference.mean(0), np.cov(reference.T)
    )
    score = frechet_distance(features, reference, resamples=0)
    assert float(score) == pytest.approx(expected, rel=1e-10)
    assert score.interval is None
    assert (score.card.metric, score.card.samples) == ("frechet_distance", 300)
    assert score.card.reference_samples == 200
    assert score.card.settings == {} and score.card.seeds == {}


def test_equal_features_have_distance_0():
    features = rows(50, 6, 1)
    assert frechet_distance(features, features.copy()) == 0.0


def test_a_shift_of_all_samples_is_its_squared_length():
    features = rows(50, 6, 1)
    shifted = frechet_distance(features + np.array([3.0, 4.0, 0, 0, 0, 0]), features, resamples=0)
    assert float(shifted) == pytest.approx(25.0)


def test_moments_stand_for_their_features():
    features, reference = rows(60, 4, 1), 0.5 + rows(50, 4, 2)
    expected = frechet_distance(features, reference)
    for sides in (
        (Moments.of(features), reference),
        (features, Moments.of(reference)),
        (Moments.of(features), Moments.of(reference)),
    ):
        score = frechet_distance(*sides)
        assert float(score) == pytest.approx(float(expected), rel=1e-12)
        both = all(isinstance(side, Moments) for side in sides)
        assert (score.interval is None) == both
        if not both:
            # Only one side's draws are in it.
            width = score.interval[1] - score.interval[0]
            assert width < expected.interval[1] - expected.interval[0]
        assert score.card.seeds == ({} if both else {"bootstrap": 0})


def test_too_few_samples_say_what_to_do():
    few, many = rows(6, 6, 0), rows(100, 6, 1)
    message = "`features`.*received 6 rows of 6 dim.*more samples.*`shrinkage`.*`kernel_distance`"
    with pytest.raises(ValueError, match=message):
        frechet_distance(few, many)
    with pytest.raises(ValueError, match="`reference` must have more rows"):
        frechet_distance(many, Moments.of(few))
    assert frechet_distance(rows(7, 6, 0), many, resamples=0) > 0.0
    assert frechet_distance(rows(2, 6, 0), many, shrinkage=0.5) > 0.0


def test_shrinkage_moves_each_covariance_to_its_mean_variance():
    features, reference = rows(30, 3, 1) * [1, 2, 3], 1.0 + rows(40, 3, 2)

    def shrunk(side):
        cov = np.cov(side.T)
        return 0.75 * cov + 0.25 * np.trace(cov) / 3 * np.eye(3)

    expected = by_sqrtm(features.mean(0), shrunk(features), reference.mean(0), shrunk(reference))
    score = frechet_distance(features, reference, shrinkage=0.25)
    assert float(score) == pytest.approx(expected, rel=1e-10)
    assert score.card.settings == {"shrinkage": 0.25}
    with pytest.raises(ValueError, match="unlike cards"):
        score.difference(frechet_distance(features, reference))


def test_the_interval_is_around_the_score_and_repeats():
    features, reference = rows(60, 10, 1), rows(60, 10, 2)
    score = frechet_distance(features, reference)
    # Resamples, which hold rows twice, score higher all through; the interval must not.
    assert 0.0 <= score.interval[0] < score < score.interval[1]
    assert frechet_distance(features, reference).interval == score.interval
    assert frechet_distance(features, reference, seed=1).interval != score.interval
    near = frechet_distance(np.tile(features, (20, 1)), np.tile(reference, (20, 1)))
    assert near.interval[1] - near.interval[0] < 0.5 * (score.interval[1] - score.interval[0])


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(features=np.zeros(5)), "`features` must have shape"),
        (dict(features=np.zeros((1, 2))), "`features` must have at least 2 rows; received 1"),
        (dict(features=np.full((9, 2), np.nan)), "`features` must be finite; received 18"),
        (dict(features=np.array([["a", "b"]])), "`features` must be an array of numbers"),
        (
            dict(reference=np.zeros((9, 3))),
            "`features` and `reference`.* rows of 2 and of 3 numbers",
        ),
        (dict(reference=Moments(3)), "`features` and `reference`.* rows of 2 and of 3 numbers"),
        (dict(shrinkage=0.0), "`shrinkage`.*above 0.0 and at most 1.0; received 0.0"),
        (dict(shrinkage=1.5), "`shrinkage`"),
        (dict(resamples=-1), "`resamples`"),
    ],
)
def test_errors(arguments, message):
    complete = dict(features=rows(9, 2, 0), reference=rows(9, 2, 1))
    with pytest.raises(ValueError, match=message):
        frechet_distance(**{**complete, **arguments})


def test_errors_of_gaussians():
    mean, cov = np.zeros(2), np.eye(2)
    with pytest.raises(ValueError, match="`covariance` must be symmetric"):
        gaussian_frechet_distance(mean, [[1.0, 0.5], [0.0, 1.0]], mean, cov)
    with pytest.raises(ValueError, match="eigenvalues from 0 on; received one of -1"):
        gaussian_frechet_distance(mean, [[1.0, 2.0], [2.0, 1.0]], mean, cov)
    with pytest.raises(ValueError, match=r"`other_covariance` must have shape \(2, 2\)"):
        gaussian_frechet_distance(mean, cov, mean, np.eye(3))
    with pytest.raises(ValueError, match=r"`mean` must have shape \(d,\)"):
        gaussian_frechet_distance(cov, cov, mean, cov)
    with pytest.raises(ValueError, match="`mean` and `other_mean`"):
        gaussian_frechet_distance(np.zeros(3), np.eye(3), mean, cov)
