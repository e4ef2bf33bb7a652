"""The layers with an equalised learning rate."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from keras.src.testing import TestCase

from kgen.layers import EqualizedConv2D, EqualizedDense

GENERATOR = np.random.default_rng(0)


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
@pytest.mark.parametrize(
    "layer_class, kwargs, shape, expected",
    [
        (EqualizedDense, {"units": 3}, (2, 4), (2, 3)),
        (
            EqualizedDense,
            {"units": 3, "activation": "relu", "use_bias": False, "gain": 1.0},
            (2, 5, 4),
            (2, 5, 3),
        ),
        (EqualizedConv2D, {"filters": 5, "kernel_size": 3}, (2, 6, 7, 3), (2, 6, 7, 5)),
        (
            EqualizedConv2D,
            {
                "filters": 5,
                "kernel_size": (3, 2),
                "strides": (2, 1),
                "padding": "valid",
                "learning_rate_multiplier": 0.5,
                "bias_initializer": "ones",
            },
            (2, 6, 7, 3),
            (2, 2, 6, 5),
        ),
    ],
)
def test_keras_layer_test(layer_class, kwargs, shape, expected):
    TestCase().run_layer_test(
        layer_class,
        init_kwargs=kwargs,
        input_shape=shape,
        expected_output_shape=expected,
        expected_num_trainable_weights=2 if kwargs.get("use_bias", True) else 1,
        run_training_check=False,  # In a graph they are trained in test_style_layers.py.
    )


def test_dense_by_hand():
    layer = EqualizedDense(1, gain=3.0, learning_rate_multiplier=0.5)
    layer.build((None, 4))
    layer.set_weights([np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([8.0])])
    # (1 + 2 + 3 + 4) * 3 * 0.5 / sqrt(4) + 8 * 0.5
    np.testing.assert_allclose(layer(np.ones((1, 4), "float32")), [[11.5]])


def test_convolution_is_a_scaled_keras_convolution():
    x = GENERATOR.standard_normal((2, 7, 7, 3)).astype("float32")
    layer = EqualizedConv2D(4, 3, strides=2, padding="valid", activation="tanh")
    layer(x)
    layer.bias.assign(np.arange(4.0))
    plain = layers.Conv2D(4, 3, strides=2, activation="tanh")
    plain.build(x.shape)
    plain.set_weights([layer.kernel.numpy() * np.sqrt(2.0 / 27.0), np.arange(4.0)])
    np.testing.assert_allclose(layer(x), plain(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("multiplier", [1.0, 0.01])
def test_start_does_not_depend_on_the_multiplier(multiplier):
    keras.utils.set_random_seed(0)
    layer = EqualizedDense(
        300, gain=1.0, learning_rate_multiplier=multiplier, bias_initializer="ones"
    )
    outputs = layer(GENERATOR.standard_normal((200, 300)).astype("float32"))
    np.testing.assert_allclose(np.std(layer.kernel), 1.0 / multiplier, rtol=0.02)
    np.testing.assert_allclose(np.std(outputs), 1.0, rtol=0.05)
    np.testing.assert_allclose(np.mean(outputs), 1.0, rtol=0.05)


def test_adam_moves_the_product_by_the_multiplier():
    moves = []
    for multiplier in (1.0, 0.1):
        layer = EqualizedDense(1, use_bias=False, gain=1.0, learning_rate_multiplier=multiplier)
        x = tf.ones((1, 4))
        before = layer(x)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x))
        keras.optimizers.Adam(0.01, epsilon=1e-12).apply(
            tape.gradient(loss, [layer.kernel.value]), [layer.kernel]
        )
        moves.append(float((layer(x) - before)[0, 0]))
    np.testing.assert_allclose(moves[1] / moves[0], 0.1, rtol=1e-3)


@pytest.mark.filterwarnings("ignore:__array__")  # Keras' saving on NumPy 2
def test_xla_and_saving(tmp_path):
    x = GENERATOR.standard_normal((2, 6, 6, 3)).astype("float32")
    network = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            EqualizedConv2D(4, 3, activation="leaky_relu"),
            layers.Flatten(),
            EqualizedDense(2, gain=1.0),
        ]
    )
    eager = network(x)
    compiled = tf.function(network, jit_compile=True)(x)
    np.testing.assert_allclose(eager, compiled, rtol=1e-4, atol=1e-5)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(x), eager)


def test_refusals():
    for make in (EqualizedDense, lambda units, **kw: EqualizedConv2D(units, 3, **kw)):
        for size in (0, 1.5):
            with pytest.raises(ValueError, match=f"={size}"):
                make(size)
        for name in ("gain", "learning_rate_multiplier"):
            with pytest.raises(ValueError, match=f"{name}=-1"):
                make(3, **{name: -1})
    with pytest.raises(ValueError, match="'full'"):
        EqualizedConv2D(3, 3, padding="full")
    for size in (0, (3,), (3, 3, 3), (3, -1)):
        with pytest.raises(ValueError, match="kernel_size"):
            EqualizedConv2D(3, size)
