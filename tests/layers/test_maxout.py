"""Maxout against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.testing import TestCase

from kgen.layers import Maxout


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
def test_keras_layer_test():
    for shape in ((2, 4), (2, 5, 4)):
        TestCase().run_layer_test(
            Maxout,
            init_kwargs={"units": 3, "pieces": 2, "bias_initializer": "ones"},
            input_shape=shape,
            expected_output_shape=(*shape[:-1], 3),
            expected_num_trainable_weights=2,
        )


def test_absolute_value_by_hand():
    layer = Maxout(1, pieces=2)
    layer.build((None, 1))
    layer.set_weights([np.array([[1.0, -1.0]]), np.zeros(2)])
    outputs = layer(np.array([[-3.0], [0.5]], "float32"))
    np.testing.assert_array_equal(outputs, [[3.0], [0.5]])


@pytest.mark.filterwarnings("ignore:__array__")  # Keras' saving on NumPy 2
def test_is_numpy_also_under_xla_and_after_loading(tmp_path):
    x = np.random.default_rng(0).standard_normal((6, 4)).astype("float32")
    network = keras.Sequential([keras.Input((4,)), Maxout(3, bias_initializer="random_normal")])
    kernel, bias = network.get_weights()
    expected = (x @ kernel + bias).reshape(6, 3, 5).max(-1)
    np.testing.assert_allclose(network(x), expected, rtol=1e-5, atol=1e-5)
    compiled = tf.function(network, jit_compile=True)(x)
    np.testing.assert_allclose(compiled, expected, rtol=1e-5, atol=1e-5)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(x), network(x))


def test_refusals():
    with pytest.raises(ValueError, match="units=0"):
        Maxout(0)
    with pytest.raises(ValueError, match=r"pieces=2\.5"):
        Maxout(3, pieces=2.5)


def test_a_constraint_holds_for_each_piece_after_an_update():
    layer = Maxout(3, pieces=2, kernel_constraint=keras.constraints.MaxNorm(0.5))
    network = keras.Sequential([keras.Input((4,)), layer])
    network.compile(keras.optimizers.SGD(10.0), "mse", run_eagerly=True)
    x = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")
    network.train_on_batch(x, x[:, :3])
    norms = np.sqrt(np.square(layer.kernel.numpy()).sum(0))
    assert norms.shape == (6,) and norms.max() == pytest.approx(0.5, abs=1e-5)
