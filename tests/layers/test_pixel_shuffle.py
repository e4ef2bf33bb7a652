"""Pixel shuffle by its formula, by hand and against TensorFlow's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.testing import TestCase

from kgen.layers import PixelShuffle
from kgen.testing import check_second_order_gradients


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
def test_keras_layer_test():
    TestCase().run_layer_test(
        PixelShuffle,
        init_kwargs={"factor": 2},
        input_shape=(2, 3, 4, 8),
        expected_output_shape=(2, 6, 8, 2),
        expected_num_trainable_weights=0,
    )


def test_by_hand():
    x = np.arange(8.0).reshape((1, 1, 2, 4))  # Two pixels, of the values 0 to 3 and 4 to 7.
    expected = [[0, 1, 4, 5], [2, 3, 6, 7]]
    np.testing.assert_array_equal(PixelShuffle(2)(x)[0, :, :, 0], expected)


def test_equation_4_and_tensorflow():
    generator = np.random.default_rng(0)
    for r, channels in ((1, 2), (2, 3), (3, 1), (4, 2)):
        x = generator.normal(size=(2, 3, 5, r * r * channels)).astype("float32")
        y = PixelShuffle(r)(x).numpy()
        rows, columns, maps = np.indices(y.shape[1:])
        places = channels * r * (rows % r) + channels * (columns % r) + maps
        np.testing.assert_array_equal(y, x[:, rows // r, columns // r, places])
        if r > 1:
            np.testing.assert_array_equal(y, tf.nn.depth_to_space(x, r))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_sizes(jit_compile):
    inputs = keras.Input((None, None, 4))
    network = keras.Model(inputs, PixelShuffle(2)(inputs))
    assert network.output_shape == (None, None, None, 1)
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
    call = tf.function(
        network,
        jit_compile=jit_compile,
        input_signature=[tf.TensorSpec((None, None, None, 4))],
    )
    np.testing.assert_array_equal(call(x), tf.nn.depth_to_space(x, 2))


def test_second_order_gradients_and_half_precision():
    images = keras.Input((3, 3, 4))
    x = PixelShuffle(2, name="shuffle")(keras.layers.Conv2D(4, 1, activation="tanh")(images))
    x = keras.layers.Dense(1)(keras.layers.Flatten()(x))
    errors = check_second_order_gradients(keras.Model(images, x))
    assert "shuffle" in errors and max(errors.values()) < 1e-5
    assert PixelShuffle(2, dtype="mixed_bfloat16")(np.ones((1, 2, 2, 4))).dtype == "bfloat16"


def test_refusals():
    for factor in (0, -2, 1.5, "2", None):
        with pytest.raises(ValueError, match=rf"`factor` should be a positive.*{factor!r}"):
            PixelShuffle(factor)
    with pytest.raises(ValueError, match=r"multiple of 9 channels.*\(1, 2, 2, 8\)"):
        PixelShuffle(3)(np.ones((1, 2, 2, 8)))
