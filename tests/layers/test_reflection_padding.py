"""Reflection padding against NumPy's."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.testing import TestCase

from kgen.layers import ReflectionPadding2D
from kgen.testing import check_second_order_gradients


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
def test_keras_layer_test():
    TestCase().run_layer_test(
        ReflectionPadding2D,
        init_kwargs={"padding": ((1, 0), (2, 1))},
        input_shape=(2, 3, 4, 2),
        expected_output_shape=(2, 4, 7, 2),
        expected_num_trainable_weights=0,
    )


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_is_numpy_s_reflection(dtype):
    x = np.arange(2 * 4 * 5 * 3, dtype="float32").reshape((2, 4, 5, 3))
    cases = {
        0: ((0, 0), (0, 0)),
        3: ((3, 3), (3, 3)),
        (1, 2): ((1, 1), (2, 2)),
        ((1, 0), (0, 4)): ((1, 0), (0, 4)),
    }
    for padding, sides in cases.items():
        layer = ReflectionPadding2D(padding, dtype=dtype)
        y = layer(x)
        expected = np.pad(x, ((0, 0), *sides, (0, 0)), mode="reflect")
        np.testing.assert_array_equal(tf.cast(y, "float32"), expected)
        assert y.shape == layer.compute_output_shape(x.shape) and y.dtype == layer.compute_dtype
        assert layer.get_config()["padding"] == sides


def test_unknown_sizes_and_lists():
    inputs = keras.Input((None, 7, 1))
    network = keras.Model(inputs, ReflectionPadding2D([[1, 2], [0, 3]])(inputs))
    assert network.output_shape == (None, None, 10, 1)
    assert network(np.ones((1, 4, 7, 1))).shape == (1, 7, 10, 1)


def test_second_order_gradients():
    images = keras.Input((5, 5, 2))
    x = keras.layers.Conv2D(3, 3, activation="tanh")(images)
    x = keras.layers.Flatten()(ReflectionPadding2D(2, name="padding")(x))
    errors = check_second_order_gradients(keras.Model(images, keras.layers.Dense(1)(x)))
    assert "padding" in errors and max(errors.values()) < 1e-5


@pytest.mark.parametrize("padding", [-1, 1.5, (1,), (1, 2, 3), ((1, 2), (3,)), "1", None])
def test_what_is_no_padding(padding):
    with pytest.raises(ValueError, match="`padding` should be an integer.*Received: padding="):
        ReflectionPadding2D(padding)


def test_images_that_are_too_small():
    for shape in ((1, 3, 9, 1), (1, 9, 3, 1)):
        with pytest.raises(ValueError, match=r"larger than `padding`.*\(3, 3\)"):
            ReflectionPadding2D(3)(np.ones(shape))
    layer = ReflectionPadding2D(3)
    layer(keras.Input((9, 9, 1)))
    with pytest.raises(ValueError, match="larger than `padding`"):
        layer(keras.Input((9, 3, 1)))
