"""Bootstrap intervals against the theory of means, and the centring of biased statistics."""

import numpy as np
import pytest
from scipy import stats

from kgen.metrics.bootstrap import (
    bootstrap_interval,
    centred_interval,
    counts_interval,
    half_samples,
    mean_interval,
    row_counts,
    shares_without_noise,
)


def test_the_interval_of_a_mean_is_two_standard_errors_wide_each_way():
    numbers = np.random.default_rng(0).normal(5.0, 2.0, 400)
    low, high = mean_interval(numbers, resamples=5000)
    error = numbers.std() / 20.0
    assert low == pytest.approx(numbers.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(numbers.mean() + 1.96 * error, abs=0.1 * error)


def test_samples_are_resampled_each_on_its_own():
    draws = np.random.default_rng(1)
    first, second = draws.normal(size=200), draws.normal(size=300)

    def apart(rows, others):
        assert rows.shape == (200,) and others.shape == (300,)
        return first[rows].mean() - second[others].mean()

    low, high = bootstrap_interval(apart, (200, 300), 7.0, resamples=3000)
    error = np.sqrt(first.var() / 200 + second.var() / 300)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.06)
    assert (low + high) / 2 == pytest.approx(7.0, abs=0.1 * error)


def test_a_biased_statistic_has_its_interval_around_its_value():
    numbers = np.random.default_rng(2).normal(size=50)

    # The number of distinct rows: at most 50, and about 32 in every resample.
    def distinct(rows):
        return len(np.unique(numbers[rows]))

    low, high = bootstrap_interval(distinct, (50,), 50.0, resamples=500)
    assert 44 < low < 50 < high < 56
    assert bootstrap_interval(distinct, (50,), 50.0, resamples=500, highest=50.0) == (low, 50.0)


def test_replicates_by_hand():
    # Of 39 replicates the second half of 5 % on either side begins at the first and last one.
    replicates = 100.0 + np.random.default_rng(3).permutation(39)
    assert centred_interval(1.0, replicates) == pytest.approx((1.0 - 19.0, 1.0 + 19.0))
    assert centred_interval(1.0, replicates, lowest=0.0, highest=2.0) == (0.0, 2.0)
    assert centred_interval(1.0, [4.0, 4.0]) == (1.0, 1.0)
    # Of mean 1: all but one lie 1 below it and one 38 above.
    assert centred_interval(5.0, [0.0] * 38 + [39.0]) == pytest.approx((4.0, 43.0))


def test_counts_are_resampled_as_their_rows_would_be():
    rows = np.repeat([0, 1, 2], [50, 30, 20])

    def share(counts):
        return counts[0] / counts.sum()

    by_counts = counts_interval(share, np.array([50, 30, 20]), 0.5, resamples=4000)
    by_rows = mean_interval(rows == 0, resamples=4000)
    assert by_counts == pytest.approx(by_rows, abs=0.006)


def test_shares_without_noise_are_as_far_from_the_target_as_those_drawn_from():
    rng = np.random.default_rng(0)
    even = np.full(10, 0.1)
    for drawn_from in (even, np.linspace(0.9, 1.1, 10) / 10, np.arange(1, 11) / 55):
        found = [
            stats.entropy(shares_without_noise(rng.multinomial(1000, drawn_from), even, 9), even)
            for _ in range(400)
        ]
        expected = stats.entropy(drawn_from, even)
        assert np.mean(found) == pytest.approx(expected, abs=0.002)
    counts = np.array([[6, 0], [0, 4]])
    assert shares_without_noise(counts, counts / 10, 1) == pytest.approx(counts / 10)


def test_units_are_drawn_with_all_their_rows():
    """Rows of a unit that are all alike say no more than one of them: two standard errors of 40."""
    rng = np.random.default_rng(0)
    of_units = rng.normal(size=40)
    units = np.repeat(np.arange(40), 20)[rng.permutation(800)]
    low, high = mean_interval(of_units[units], resamples=2000, units=units)
    expected = 2 * 1.96 * of_units.std() / np.sqrt(40)
    assert high - low == pytest.approx(expected, rel=0.08)
    by_rows = np.ptp(mean_interval(of_units[units], resamples=2000))
    assert by_rows == pytest.approx(expected / np.sqrt(20), rel=0.08)


def test_units_by_hand():
    """Of two units, with 1 and 3 rows, each is drawn twice or both once."""
    found = set()

    def statistic(rows, others):
        assert len(others) == 5
        found.add(tuple(sorted(rows)))
        return float(len(rows))

    bootstrap_interval(statistic, (np.array([7, 2, 7, 7]), 5), 4.0, resamples=60)
    assert found == {(1, 1), (0, 1, 2, 3), (0, 0, 2, 2, 3, 3)}
    assert mean_interval(np.arange(4), units=np.zeros(4, int)) is None


def test_row_counts_sum_to_the_rows():
    counts = row_counts(np.random.default_rng(0), 7, 300)
    assert counts.shape == (300, 7) and counts.dtype == "float64"
    assert (counts.sum(axis=1) == 7).all()
    assert counts.mean(axis=0) == pytest.approx(np.ones(7), abs=0.2)


def test_halves_spread_as_the_whole_does():
    numbers = np.random.default_rng(5).normal(size=400)
    halves = half_samples(np.random.default_rng(0), 400, 4000)
    assert halves.shape == (4000, 400) and (halves.sum(axis=1) == 200).all()
    means = (halves * numbers).sum(axis=1) / 200
    assert means.std() == pytest.approx(numbers.std() / 20.0, rel=0.04)
    assert half_samples(None, 7, 0).shape == (0, 7)
    assert (half_samples(np.random.default_rng(0), 7, 5).sum(axis=1) == 3).all()


def test_seeds_fix_the_interval():
    numbers = np.random.default_rng(4).normal(size=30)
    assert mean_interval(numbers, seed=5) == mean_interval(numbers, seed=5)
    assert mean_interval(numbers, seed=5) != mean_interval(numbers, seed=6)


def test_without_resamples_there_is_none():
    assert mean_interval([1.0, 2.0], resamples=0) is None
    assert counts_interval(None, np.array([1, 2]), 0.0, resamples=0) is None
    assert bootstrap_interval(None, (3,), 0.0, resamples=0) is None


@pytest.mark.parametrize("arguments", [dict(resamples=1), dict(resamples=2.0), dict(seed=-1)])
def test_errors(arguments):
    with pytest.raises(ValueError, match=f"`{next(iter(arguments))}`"):
        mean_interval([1.0, 2.0], **arguments)
