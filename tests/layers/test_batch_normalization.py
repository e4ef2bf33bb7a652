"""BatchNormalization: Keras' layer in other clothes."""

import math

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


@pytest.mark.parametrize("shape", [(16, 7), (6, 5, 7), (6, 5, 4, 7), (4, 3, 2, 5, 7)])
def test_it_is_the_formula_and_images_stay_images(shape, monkeypatch):
    """By NumPy in float64; only what is no batch of images is flattened for the fused operation."""
    fused, seen = tf.raw_ops.FusedBatchNormV3, []

    def watched(x, **arguments):
        seen.append(tuple(x.shape))
        return fused(x=x, **arguments)

    monkeypatch.setattr(tf.raw_ops, "FusedBatchNormV3", watched)
    _, layer = pair(shape, momentum=0.7, epsilon=1e-3)
    x = inputs(shape)
    gamma, beta, mean, variance = (np.asarray(v, "float64") for v in layer.variables)
    outputs, *gradients, moving_mean, moving_variance = run(layer, x)
    assert seen == [shape if len(shape) == 4 else (math.prod(shape[:-1]), 1, 1, shape[-1])]

    axes, count = tuple(range(len(shape) - 1)), math.prod(shape[:-1])
    x, upstream = x.astype("float64"), np.random.default_rng(2).normal(size=shape)
    scale = np.sqrt(x.var(axes) + 1e-3)
    unit = (x - x.mean(axes)) / scale
    of_beta, of_gamma = upstream.sum(axes), (upstream * unit).sum(axes)
    of_x = gamma / scale / count * (count * upstream - of_beta - unit * of_gamma)
    expected = [gamma * unit + beta, of_x, of_gamma, of_beta]
    expected += [0.7 * mean + 0.3 * x.mean(axes), 0.7 * variance + 0.3 * x.var(axes)]
    for one, other in zip(
        expected, [outputs, *gradients, moving_mean, moving_variance], strict=True
    ):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)

    exact = [keras.layers.BatchNormalization(momentum=0.7, dtype="float64"),
             BatchNormalization(momentum=0.7, dtype="float64")]  # fmt: skip
    for one in exact:
        one.build(shape)
        one.set_weights([gamma, beta, mean, variance])
        found = one(x, training=True)
        np.testing.assert_allclose(found, gamma * unit + beta, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(one.moving_variance, expected[-1], rtol=1e-12)


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
