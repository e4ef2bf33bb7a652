"""Between colours and feature maps: one matrix for all pixels."""

import numpy as np
import pytest

from kgen.layers import FromRGB, ToRGB

X = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype("float32")


def test_to_rgb_is_a_matrix():
    layer = ToRGB(channels=2)
    layer(X)
    layer.bias.assign([1.0, -1.0])
    expected = X @ layer.kernel.numpy()[0, 0] / np.sqrt(5.0) + [1.0, -1.0]
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-5)


def test_from_rgb_is_a_matrix_and_a_leaky_relu():
    layer = FromRGB(4)
    layer(X)
    layer.bias.assign(np.arange(4.0))
    affine = X @ layer.kernel.numpy()[0, 0] * np.sqrt(2.0 / 5.0) + np.arange(4.0)
    expected = np.where(affine > 0, affine, 0.2 * affine)
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-5)


def test_refusals():
    for channels in (0, 1.5, None):
        with pytest.raises(ValueError, match=f"ToRGB: `channels`.*channels={channels}"):
            ToRGB(channels)
    for filters in (0, 1.5):
        with pytest.raises(ValueError, match=f"`filters`.*filters={filters}"):
            FromRGB(filters)
    for make in (ToRGB, FromRGB):
        with pytest.raises(ValueError, match="gain=0"):
            make(3, gain=0)
