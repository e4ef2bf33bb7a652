"""Layer, instance and pixel normalisation against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.testing import TestCase

from kgen.layers import InstanceNormalization, LayerNormalization, PixelNormalization

X = np.random.default_rng(0).normal(2.0, 3.0, (3, 4, 5, 6)).astype("float32")


def _standardized(x, axes, epsilon=1e-5):
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
@pytest.mark.parametrize(
    "layer_class, kwargs, weights",
    [
        (LayerNormalization, {}, 2),
        (LayerNormalization, {"axis": -1, "center": False}, 1),
        (LayerNormalization, {"axis": [1, 3], "epsilon": 1e-3}, 2),
        (InstanceNormalization, {}, 2),
        (InstanceNormalization, {"center": False, "scale": False}, 0),
        (PixelNormalization, {}, 0),
    ],
)
def test_keras_layer_test(layer_class, kwargs, weights):
    TestCase().run_layer_test(
        layer_class,
        init_kwargs=kwargs,
        input_shape=(2, 4, 5, 3),
        expected_output_shape=(2, 4, 5, 3),
        expected_num_trainable_weights=weights,
        expected_num_non_trainable_weights=0,
    )


@pytest.mark.parametrize("axis, axes", [(None, (1, 2, 3)), (-1, (3,)), ([-1, 1], (1, 3))])
def test_layer_normalization_is_numpy(axis, axes):
    layer = LayerNormalization(axis=axis)
    np.testing.assert_allclose(layer(X), _standardized(X, axes), rtol=1e-4, atol=1e-5)
    gamma, beta = np.arange(6.0), np.arange(6.0)[::-1]
    layer.set_weights([gamma, beta])
    expected = _standardized(X, axes) * gamma + beta
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-5)


def test_layer_normalization_is_keras_to_first_order():
    ours, theirs = LayerNormalization(axis=-1, epsilon=1e-3), keras.layers.LayerNormalization()
    gradients = []
    for layer in (ours, theirs):
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = tf.reduce_sum(tf.tanh(layer(x)) * X)
        gradients.append(tape.gradient(score, x))
    np.testing.assert_allclose(*gradients, rtol=1e-3, atol=1e-4)


def test_instance_normalization_is_numpy():
    layer = InstanceNormalization()
    np.testing.assert_allclose(layer(X), _standardized(X, (1, 2)), rtol=1e-4, atol=1e-5)
    layer.set_weights([np.full(6, 2.0), np.full(6, -1.0)])
    expected = 2.0 * _standardized(X, (1, 2)) - 1.0
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-5)
    signal = X[:, :, 0]
    expected = _standardized(signal, (1,))
    np.testing.assert_allclose(InstanceNormalization()(signal), expected, rtol=1e-4, atol=1e-5)


def test_pixel_normalization_by_hand():
    outputs = PixelNormalization()(np.array([[3.0, 4.0], [0.0, 0.0]], "float32"))
    root = np.sqrt(12.5)
    np.testing.assert_allclose(outputs, [[3 / root, 4 / root], [0.0, 0.0]], rtol=1e-6)
    norms = np.sum(np.square(PixelNormalization()(X)), axis=-1)
    np.testing.assert_allclose(norms, 6.0, rtol=1e-5)


@pytest.mark.parametrize("make", [LayerNormalization, InstanceNormalization, PixelNormalization])
def test_statistics_are_float32_under_mixed_precision(make):
    layer = make(dtype="mixed_float16")
    outputs = layer(X * 1000.0)  # the squares overflow float16
    assert outputs.dtype == "float16"
    np.testing.assert_allclose(outputs, make()(X * 1000.0), rtol=2e-3, atol=2e-3)


@pytest.mark.filterwarnings("ignore:__array__")  # Keras' saving on NumPy 2
@pytest.mark.parametrize("make", [LayerNormalization, InstanceNormalization, PixelNormalization])
def test_xla_and_saving(make, tmp_path):
    network = keras.Sequential([keras.Input((None, 5, 6)), make(name="norm")])
    network.set_weights([weight + 0.5 for weight in network.get_weights()])
    eager = network(X)
    compiled = tf.function(network, jit_compile=True)(X)
    np.testing.assert_allclose(eager, compiled, rtol=1e-4, atol=1e-5)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    assert type(loaded.layers[0]) is make
    np.testing.assert_array_equal(loaded(X), eager)


def test_refusals():
    for make in (LayerNormalization, InstanceNormalization, PixelNormalization):
        with pytest.raises(ValueError, match=r"`epsilon`.*epsilon=0"):
            make(epsilon=0)
    for axis in (0, [0, 1], [], 1.5, "last"):
        with pytest.raises(ValueError, match="`axis`"):
            LayerNormalization(axis=axis)
    for axis in (4, -4, [1, -3]):
        with pytest.raises(ValueError, match="`axis`"):
            LayerNormalization(axis=axis).build((None, 4, 5, 6))
    with pytest.raises(ValueError, match="spatial"):
        InstanceNormalization()(X[:, 0, 0])
