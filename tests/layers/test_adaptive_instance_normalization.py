"""Adaptive instance norm against NumPy."""

import numpy as np
import pytest

from kgen.layers import AdaptiveInstanceNormalization, InstanceNormalization

GENERATOR = np.random.default_rng(0)
MAPS = GENERATOR.normal(2.0, 3.0, (3, 4, 5, 6)).astype("float32")
STYLES = GENERATOR.standard_normal((3, 4)).astype("float32")


def _layer():
    layer = AdaptiveInstanceNormalization()
    layer([MAPS, STYLES])
    return layer


def test_equation_8():
    layer = _layer()
    kernel = layer.affine.kernel.numpy()
    np.testing.assert_array_equal(layer.affine.bias, np.zeros(12))
    layer.affine.bias.assign(GENERATOR.standard_normal(12))
    affine = STYLES @ kernel / np.sqrt(4.0) + layer.affine.bias.numpy()
    scale, offset = affine[:, None, None, :6], affine[:, None, None, 6:]
    mean, deviation = MAPS.mean((1, 2), keepdims=True), MAPS.std((1, 2), keepdims=True)
    expected = (1.0 + scale) * (MAPS - mean) / deviation + offset
    np.testing.assert_allclose(layer([MAPS, STYLES]), expected, rtol=1e-4, atol=1e-4)


def test_a_style_of_zeros_is_instance_normalisation():
    expected = InstanceNormalization(epsilon=1e-8)(MAPS)
    np.testing.assert_allclose(_layer()([MAPS, 0.0 * STYLES]), expected, rtol=1e-5, atol=1e-5)


def test_output_has_the_statistics_of_the_style():
    layer = _layer()
    scale, offset = np.split(layer.affine(STYLES).numpy(), 2, axis=-1)
    outputs = layer([100.0 * MAPS - 7.0, STYLES]).numpy()
    np.testing.assert_allclose(outputs.mean((1, 2)), offset, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(outputs.std((1, 2)), np.abs(1.0 + scale), rtol=1e-3, atol=1e-4)


def test_statistics_are_float32_under_mixed_precision():
    layer, half = _layer(), AdaptiveInstanceNormalization(dtype="mixed_float16")
    half([MAPS, STYLES])
    half.set_weights(layer.get_weights())
    large = 1e4 * MAPS  # the squares overflow float16
    np.testing.assert_allclose(half([large, STYLES]), layer([large, STYLES]), rtol=5e-3, atol=5e-3)


def test_refusals():
    for epsilon in (0, -1.0):
        with pytest.raises(ValueError, match=f"`epsilon` should be positive.*epsilon={epsilon}"):
            AdaptiveInstanceNormalization(epsilon=epsilon)
    for inputs in (MAPS, [MAPS], [MAPS, MAPS], [STYLES, STYLES], [MAPS, STYLES, STYLES]):
        with pytest.raises(ValueError, match="AdaptiveInstanceNormalization: expected a list of"):
            AdaptiveInstanceNormalization()(inputs)
