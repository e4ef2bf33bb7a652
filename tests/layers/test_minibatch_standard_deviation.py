"""Minibatch standard deviation against NumPy, for batches of every size."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.testing import TestCase

from kgen.layers import MinibatchStandardDeviation

X = np.random.default_rng(0).normal(1.0, 2.0, (13, 4, 4, 3)).astype("float32")


def _expected(x, group_size):
    groups = max(1, len(x) // group_size)
    channel = np.empty((*x.shape[:-1], 1), x.dtype)
    for group in range(groups):
        channel[group::groups] = np.sqrt(x[group::groups].var(axis=0) + 1e-8).mean()
    return np.concatenate([x, channel], axis=-1)


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
def test_keras_layer_test():
    for shape in ((8, 4, 4, 3), (5, 7)):
        TestCase().run_layer_test(
            MinibatchStandardDeviation,
            init_kwargs={"group_size": 4},
            input_shape=shape,
            expected_output_shape=(*shape[:-1], shape[-1] + 1),
            expected_num_trainable_weights=0,
        )


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 5, 8, 9, 12, 13])
def test_is_numpy_for_every_batch_size(batch):
    layer = MinibatchStandardDeviation(4)
    np.testing.assert_allclose(layer(X[:batch]), _expected(X[:batch], 4), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_batch_size_unknown_to_the_graph(jit_compile):
    layer = MinibatchStandardDeviation(3)
    signature = [tf.TensorSpec((None, 4, 4, 3))]
    function = tf.function(layer, jit_compile=jit_compile, input_signature=signature)
    for batch in (2, 6, 13):
        outputs = function(X[:batch])
        assert outputs.shape == (batch, 4, 4, 4)
        np.testing.assert_allclose(outputs, _expected(X[:batch], 3), rtol=1e-5, atol=1e-5)


def test_matches_the_reshape_of_the_authors():
    """Their grouping: reshape to (group size, groups, ...), statistics over the first axis."""
    y = X[:8].reshape(4, 2, 4, 4, 3)
    statistic = np.tile(np.sqrt(y.var(axis=0) + 1e-8).mean(axis=(1, 2, 3)), 4)
    np.testing.assert_allclose(
        MinibatchStandardDeviation()(X[:8])[:, 0, 0, 3], statistic, rtol=1e-5
    )


def test_identical_examples_have_finite_gradients_of_both_orders():
    layer, x = MinibatchStandardDeviation(), tf.ones((4, 2, 2, 1))
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            score = tf.reduce_sum(layer(x) ** 2)
        first = inner.gradient(score, x)
        penalty = tf.reduce_sum(first**2)
    assert np.isfinite(first).all()
    assert np.isfinite(outer.gradient(penalty, x)).all()


def test_mixed_precision_and_saving(tmp_path):
    layer = MinibatchStandardDeviation(dtype="mixed_float16")
    outputs = layer(X[:8] * 1000.0)  # the squares overflow float16
    assert outputs.dtype == "float16"
    np.testing.assert_allclose(outputs, _expected(X[:8] * 1000.0, 4), rtol=2e-3, atol=1e-2)
    network = keras.Sequential([keras.Input((4, 4, 3)), MinibatchStandardDeviation(3)])
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    assert loaded.layers[0].group_size == 3
    np.testing.assert_array_equal(loaded(X), network(X))


def test_refusals():
    for group_size in (1, 0, 2.0):
        with pytest.raises(ValueError, match=f"group_size={group_size}"):
            MinibatchStandardDeviation(group_size)
    with pytest.raises(ValueError, match="epsilon=0"):
        MinibatchStandardDeviation(epsilon=0.0)
