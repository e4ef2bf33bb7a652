"""The ring and the grid of Gaussians against their protocol."""

import numpy as np
import pytest
import scipy.stats

from kgen.data.mixtures import (
    GRID_CENTRES,
    GRID_STD,
    RING_CENTRES,
    RING_STD,
    grid,
    ring,
)
from kgen.data.rows import Request

SOURCES = {"ring": (ring, RING_CENTRES, RING_STD), "grid": (grid, GRID_CENTRES, GRID_STD)}


def test_centres_and_deviations():
    assert (RING_STD, GRID_STD) == (0.01, 0.05)
    half = np.sqrt(0.5)
    expected = [(1, 0), (half, half), (0, 1), (-half, half), (-1, 0)]
    np.testing.assert_allclose(RING_CENTRES[:5], expected, atol=1e-15)
    np.testing.assert_allclose(RING_CENTRES[5:], -RING_CENTRES[1:4], atol=1e-15)
    places = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert {tuple(centre) for centre in GRID_CENTRES.tolist()} == places
    assert GRID_CENTRES[5 * 1 + 3].tolist() == [-2, 2]


@pytest.mark.parametrize("split, count", [("train", 100_000), ("test", 10_000)])
@pytest.mark.parametrize("name", SOURCES)
def test_modes_have_equal_shares_means_and_deviations(name, split, count):
    source, centres, std = SOURCES[name]
    rows = source(Request(split))
    assert (rows.count, rows.shape, rows.dtype, rows.label_shape) == (count, (2,), "float32", ())
    numbers = np.arange(count)
    points, modes = rows.examples(numbers), rows.labels(numbers)
    assert points.dtype == np.float32 and modes.dtype == np.int32
    counts = np.bincount(modes)
    assert len(counts) == len(centres)
    assert scipy.stats.chisquare(counts).pvalue > 1e-3
    offsets = points - centres[modes]
    for mode in range(len(centres)):
        own = offsets[modes == mode]
        assert np.abs(own.mean(0)).max() < 4.5 * std / np.sqrt(len(own))
        assert np.abs(own.std(0) / std - 1.0).max() < 4.5 / np.sqrt(2 * len(own))
    assert scipy.stats.kstest(offsets.ravel() / std, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(offsets.T)[0, 1]) < 4.5 / np.sqrt(count)
    # High quality as PacGAN counts it: within 3 deviations of the nearest mode.
    distances = np.linalg.norm(points[:2000, None] - centres, axis=-1).min(axis=1)
    assert np.mean(distances < 3 * std) == pytest.approx(1 - np.exp(-4.5), abs=0.01)


@pytest.mark.parametrize("name", SOURCES)
def test_a_row_is_the_same_alone_and_among_others(name):
    rows = SOURCES[name][0](Request(length=10**9))
    assert rows.count == 10**9
    numbers = np.array([10**9 - 1, 0, 17, 123_456_789])
    points, modes = rows.examples(numbers), rows.labels(numbers)
    for index, number in enumerate(numbers):
        assert np.array_equal(rows.examples(np.array([number]))[0], points[index])
        assert rows.labels(np.array([number]))[0] == modes[index]
    assert np.array_equal(rows.examples(numbers[::-1]), points[::-1])
    shorter = SOURCES[name][0](Request())
    assert np.array_equal(shorter.examples(numbers[1:3]), points[1:3])


@pytest.mark.parametrize("name", SOURCES)
def test_seeds_and_splits_differ(name):
    numbers = np.arange(1000)
    requests = [Request(), Request(seed=1), Request(seed=-1), Request("test")]
    points = [SOURCES[name][0](request).examples(numbers) for request in requests]
    for first in range(4):
        for second in range(first):
            assert not np.any(points[first] == points[second])


@pytest.mark.parametrize("argument, value", [("image_size", (8, 8)), ("channels", 1)])
def test_points_have_no_size_or_channels(argument, value):
    for source in (ring, grid):
        with pytest.raises(ValueError, match=f"{argument}: expected None.*{source.__name__}"):
            source(Request(**{argument: value}))
