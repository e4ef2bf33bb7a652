"""Reconstruction losses against NumPy."""

import numpy as np
import pytest
from keras import ops

from kgen import losses

RNG = np.random.default_rng(0)
OUTPUTS, TARGETS = RNG.uniform(-1, 1, (2, 3, 4, 5, 2)).astype("float32")


def test_absolute_and_squared_error_are_means_over_everything():
    difference = TARGETS.astype("float64") - OUTPUTS
    found = losses.absolute_error(OUTPUTS, TARGETS)
    np.testing.assert_allclose(found, np.abs(difference).mean(), rtol=1e-6)
    found = losses.squared_error(OUTPUTS, TARGETS)
    np.testing.assert_allclose(found, (difference**2).mean(), rtol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_weighted_squared_error(channels):
    """Each image's weighted sum, divided by how many of its values count, and not by weights."""
    weights = RNG.choice([0.0, 1.0, 10.0], (3, 4, 5, channels))
    weights[1] = 0.0  # Nothing counts: an error of 0.
    all_weights = np.broadcast_to(weights, TARGETS.shape)
    errors = []
    for image in range(3):
        counted = all_weights[image] > 0
        squares = (TARGETS[image] - OUTPUTS[image]) ** 2
        total = (all_weights[image] * squares)[counted].sum()
        errors.append(total / counted.sum() if counted.any() else 0.0)
    found = losses.weighted_squared_error(OUTPUTS, TARGETS, weights)
    np.testing.assert_allclose(found, np.mean(errors), rtol=1e-5)


def test_weights_of_one_are_the_plain_error():
    found = losses.weighted_squared_error(OUTPUTS, TARGETS, np.ones((3, 4, 5, 1)))
    np.testing.assert_allclose(found, losses.squared_error(OUTPUTS, TARGETS), rtol=1e-6)


@pytest.mark.parametrize("loss", [losses.absolute_error, losses.squared_error])
def test_half_precision_is_added_up_in_float32(loss):
    images = ops.full((1, 64, 64, 3), 1.0, dtype="float16")
    found = loss(images, ops.zeros_like(images))  # A sum of 12288 is no float16.
    assert found.dtype == "float32" and float(found) == 1.0
