"""Kernel distance against direct double sums, and its lack of bias."""

import numpy as np
import pytest

from kgen.metrics.kernel import _discrepancies, kernel_distance


def rows(count, dimensions, seed, mean=0.0):
    return mean + np.random.default_rng(seed).normal(size=(count, dimensions))


def by_sums(x, y, kernel):
    """Eq. 3 of Gretton et al. 2012, term by term."""
    n, m = len(x), len(y)
    within_x = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j)
    within_y = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j)
    between = sum(kernel(a, b) for a in x for b in y)
    return within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * between / (n * m)


def cubic(a, b):
    return (sum(p * q for p, q in zip(a, b, strict=True)) / len(a) + 1.0) ** 3


def test_one_block_is_the_double_sum():
    x, y = rows(12, 4, 0), rows(12, 4, 1, mean=0.5)
    score = kernel_distance(x, y)
    assert float(score) == pytest.approx(by_sums(x, y, cubic), rel=1e-12)
    assert score.deviation is None
    assert score.card.metric == "kernel_distance"
    assert score.card.settings == {
        "degree": 3, "scale": 0.25, "offset": 1.0, "block_size": 12, "blocks": 1
    }  # fmt: skip


def test_the_kernel_is_as_asked_for():
    x, y = rows(6, 3, 0), rows(6, 3, 1)
    score = kernel_distance(x, y, degree=2, scale=0.7, offset=0.3)
    expected = by_sums(x, y, lambda a, b: (0.7 * float(a @ b) + 0.3) ** 2)
    assert float(score) == pytest.approx(expected, rel=1e-11)


def test_numbers_by_hand():
    # Of k = x y: 3 + 0 - 2 (0 + 2 + 0 + 6) / 4.
    score = kernel_distance([[1.0], [3.0]], [[0.0], [2.0]], degree=1, offset=0.0)
    assert float(score) == pytest.approx(-1.0)


def test_of_a_linear_kernel_it_estimates_the_squared_distance_of_the_means():
    x, y = rows(4000, 3, 0, mean=[2.0, 0.0, 0.0]), rows(4000, 3, 1)
    score = kernel_distance(x, y, degree=1, scale=1.0)
    assert float(score) == pytest.approx(4.0, abs=0.2)
    assert score.interval[0] < 4.0 < score.interval[1]


def test_blocks_share_no_row_and_give_mean_and_deviation():
    """Blocks of one row's multiples: each block's value names the rows that are in it."""
    x, y = rows(30, 2, 0), rows(30, 2, 1)
    score = kernel_distance(x, y, block_size=10, seed=4)
    assert score.card.settings["blocks"] == 3 and score.card.settings["block_size"] == 10
    x_order = np.random.default_rng([4, 0]).permutation(30).reshape(3, 10)
    y_order = np.random.default_rng([4, 1]).permutation(30).reshape(3, 10)
    blocks = [by_sums(x[a], y[b], cubic) for a, b in zip(x_order, y_order, strict=True)]
    assert float(score) == pytest.approx(np.mean(blocks), rel=1e-11)
    assert score.deviation == pytest.approx(np.std(blocks, ddof=1), rel=1e-11)


@pytest.mark.parametrize(
    "samples, reference, block_size, size, blocks",
    [
        (25, 25, 10, 8, 3), (25, 100, 10, 8, 3), (100, 25, 10, 8, 3), (3, 3, 2, 3, 1),
        (4, 9, 2, 2, 2), (1000, 1000, 1000, 1000, 1), (1001, 1001, 1000, 500, 2),
    ],
)  # fmt: skip
def test_as_few_blocks_of_one_size_as_go(samples, reference, block_size, size, blocks):
    score = kernel_distance(
        rows(samples, 2, 0), rows(reference, 2, 1), block_size=block_size, resamples=0
    )
    settings = score.card.settings
    assert (settings["block_size"], settings["blocks"]) == (size, blocks)
    assert (score.card.samples, score.card.reference_samples) == (samples, reference)


def test_it_has_no_bias_and_is_negative_as_often_as_not():
    values = np.array(
        [
            float(kernel_distance(rows(8, 3, 2 * seed), rows(8, 3, 2 * seed + 1), resamples=0))
            for seed in range(600)
        ]
    )
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(len(values))
    assert 0.35 < np.mean(values < 0) < 0.75


def test_the_deviation_is_that_of_a_block():
    """As the deviation of values of so many fresh rows."""
    fresh = [
        float(kernel_distance(rows(20, 3, 2 * s), rows(20, 3, 2 * s + 1, 1.0), resamples=0))
        for s in range(300)
    ]
    score = kernel_distance(rows(4000, 3, 700), rows(4000, 3, 701, 1.0), block_size=20)
    assert score.deviation == pytest.approx(np.std(fresh), rel=0.25)
    width = score.interval[1] - score.interval[0]
    assert width == pytest.approx(2 * 1.96 * score.deviation / np.sqrt(200), rel=0.35)


def test_a_resample_has_no_pair_of_a_row_with_itself():
    x, y = rows(4, 2, 0), rows(4, 2, 1)
    drawn_x, drawn_y = [0, 0, 0, 3], [1, 2, 2, 3]
    counts = [np.bincount(drawn, minlength=4)[None] * 1.0 for drawn in (drawn_x, drawn_y)]
    kernels = [a @ b.T for a, b in ((x, x), (y, y), (x, y))]

    def within(kernel, drawn):
        return np.mean([kernel[i, j] for i in drawn for j in drawn if i != j])

    between = np.mean([kernels[2][i, j] for i in drawn_x for j in drawn_y])
    expected = within(kernels[0], drawn_x) + within(kernels[1], drawn_y) - 2 * between
    assert _discrepancies(*kernels, *counts) == pytest.approx(expected, rel=1e-12)


def test_seeds():
    x, y = rows(40, 3, 0), rows(40, 3, 1)
    score = kernel_distance(x, y, block_size=20, seed=1)
    again = kernel_distance(x, y, block_size=20, seed=1)
    assert (score, score.interval) == (again, again.interval)
    other = kernel_distance(x, y, block_size=20, seed=2)
    assert float(other) != float(score)
    assert score.card.seeds == {"blocks": 1, "bootstrap": 1}
    bare = kernel_distance(x, y, block_size=20, seed=1, resamples=0)
    assert bare == score and bare.interval is None and bare.card.seeds == {"blocks": 1}


def test_two_rows_give_finite_intervals():
    score = kernel_distance(rows(2, 3, 0), rows(2, 3, 1))
    assert np.isfinite([float(score), *score.interval]).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(features=np.zeros((1, 2))), "`features` must have at least 2 rows"),
        (dict(reference=np.zeros((5, 3))), "`features` and `reference`"),
        (dict(reference=np.full((5, 2), -np.inf)), "`reference` must be finite"),
        (dict(degree=0), "`degree`.*received 0"),
        (dict(degree=2.5), "`degree`.*received 2.5"),
        (dict(scale=0.0), "`scale`"),
        (dict(offset=-1.0), "`offset`"),
        (dict(block_size=1), "`block_size`.*at least 2; received 1"),
        (dict(resamples=1), "`resamples`"),
        (dict(seed=None), "`seed`"),
    ],
)
def test_errors(arguments, message):
    complete = dict(features=rows(5, 2, 0), reference=rows(5, 2, 1))
    with pytest.raises(ValueError, match=message):
        kernel_distance(**{**complete, **arguments})


def test_a_kernel_that_overflows_is_refused():
    with pytest.raises(ValueError, match="small enough for their kernel of degree 3"):
        kernel_distance(np.full((4, 2), 1e120), np.ones((4, 2)))
