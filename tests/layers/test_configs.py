"""Configs of all layers: no argument is lost on the way through one."""

import inspect

import keras
import numpy as np
import pytest

from kgen import layers

# Of each layer all its arguments, none as it is by default.
ARGUMENTS = {
    "AdaptiveInstanceNormalization": {"epsilon": 0.25},
    "BatchNormalization": {"momentum": 0.5, "epsilon": 0.25, "synchronized": True},
    "BicubicUpsampling2D": {"factor": 4},
    "BlurDownsampling2D": {"kernel": [1, 3, 1]},
    "BlurUpsampling2D": {"kernel": [1, 3, 1]},
    "ConditionalBatchNormalization": {
        "momentum": 0.5,
        "epsilon": 0.25,
        "spectral": True,
        "synchronized": True,
    },
    "Dropout": {"rate": 0.25, "seed": 7},
    "EqualizedConv2D": {
        "filters": 3,
        "kernel_size": [5, 5],
        "strides": [2, 2],
        "padding": "valid",
        "activation": "tanh",
        "use_bias": False,
        "gain": 0.5,
        "learning_rate_multiplier": 0.25,
        "bias_initializer": "ones",
    },
    "EqualizedDense": {
        "units": 3,
        "activation": "tanh",
        "use_bias": False,
        "gain": 0.5,
        "learning_rate_multiplier": 0.25,
        "bias_initializer": "ones",
    },
    "FadeIn": {"alpha": 0.25},
    "FromRGB": {"filters": 3, "activation": "tanh", "gain": 0.5},
    "GaussianSampling": {"seed": 7},
    "ImageHistory": {"size": 3, "seed": 7},
    "InstanceNormalization": {"epsilon": 0.25, "center": False, "scale": False},
    "LayerNormalization": {"axis": -1, "epsilon": 0.25, "center": False, "scale": False},
    "LearnedConstant": {"shape": [2, 3, 1], "initializer": "zeros"},
    "Maxout": {
        "units": 3,
        "pieces": 2,
        "kernel_initializer": "zeros",
        "bias_initializer": "ones",
        "kernel_constraint": "MaxNorm",
    },
    "MinibatchStandardDeviation": {"group_size": 2, "epsilon": 0.25},
    "ModulatedConv2D": {
        "filters": 3,
        "kernel_size": 5,
        "demodulate": False,
        "use_bias": False,
        "gain": 0.5,
        "epsilon": 0.25,
    },
    "NoiseInjection": {},
    "PixelNormalization": {"epsilon": 0.25},
    "PixelShuffle": {"factor": 3},
    "ReflectionPadding2D": {"padding": [[1, 2], [2, 3]]},
    "SelfAttention": {
        "spectral": True,
        "reduction": 4,
        "pool": False,
        "kernel_initializer": "zeros",
    },
    "SpectralNormalization": {"layer": keras.layers.Dense(3), "power_iterations": 2},
    "ThinConv2D": {"filters": 3, "kernel_size": [5, 5], "strides": [2, 2]},
    "ThinConv2DTranspose": {"filters": 3, "kernel_size": [5, 5], "strides": [2, 2]},
    "ToRGB": {"channels": 2, "gain": 0.5},
}
KERAS_OWN = {"BatchNormalization", "ThinConv2D", "ThinConv2DTranspose"}


def plain(value):
    """An argument as it was given, of an object or a config that stands for one."""
    if isinstance(value, dict):
        value = keras.saving.deserialize_keras_object(value)
    if isinstance(value, keras.layers.Layer):
        return value.get_config()
    if isinstance(value, keras.initializers.Initializer):
        return type(value).__name__.lower()
    if isinstance(value, keras.constraints.Constraint):
        return type(value).__name__
    if callable(value):
        return value.__name__
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def test_the_table_has_every_layer_and_argument():
    made = {name for name in layers.__all__ if inspect.isclass(getattr(layers, name))}
    found = {name for name in made if issubclass(getattr(layers, name), keras.layers.Layer)}
    assert found == set(ARGUMENTS)
    for name in found - KERAS_OWN:
        parameters = inspect.signature(getattr(layers, name).__init__).parameters.values()
        own = {p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD} - {"self"}
        assert own == set(ARGUMENTS[name]), name


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_layer_made_from_a_config_has_the_arguments_of_the_first(name):
    given, kind = ARGUMENTS[name], getattr(layers, name)
    layer = kind(name="first", dtype="mixed_bfloat16", **given)
    again = kind.from_config(layer.get_config())
    assert again.name == "first" and again.dtype_policy.name == layer.dtype_policy.name
    for argument, value in given.items():
        assert plain(getattr(again, argument)) == plain(value), argument


def of_numpy(value):
    """A number as NumPy has it; all else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return np.array(value) if isinstance(value, int) else np.float32(value)


@pytest.mark.parametrize("name", sorted({*ARGUMENTS} - {"SpectralNormalization"}))
def test_numbers_of_numpy_are_numbers(name):
    layer = getattr(layers, name)(**{key: of_numpy(x) for key, x in ARGUMENTS[name].items()})
    for argument, value in ARGUMENTS[name].items():
        found = getattr(layer, argument)
        assert plain(found) == plain(value), argument
        if isinstance(value, int | float) and not isinstance(found, keras.Variable):
            assert type(found) is type(value), argument
