"""BatchNormalization: Keras' layer in other clothes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import BatchNormalization

SHAPE = (6, 5, 4, 3)


def pair(shape=SHAPE, **arguments):
    layers = keras.layers.BatchNormalization(**arguments), BatchNormalization(**arguments)
    for layer in layers:
        layer.build(shape)
        rng = np.random.default_rng(1)
        for variable in layer.variables:
            variable.assign(rng.uniform(0.5, 2.0, variable.shape))
    return layers


def inputs(shape=SHAPE, mean=3.0):
    return np.random.default_rng(0).normal(mean, 2.0, shape).astype("float32")


def run(layer, x, jit_compile=False):
    """Outputs, gradients and statistics after one call in training."""
    upstream = tf.constant(np.random.default_rng(2).normal(size=x.shape), layer.compute_dtype)
    variables = [variable.value for variable in layer.trainable_variables]

    @tf.function(jit_compile=jit_compile)
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=True)
        return outputs, tape.gradient(outputs, [x, *variables], output_gradients=upstream)

    outputs, gradients = step(tf.constant(x, layer.compute_dtype))
    assert outputs.dtype == layer.compute_dtype
    tensors = [outputs, *gradients, *layer.non_trainable_variables]
    return [np.asarray(tensor).astype("float32") for tensor in tensors]


ARGUMENTS = [
    {},
    {"scale": False},
    {"center": False},
    {"momentum": 0.5, "epsilon": 0.1},
    {"axis": 3},
]


# XLA by default with the usual arguments: it compiles the same operations of the others.
@pytest.mark.parametrize(
    ("arguments", "jit_compile"),
    [
        *((arguments, False) for arguments in ARGUMENTS),
        ({}, True),
        *(pytest.param(other, True, marks=pytest.mark.slow) for other in ARGUMENTS[1:]),
    ],
)
def test_is_keras_layer(arguments, jit_compile):
    expected, found = (run(layer, inputs(), jit_compile) for layer in pair(**arguments))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(16, 7), (4, 5, 7), (4, 3, 2, 5, 7)])
def test_any_rank(shape):
    expected, found = (run(layer, inputs(shape)) for layer in pair(shape))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("dtype", "digits"), [("mixed_float16", 4e-3), ("mixed_bfloat16", 3e-2)])
def test_half_precision_has_full_statistics(dtype, digits):
    expected, found = (run(layer, inputs(), False) for layer in pair(dtype=dtype))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=digits, atol=digits)
    for one, other in zip(expected[-2:], found[-2:], strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4)


def test_a_large_mean_does_not_eat_the_variance():
    layer = BatchNormalization(momentum=0.0)
    x = inputs((64, 7, 7, 3), mean=1000.0)
    outputs = np.asarray(layer(x, training=True))
    np.testing.assert_allclose(layer.moving_variance, x.astype("float64").var((0, 1, 2)), rtol=1e-3)
    np.testing.assert_allclose(outputs.std((0, 1, 2)), 1.0, rtol=1e-2)


@pytest.mark.parametrize("arguments", [{"axis": 1}, {"renorm": True}])
def test_other_uses_are_keras_own(arguments):
    expected, found = (run(layer, inputs()) for layer in pair(**arguments))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(other, one)


def test_inference_frozen_layers_and_weights_are_keras_own(tmp_path):
    reference, layer = pair()
    np.testing.assert_array_equal(layer(inputs()), reference(inputs()))
    reference.trainable = layer.trainable = False
    np.testing.assert_array_equal(
        layer(inputs(), training=True), reference(inputs(), training=True)
    )
    assert layer.get_config() == reference.get_config() | {"name": layer.name}
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(again) is BatchNormalization
    again.set_weights(reference.get_weights())
