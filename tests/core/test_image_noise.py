"""Draws that are an image's own: their distribution, and what they depend on."""

import numpy as np
import pytest
import scipy.stats

from kgen.core.noise import ImageNoise

IMAGES = np.random.default_rng(0).uniform(-1, 1, (32, 6, 6, 1)).astype("float32")


def draws(images, seed=3, kind="normal", count=2000):
    return np.asarray(getattr(ImageNoise(seed, images), kind)((len(images), count, 2)))


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_draws_are_distributed_as_said(kind):
    found = draws(IMAGES, kind=kind)
    assert found.dtype == np.float32
    distribution = {"normal": "norm", "uniform": "uniform"}[kind]
    for image in range(0, 32, 8):
        assert scipy.stats.kstest(found[image].ravel(), distribution).pvalue > 1e-3
    assert scipy.stats.kstest(found.ravel(), distribution).pvalue > 1e-3


def test_images_and_seeds_have_nothing_in_common():
    found = draws(IMAGES)
    correlations = np.corrcoef(found.reshape(32, -1)) - np.eye(32)
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)
    other = draws(IMAGES, seed=4)
    assert abs(np.corrcoef(found.ravel(), other.ravel())[0, 1]) < 0.02
    noise = ImageNoise(3, IMAGES)
    first, second = (np.asarray(noise.normal((32, 100))) for _ in range(2))
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1


def test_near_images_differ_and_rounding_does_not():
    near = IMAGES[:1].copy()
    near[0, 2, 3, 0] += 2 / 127.5
    assert abs(np.corrcoef(draws(IMAGES[:1]).ravel(), draws(near).ravel())[0, 1]) < 0.1
    levels = np.rint((IMAGES + 1) * 127.5)
    rounded = (levels / 127.5 - 1).astype("float32")
    nudged = np.nextafter(rounded, np.float32(2))
    np.testing.assert_array_equal(draws(rounded), draws(nudged))


def test_the_place_in_a_batch_does_not_matter():
    found = draws(IMAGES)
    np.testing.assert_array_equal(draws(IMAGES[5:6]), found[5:6])
    np.testing.assert_array_equal(draws(IMAGES[::-1]), found[::-1])
