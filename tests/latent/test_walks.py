"""Random walks: their start, their end, and the distribution of each step."""

import numpy as np
import pytest

from kgen.latent import random_walk


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("shape", [(6,), (3, 6)])
def test_a_walk_starts_where_it_should_and_repeats(closed, shape):
    start = normal(*shape).astype("float32")
    walk = random_walk(start, steps=20, closed=closed, seed=3)
    assert walk.shape == (20, *shape) and walk.dtype == np.float32
    np.testing.assert_array_equal(walk[0], start)
    np.testing.assert_array_equal(walk, random_walk(start, steps=20, closed=closed, seed=3))
    assert not np.allclose(walk, random_walk(start, steps=20, closed=closed, seed=4))


@pytest.mark.parametrize("closed", [True, False])
def test_each_step_is_a_draw_and_steps_are_correlated_as_said(closed):
    start = normal(20_000, seed=1)
    walk = random_walk(start, steps=40, smoothness=3.0, closed=closed)
    np.testing.assert_allclose(walk.mean(axis=1), 0.0, atol=0.03)
    np.testing.assert_allclose(walk.std(axis=1), 1.0, atol=0.03)
    for first, lag in ((0, 1), (0, 4), (10, 4), (20, 12)):
        found = np.corrcoef(walk[first], walk[first + lag])[0, 1]
        assert found == pytest.approx(np.exp(-(lag**2) / (4 * 3.0**2)), abs=0.03)


def test_a_closed_walk_has_no_seam():
    start = normal(5000)
    walk = np.float64(random_walk(start, steps=40, smoothness=3.0))
    steps = np.linalg.norm(np.diff(walk, axis=0, append=walk[:1]), axis=1)
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.05)
    walk = np.float64(random_walk(start, steps=40, smoothness=3.0, closed=False))
    assert np.linalg.norm(walk[-1] - walk[0]) > 5.0 * np.linalg.norm(walk[1] - walk[0])


def test_the_length_of_long_latents_hardly_changes():
    walk = random_walk(normal(2000), steps=50)
    lengths = np.linalg.norm(walk, axis=1) / 2000**0.5
    np.testing.assert_allclose(lengths, 1.0, atol=0.08)


def test_labels_stay():
    start = np.concatenate([normal(4), [0.0, 1.0]])
    walk = random_walk(start, steps=10, labels=2)
    np.testing.assert_array_equal(walk[:, 4:], np.tile([0.0, 1.0], (10, 1)))


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize(("steps", "smoothness"), [(1, 8.0), (3, 100.0), (50, 0.01)])
def test_extremes_are_finite(closed, steps, smoothness):
    walk = random_walk(normal(4), steps, smoothness, closed)
    assert walk.shape == (steps, 4) and np.isfinite(walk).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": [np.inf]}, "`start` must be finite"),
        ({"steps": 0}, "`steps` must be an integer of at least 1"),
        ({"smoothness": 0.0}, "`smoothness` must be a finite number above 0"),
        ({"closed": 1}, "`closed` must be True or False, received 1"),
        ({"seed": -1}, "`seed` must be an integer of at least 0"),
        ({"labels": 4}, "`labels` must be an integer from 0 to 3"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        random_walk(**{"start": normal(4), **arguments})
