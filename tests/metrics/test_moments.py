"""Streaming moments against NumPy in long doubles, and against all rows at once."""

import numpy as np
import pytest

from kgen.metrics.moments import Moments


def rows(count, dimensions, seed=0):
    draws = np.random.default_rng(seed)
    return draws.normal(size=(count, dimensions)) @ draws.normal(size=(dimensions, dimensions))


def assert_same(moments, other, **tolerance):
    assert moments.count == other.count
    np.testing.assert_allclose(moments.mean, other.mean, **tolerance)
    np.testing.assert_allclose(moments.covariance, other.covariance, **tolerance)


def test_numbers_by_hand():
    moments = Moments.of(np.array([[1, 0], [2, 0], [6, 3]]))
    assert moments.count == 3
    assert moments.mean.tolist() == [3.0, 1.0]
    # Deviations (-2, -1, 3) and (-1, -1, 2): sums 14, 9 and 6 over n - 1 = 2.
    np.testing.assert_allclose(moments.covariance, [[7.0, 4.5], [4.5, 3.0]], rtol=1e-15)


def test_as_numpy_has_them():
    features = rows(500, 7) + 3.0
    moments = Moments.of(features)
    np.testing.assert_allclose(moments.mean, features.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.covariance, np.cov(features.T), rtol=1e-12)


@pytest.mark.parametrize("sizes", [[1] * 60, [60], [7, 0, 13, 1, 39], [0, 59, 1]])
def test_batches_of_any_size_give_the_same(sizes):
    features = rows(60, 5) + 10.0
    moments = Moments(5)
    for batch in np.split(features, np.cumsum(sizes)[:-1]):
        moments.update(batch)
    assert_same(moments, Moments.of(features), rtol=1e-11, atol=1e-12)


def test_merged_parts_give_the_same_in_any_order():
    features = rows(90, 4) + np.arange(4) * 5.0
    parts = [features[:1], features[1:50], features[50:]]
    for order in ([0, 1, 2], [2, 0, 1]):
        moments = Moments(4)
        for number in order:
            moments.merge(Moments.of(parts[number]))
        moments.merge(Moments(4))
        assert_same(moments, Moments.of(features), rtol=1e-11)


def test_merging_leaves_the_other_as_it_was():
    moments, other = Moments.of(rows(5, 2)), Moments.of(rows(6, 2, seed=1))
    before = other.as_arrays()
    moments.merge(other)
    moments.update(rows(3, 2))
    assert all(np.array_equal(before[name], each) for name, each in other.as_arrays().items())


def test_a_million_rows_far_from_zero_stay_exact():
    """Of a mean of 1e6 a sum of squares would keep 4 digits of the variance; here all stay."""
    draws = np.random.default_rng(0)
    moments, wide = Moments(2), np.zeros((0, 2))
    for _ in range(50):
        batch = 1e6 + draws.normal(size=(20_000, 2)) * [1.0, 0.01]
        moments.update(batch)
        wide = np.concatenate([wide, batch])
    exact = wide.astype(np.longdouble)
    mean = exact.mean(axis=0)
    centred = (exact - mean).astype("float64")
    assert moments.count == 1_000_000
    np.testing.assert_allclose(moments.mean, mean.astype("float64"), rtol=1e-15)
    deviations = np.std(centred, axis=0)
    correlations = (moments.covariance - centred.T @ centred / 999_999) / np.outer(
        deviations, deviations
    )
    np.testing.assert_allclose(correlations, 0.0, atol=1e-10)


def test_float32_is_summed_in_float64():
    features = (1e4 + rows(10_000, 3)).astype("float32")
    moments = Moments.of(features)
    np.testing.assert_allclose(moments.covariance, np.cov(features.T.astype("float64")), rtol=1e-9)


def test_a_large_batch_is_taken_in_parts(monkeypatch):
    features = rows(1000, 3)
    whole = Moments.of(features)
    monkeypatch.setattr("kgen.metrics.moments._CHUNK", 30)
    assert_same(Moments.of(features), whole, rtol=1e-10, atol=1e-13)


def test_its_arrays_restore_it(tmp_path):
    moments = Moments.of(rows(20, 3))
    np.savez(tmp_path / "moments.npz", **moments.as_arrays())
    with np.load(tmp_path / "moments.npz") as arrays:
        restored = Moments.from_arrays(arrays)
    more = rows(4, 3, seed=1)
    moments.update(more)
    restored.update(more)
    assert_same(restored, moments, rtol=0.0)
    assert isinstance(restored.count, int)


def test_moments_of_nothing_can_be_saved_and_have_no_covariance():
    empty = Moments.from_arrays(Moments(3).as_arrays())
    assert empty.count == 0 and empty.mean.tolist() == [0.0] * 3
    empty.update(np.ones((1, 3)))
    with pytest.raises(ValueError, match="at least 2 rows; received 1"):
        _ = empty.covariance


def test_errors():
    moments = Moments(3)
    with pytest.raises(ValueError, match=r"`features` must have shape \(n, 3\); received \(2, 4\)"):
        moments.update(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="finite; received 1 values"):
        moments.update(np.array([[0.0, np.inf, 0.0]]))
    with pytest.raises(ValueError, match="`other` must be Moments of 3 dimensions; received 2"):
        moments.merge(Moments(2))
    with pytest.raises(ValueError, match="`dimensions`.*received 0"):
        Moments(0)
    with pytest.raises(ValueError, match=r"\['scatter'\]"):
        Moments.from_arrays({"count": 1, "mean": np.zeros(3)})
    with pytest.raises(ValueError, match=r"scatter of shape \(3, 3\)"):
        Moments.from_arrays({"count": 1, "mean": np.zeros(3), "scatter": np.zeros((3, 2))})
    assert moments.count == 0
