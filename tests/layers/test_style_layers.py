"""What the layers of progressive and style-based GANs have in common; their numbers are beside."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from keras.src.testing import TestCase

from kgen.layers import (
    AdaptiveInstanceNormalization,
    BlurDownsampling2D,
    BlurUpsampling2D,
    FadeIn,
    FromRGB,
    LearnedConstant,
    ModulatedConv2D,
    NoiseInjection,
    SelfAttention,
    ToRGB,
)
from kgen.testing import check_second_order_gradients
from tests.networks.conftest import half_precision

MAPS, STYLES = (2, 4, 6, 3), (2, 5)

# Layer, arguments, shapes of its inputs, shape of its outputs, number of trainable weights.
ROWS = {
    "fade_in": (FadeIn, {"alpha": 0.25}, [(2, 2, 3, 3), MAPS], MAPS, 0),
    "to_rgb": (ToRGB, {"channels": 2, "use_bias": False}, [MAPS], (2, 4, 6, 2), 1),
    "from_rgb": (FromRGB, {"filters": 5, "gain": 1.0}, [MAPS], (2, 4, 6, 5), 2),
    "blur_up": (BlurUpsampling2D, {"kernel": [1, 2, 3, 2, 2]}, [MAPS], (2, 8, 12, 3), 0),
    "blur_down": (BlurDownsampling2D, {"kernel": [1, 2, 3, 2, 2]}, [MAPS], (2, 2, 3, 3), 0),
    "adain": (AdaptiveInstanceNormalization, {"epsilon": 1e-6}, [MAPS, STYLES], MAPS, 2),
    "modulated": (
        ModulatedConv2D,
        {"filters": 2, "kernel_size": 3, "epsilon": 1e-6},
        [MAPS, STYLES],
        (2, 4, 6, 2),
        4,
    ),
    "modulated_only": (
        ModulatedConv2D,
        {"filters": 2, "kernel_size": 1, "demodulate": False, "use_bias": False, "gain": 2.0},
        [MAPS, STYLES],
        (2, 4, 6, 2),
        3,
    ),
    "noise": (NoiseInjection, {}, [MAPS, (2, 4, 6, 1)], MAPS, 1),
    "constant": (
        LearnedConstant,
        {"shape": [2, 3, 4], "initializer": "random_normal"},
        [STYLES],
        (2, 2, 3, 4),
        1,
    ),
    "attention": (SelfAttention, {"spectral": True, "reduction": 2}, [MAPS], MAPS, 5),
}


@pytest.fixture(params=ROWS)
def row(request):
    return ROWS[request.param]


def make_network(layer_class, kwargs, shapes, sizes_known=True):
    """The layer as a network, with weights of its own that are not where they start."""
    sizes = [shape[1:] for shape in shapes]
    if not sizes_known:
        sizes = [(None, None, size[2]) if len(size) == 3 else size for size in sizes]
    inputs = [keras.Input(size) for size in sizes]
    inputs = inputs[0] if len(inputs) == 1 else inputs
    network = keras.Model(inputs, layer_class(name="layer", **kwargs)(inputs))
    generator = np.random.default_rng(1)
    for variable in network.trainable_variables:
        variable.assign(variable + 0.5 * generator.standard_normal(variable.shape))
    return network


def without_normalization(layer_class, kwargs):
    """What SpectralNormalization does is dear, and tested by itself."""
    return {**kwargs, "spectral": False} if layer_class is SelfAttention else kwargs


def make_inputs(shapes):
    generator = np.random.default_rng(0)
    inputs = [generator.standard_normal(shape).astype("float32") for shape in shapes]
    return inputs[0] if len(inputs) == 1 else inputs


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
def test_keras_layer_test(row):
    layer_class, kwargs, shapes, expected, weights = row
    kwargs = without_normalization(layer_class, kwargs)
    TestCase().run_layer_test(
        layer_class,
        init_kwargs=kwargs,
        input_shape=shapes[0] if len(shapes) == 1 else tuple(shapes),
        expected_output_shape=expected,
        expected_num_trainable_weights=weights,
        run_training_check=False,  # Gradients in a graph are those of the next test.
    )


def test_xla_and_sizes_unknown_beforehand(row):
    layer_class, kwargs, shapes, expected, _ = row
    kwargs = without_normalization(layer_class, kwargs)
    network = make_network(layer_class, kwargs, shapes, sizes_known=layer_class is FadeIn)
    rank = len(expected)
    known = rank * [True] if layer_class in (FadeIn, LearnedConstant) else [0, 0, 0, 1]
    known[0] = False
    assert network.output_shape == tuple(
        size if one else None for size, one in zip(expected, known, strict=True)
    )

    def value_and_gradients(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = network(inputs, training=True)
            score = tf.reduce_sum(tf.tanh(outputs))
        variables = [variable.value for variable in network.trainable_variables]
        watched = [tf.nest.flatten(inputs), variables]
        return outputs, tape.gradient(score, watched, unconnected_gradients="zero")

    inputs = tf.nest.map_structure(tf.constant, make_inputs(shapes))
    signature = [tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape), network.inputs)]
    signature = [signature[0][0] if len(shapes) == 1 else signature[0]]
    before = [tf.identity(variable.value) for variable in network.variables]
    results = []
    compiled = tf.function(value_and_gradients, jit_compile=True, input_signature=signature)
    for function in (value_and_gradients, compiled):
        for variable, value in zip(network.variables, before, strict=True):
            variable.assign(value)  # A power iteration moves it.
        results.append(tf.nest.flatten(function(inputs)))
    assert results[0][0].shape == expected
    for plain, compiled in zip(*results, strict=True):
        np.testing.assert_allclose(plain, compiled, rtol=1e-4, atol=1e-5)


def test_second_order_gradients(row):
    layer_class, kwargs, shapes, _, _ = row
    kwargs = without_normalization(layer_class, kwargs)
    errors = check_second_order_gradients(make_network(layer_class, kwargs, shapes))
    assert "layer" in errors and max(errors.values()) < 1e-5


@half_precision(ROWS)
def test_half_precision_and_saving(name, dtype, tmp_path):
    layer_class, kwargs, shapes, _, _ = ROWS[name]
    network, inputs = make_network(layer_class, kwargs, shapes), make_inputs(shapes)
    outputs = network(inputs)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(inputs), outputs)
    half = make_network(layer_class, {**kwargs, "dtype": f"mixed_{dtype}"}, shapes)
    half.set_weights(network.get_weights())
    half_outputs = half(inputs)
    assert half_outputs.dtype == dtype
    error = ops.cast(half_outputs, "float32") - outputs
    digits = {"bfloat16": 0.05, "float16": 0.005}[dtype]
    assert np.max(np.abs(error)) < digits * np.max(np.abs(outputs))
