"""Conditional batch norm: each class its own scale and offset."""

import keras
import numpy as np
import pytest
from keras import ops

from kgen.layers import ConditionalBatchNormalization


def test_each_class_has_its_own_scale_and_offset():
    rng = np.random.default_rng(0)
    images = rng.normal(2.0, 3.0, (6, 4, 5, 2)).astype("float32")
    labels = np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2]]
    layer = ConditionalBatchNormalization(epsilon=1e-5)
    layer([images, labels])
    scales, offsets = rng.normal(size=(2, 3, 2)).astype("float32")
    layer.scale.kernel.assign(scales)
    layer.offset.kernel.assign(offsets)
    found = ops.convert_to_numpy(layer([images, labels], training=True))
    mean, variance = images.mean((0, 1, 2)), images.var((0, 1, 2))
    normalised = (images - mean) / np.sqrt(variance + 1e-5)
    expected = (
        normalised * (1.0 + labels @ scales)[:, None, None] + (labels @ offsets)[:, None, None]
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_it_starts_as_plain_batch_norm():
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    labels = np.eye(2, dtype="float32")[[0, 1] * 4]
    found = ConditionalBatchNormalization()([x, labels], training=True)
    expected = keras.layers.BatchNormalization()(x, training=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_condition_is_needed():
    with pytest.raises(ValueError, match="expected a list of two inputs"):
        ConditionalBatchNormalization()(np.zeros((2, 4, 4, 3), "float32"))
    with pytest.raises(ValueError, match="the condition should have the shape"):
        ConditionalBatchNormalization()([np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 4, 3))])


def test_its_maps_can_be_spectrally_normalised():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 4)).astype("float32")
    condition = rng.normal(size=(6, 3)).astype("float32")
    layer = ConditionalBatchNormalization(epsilon=1e-5, spectral=True)
    layer([x, condition])
    kernels = [dense.layer.kernel for dense in (layer.scale, layer.offset)]
    for kernel in kernels:
        np.testing.assert_allclose(np.matmul(kernel, np.transpose(kernel)), np.eye(3), atol=1e-5)
        kernel.assign(rng.normal(size=kernel.shape))
    for dense in (layer.scale, layer.offset):
        dense.converge()
    scale, offset = (k / np.linalg.norm(k.numpy(), ord=2) for k in kernels)
    normalised = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    expected = normalised * (1.0 + condition @ scale) + condition @ offset
    np.testing.assert_allclose(layer([x, condition], training=True), expected, atol=1e-4)
    again = ConditionalBatchNormalization.from_config(layer.get_config())
    assert again.spectral and again.get_config() == layer.get_config()
    assert not ConditionalBatchNormalization().spectral


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"])
@pytest.mark.parametrize("spectral", [True, False])
def test_precision(policy, spectral):
    layer = ConditionalBatchNormalization(spectral=spectral, dtype=policy)
    found = layer([np.ones((4, 2, 2, 3)), np.ones((4, 2))], training=True)
    assert found.dtype == layer.compute_dtype
    weights = {variable.dtype for variable in layer.trainable_variables}
    assert weights == {"float64" if policy == "float64" else "float32"}
