"""The thin convolutions are Keras' own: outputs and gradients of every order."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from keras.src.testing import TestCase

from kgen.layers import ThinConv2D, ThinConv2DTranspose
from kgen.testing import check_second_order_gradients

PAIRS = [(ThinConv2D, layers.Conv2D), (ThinConv2DTranspose, layers.Conv2DTranspose)]
GENERATOR = None


@pytest.fixture(autouse=True)
def drawn_anew():
    """Numbers that do not depend on the tests before."""
    global GENERATOR
    GENERATOR = np.random.default_rng(0)


def shape_of(thin, height, width, channels):
    return (2, height, width, channels if thin is ThinConv2D else 5)


def filters_of(thin, channels):
    return 5 if thin is ThinConv2D else channels


def both(thin, stock, shape, *args, **kwargs):
    """The thin layer and Keras' with the same weights."""
    one, two = (make(*args, **kwargs) for make in (thin, stock))
    for layer in (one, two):
        layer.build(shape)
    two.set_weights([GENERATOR.normal(size=w.shape) for w in one.get_weights()])
    one.set_weights(two.get_weights())
    return one, two


def first_and_second_order(layer, x, jit_compile=False):
    """Outputs, gradients, and the gradients of a gradient penalty."""

    def compute(x):
        weights = [variable.value for variable in layer.trainable_variables]
        with tf.GradientTape() as outer:
            outer.watch([x, *weights])
            with tf.GradientTape() as inner:
                inner.watch([x, *weights])
                outputs = layer(x, training=True)
                score = tf.reduce_sum(tf.cast(tf.tanh(0.1 * outputs), "float32"))
            gradients = inner.gradient(score, [x, *weights])
            penalty = sum(tf.reduce_sum(tf.square(tf.cast(g, "float32"))) for g in gradients)
        return [outputs, *gradients, *outer.gradient(penalty, [x, *weights])]

    if jit_compile:
        compute = tf.function(compute, jit_compile=True)
    return [np.asarray(tf.cast(value, "float32")) for value in compute(x)]


def assert_close(ones, twos, tolerance):
    for one, two in zip(ones, twos, strict=True):
        np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance * np.abs(two).max())


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in (1, 2, 3))]
)
@pytest.mark.parametrize("thin, stock", PAIRS)
@pytest.mark.parametrize("strides", [1, 2])
def test_is_keras_layer(thin, stock, strides, part):
    sizes = [(6, 6), (7, 5), (1, 4), (2, 3)]
    # Each kernel with each size, and each of both with each number of channels; by default each
    # kernel with one of the sizes.
    pairs = zip(
        itertools.product(range(1, 8), enumerate(sizes)), itertools.cycle((1, 3, 4)), strict=False
    )
    for (kernel, (number, (height, width))), channels in pairs:
        if (kernel + number) % 4 != part:
            continue
        shape = shape_of(thin, height, width, channels)
        arguments = (filters_of(thin, channels), (kernel, max(kernel - 1, 1)))
        x = tf.constant(GENERATOR.normal(size=shape).astype("float32"))
        one, two = both(thin, stock, shape, *arguments, strides=strides, padding="same")
        for training in (True, False):
            outputs = one(x, training=training)
            assert outputs.shape == one.compute_output_shape(shape)
            np.testing.assert_allclose(outputs, two(x), rtol=1e-4, atol=1e-4)


CASES = [(3, (6, 6), 2), (4, (7, 5), 1), (5, (5, 8), 3), (7, (7, 7), 1)]


# By default an odd kernel and an even one, one and more channels.
@pytest.mark.parametrize(
    ("case", "jit_compile"),
    [
        (CASES[1], False),
        (CASES[2], False),
        (CASES[1], True),
        pytest.param(CASES[0], False, marks=pytest.mark.slow),
        pytest.param(CASES[3], False, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("thin, stock", PAIRS)
def test_gradients_are_keras_layers(thin, stock, case, jit_compile):
    kernel, (height, width), channels = case
    shape = shape_of(thin, height, width, channels)
    x = tf.constant(GENERATOR.normal(size=shape).astype("float32"))
    one, two = both(thin, stock, shape, filters_of(thin, channels), kernel, 2, "same")
    found = first_and_second_order(one, x, jit_compile)
    assert_close(found, first_and_second_order(two, x), 1e-4)


@pytest.mark.parametrize("thin, stock", PAIRS)
def test_mixed_precision_is_keras_layers(thin, stock):
    shape = shape_of(thin, 6, 7, 1)
    x = tf.constant(GENERATOR.normal(size=shape).astype("float32"))
    pair = both(thin, stock, shape, filters_of(thin, 1), 5, 2, "same", dtype="mixed_bfloat16")
    assert pair[0](x, training=True).dtype == "bfloat16"
    assert_close(*(first_and_second_order(layer, x) for layer in pair), 2e-2)


@pytest.mark.parametrize("thin, stock", PAIRS)
def test_without_tf_function_and_with_unknown_sizes(thin, stock):
    shape = shape_of(thin, 6, 7, 1)
    one, two = both(thin, stock, shape, filters_of(thin, 1), 5, 2, "same", activation="tanh")
    x = tf.constant(GENERATOR.normal(size=shape).astype("float32"))
    gradients = []
    for layer in (one, two):
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = tf.reduce_sum(layer(x, training=True))
        gradients.append(tape.gradient(score, [x, *(v.value for v in layer.trainable_variables)]))
    assert_close(*gradients, 1e-4)
    unknown = tf.TensorSpec((None, None, None, shape[-1]))
    outputs = tf.function(one, input_signature=[unknown])(x)
    np.testing.assert_allclose(outputs, two(x), rtol=1e-4, atol=1e-4)
    rows = tf.TensorSpec((None, *shape[1:]))
    outputs = tf.function(lambda x: one(x, training=True), input_signature=[rows])(x)
    np.testing.assert_allclose(outputs, two(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("thin, stock", PAIRS)
def test_second_order_against_differences(thin, stock):
    shape = shape_of(thin, 5, 6, 2)
    network = keras.Sequential(
        [keras.Input(shape[1:]), thin(filters_of(thin, 2), 5, 2, "same", name="thin")]
    )
    assert check_second_order_gradients(network)["thin"] < 1e-5


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
@pytest.mark.parametrize("thin, stock", PAIRS)
def test_keras_layer_test_and_config(thin, stock):
    shape = shape_of(thin, 6, 4, 1)
    kwargs = {"filters": filters_of(thin, 1), "kernel_size": 4, "strides": 2, "padding": "same"}
    TestCase().run_layer_test(
        thin,
        init_kwargs=kwargs,
        input_shape=shape,
        expected_output_shape=stock(**kwargs).compute_output_shape(shape),
        expected_num_trainable_weights=2,
        run_training_check=False,  # Gradients under XLA are tested above.
    )
    name = {"name": "one"}
    assert thin(**kwargs, **name).get_config() == stock(**kwargs, **name).get_config()
