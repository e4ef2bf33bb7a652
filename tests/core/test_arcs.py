"""Arcs: against Shoemake's formula, and where that has none."""

import numpy as np
import pytest

from kgen.core.arcs import on_arc


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape)


def test_shoemakes_formula_and_a_length_that_goes_evenly():
    starts, ends = normal(2, 20, 5)
    lengths = [np.linalg.norm(rows, axis=1, keepdims=True) for rows in (starts, ends)]
    here, there = starts / lengths[0], ends / lengths[1]
    angle = np.arccos(np.sum(here * there, axis=1, keepdims=True))
    for place in (0.0, 0.3, 1.0, 1.2):
        weights = np.sin((1.0 - place) * angle), np.sin(place * angle)
        expected = (weights[0] * here + weights[1] * there) / np.sin(angle)
        found = on_arc(starts, ends, np.full(20, place))
        size = (1.0 - place) * lengths[0] + place * lengths[1]
        np.testing.assert_allclose(found, expected * size, atol=1e-12)


def test_ends_are_exact_and_the_way_back_is_the_same():
    starts, ends = normal(2, 20, 5)
    np.testing.assert_array_equal(on_arc(starts, ends, 0.0), starts)
    np.testing.assert_array_equal(on_arc(starts, ends, 1.0), ends)
    np.testing.assert_allclose(on_arc(starts, ends, 0.3), on_arc(ends, starts, 0.7), atol=1e-12)


def test_parallel_ends_and_ends_of_no_length_are_joined_by_a_line():
    row, half = normal(1, 5), np.array([0.5])
    np.testing.assert_allclose(on_arc(row, 3.0 * row, half), 2.0 * row)
    np.testing.assert_allclose(on_arc(row, row, half), row)
    np.testing.assert_allclose(on_arc(0.0 * row, row, half), 0.5 * row)
    np.testing.assert_allclose(on_arc(row, 0.0 * row, half), 0.5 * row)
    np.testing.assert_array_equal(on_arc(0.0 * row, 0.0 * row, half), 0.0 * row)


@pytest.mark.parametrize("factor", [1.0, 0.3])
def test_opposite_ends_are_joined_by_an_arc(factor):
    rows = normal(20, 5)
    for place in (0.0, 0.25, 0.5, 0.8, 1.0):
        found = on_arc(rows, -factor * rows, place)
        size = (1.0 - place + place * factor) * np.linalg.norm(rows, axis=1)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), size)
        cosine = np.sum(found * rows, axis=1) / size / np.linalg.norm(rows, axis=1)
        np.testing.assert_allclose(cosine, np.cos(np.pi * place), atol=1e-12)
    almost = -rows * (1.0 + 1e-7 * normal(20, 5))
    middle = on_arc(rows, almost, 0.5)
    np.testing.assert_allclose(np.linalg.norm(middle, axis=1), np.linalg.norm(rows, axis=1), 1e-6)


def test_by_hand():
    """From (0, 0, 2) to its opposite by way of the first axis, of its smallest numbers the first"""
    found = on_arc([0.0, 0.0, 2.0], [0.0, 0.0, -2.0], 0.5)
    np.testing.assert_allclose(found, [2.0, 0.0, 0.0], atol=1e-12)
    # On a line no arc joins them.
    np.testing.assert_allclose(on_arc([1.0], [-1.0], 0.5), [0.0], atol=1e-12)
    np.testing.assert_allclose(on_arc([1.0], [3.0], 0.5), [2.0])
