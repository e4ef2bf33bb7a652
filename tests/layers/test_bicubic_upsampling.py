"""Bicubic enlargement against Pillow's and TensorFlow's, and what the formula promises."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.testing import TestCase
from PIL import Image

from kgen.layers import BicubicUpsampling2D
from kgen.testing import check_second_order_gradients


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
def test_keras_layer_test():
    TestCase().run_layer_test(
        BicubicUpsampling2D,
        init_kwargs={"factor": 2},
        input_shape=(2, 3, 4, 2),
        expected_output_shape=(2, 6, 8, 2),
        expected_num_trainable_weights=0,
    )


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_is_pillow_s_and_tensorflow_s_but_at_borders(factor):
    x = np.random.default_rng(0).normal(size=(1, 9, 11, 2)).astype("float32")
    y = BicubicUpsampling2D(factor)(x).numpy()
    size = (9 * factor, 11 * factor)
    inside = (slice(2 * factor, -2 * factor),) * 2
    resized = tf.image.resize(x, size, "bicubic").numpy()
    for channel in range(2):
        found = y[0, :, :, channel][inside]
        image = Image.fromarray(x[0, :, :, channel]).resize(size[::-1], Image.Resampling.BICUBIC)
        np.testing.assert_allclose(found, np.asarray(image)[inside], atol=1e-5)
        # TensorFlow rounds places to a table of 1024.
        np.testing.assert_allclose(found, resized[0, :, :, channel][inside], atol=5e-3)


def test_keeps_constants_everywhere_and_slopes_inside():
    np.testing.assert_allclose(BicubicUpsampling2D(3)(np.full((1, 2, 5, 1), 0.7)), 0.7, rtol=1e-6)
    row = np.arange(8.0).reshape((1, 1, 8, 1)).repeat(2, axis=1)
    found = BicubicUpsampling2D(2)(row)[0, 0, 4:-4, 0]
    np.testing.assert_allclose(found, (np.arange(4, 12) + 0.5) / 2.0 - 0.5, rtol=1e-5)


def test_mirrored_images_give_mirrored_ones():
    x = np.random.default_rng(0).normal(size=(1, 4, 5, 1)).astype("float32")
    layer = BicubicUpsampling2D(2)
    np.testing.assert_allclose(layer(x[:, ::-1]), layer(x)[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(layer(x[:, :, ::-1]), layer(x)[:, :, ::-1], atol=1e-6)


def test_unknown_sizes_xla_and_second_order():
    inputs = keras.Input((None, None, 1))
    network = keras.Model(inputs, BicubicUpsampling2D(2, name="up")(inputs))
    assert network.output_shape == (None, None, None, 1)
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 1)).astype("float32")
    xla = tf.function(network, jit_compile=True)(x)
    np.testing.assert_allclose(xla, network(x), atol=1e-5)
    images = keras.Input((3, 3, 1))
    x = keras.layers.Conv2D(1, 1, activation="tanh")(images)
    x = keras.layers.Dense(1)(keras.layers.Flatten()(BicubicUpsampling2D(2, name="up")(x)))
    errors = check_second_order_gradients(keras.Model(images, x))
    assert "up" in errors and max(errors.values()) < 1e-5


def test_refusals():
    for factor in (0, 1.5, None):
        with pytest.raises(ValueError, match=f"`factor` should be a positive.*{factor!r}"):
            BicubicUpsampling2D(factor)
