"""Penalties on codes against NumPy and closed forms."""

import keras
import numpy as np
import pytest

from kgen import losses
from kgen.core import SeededNoise

RNG = np.random.default_rng(0)


def test_l1_sparsity_is_the_mean_norm():
    assert float(losses.l1_sparsity(np.array([[1.0, -2.0], [0.0, 0.5]]))) == pytest.approx(1.75)


def test_kl_sparsity_is_that_of_bernoulli_distributions():
    codes = RNG.uniform(size=(50, 3)).astype("float32")
    means = codes.astype("float64").mean(axis=0)
    expected = np.sum(0.1 * np.log(0.1 / means) + 0.9 * np.log(0.9 / (1 - means)))
    assert float(losses.kl_sparsity(codes, 0.1)) == pytest.approx(expected, rel=1e-5)


def test_kl_sparsity_is_zero_at_the_target_and_finite_at_the_ends():
    assert float(losses.kl_sparsity(np.full((4, 2), 0.25), 0.25)) == pytest.approx(0.0, abs=1e-6)
    for end in (0.0, 1.0):
        assert 0.0 < float(losses.kl_sparsity(np.full((4, 2), end), 0.05)) < 40.0


def sigmoids(dimensions=3, size=5):
    layer = keras.layers.Dense(dimensions, "sigmoid")
    layer.build((None, size))
    images = RNG.uniform(-1, 1, (7, size)).astype("float32")
    return layer, images


def test_contraction_is_the_papers_closed_form():
    """Rifai et al. 2011, eq. 3: sum_j (h_j (1 - h_j))^2 sum_i W_ij^2 of one layer of sigmoids."""
    layer, images = sigmoids()
    codes = np.asarray(layer(images), "float64")
    weights = np.asarray(layer.kernel, "float64")
    expected = np.mean(np.sum((codes * (1 - codes)) ** 2 * np.sum(weights**2, axis=0), axis=1))
    assert float(losses.contractive_penalty(layer, images, 3)) == pytest.approx(expected, rel=1e-5)


def test_projections_estimate_the_contraction_without_bias():
    layer, images = sigmoids()
    exact = float(losses.contractive_penalty(layer, images, 3))
    few, many = (
        float(losses.contractive_penalty(layer, images, 3, SeededNoise(0), count))
        for count in (1, 20_000)
    )
    assert abs(few - exact) > 1e-3 * exact  # One of them says something else.
    assert many == pytest.approx(exact, rel=1e-2)
