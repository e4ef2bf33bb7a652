"""A network in float64: its copy, inputs of it, and what its operations are called with."""

import contextlib
import random

import keras
import numpy as np
from keras import ops

from kgen.core.keras_private import flatten_layers
from kgen.core.second_order import layers_and_operations
from kgen.layers import SpectralNormalization

BATCH = 4  # examples in a trial; 2 would make batch statistics degenerate
UNKNOWN_SIZE = 16  # taken for spatial axes whose size the network leaves open


@contextlib.contextmanager
def float64():
    """New layers are float64 inside; global settings and Python's random state come back after."""
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    random_state = random.getstate()  # initializers without a seed draw one from here
    try:
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("float64")
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)
        random.setstate(random_state)


def float64_copy(network, generator):
    """A copy in float64, its weights disturbed by a tenth so that none is at a special value."""
    if not isinstance(network, keras.Model) or not network.built:
        raise ValueError(
            "check_second_order_gradients: `network` should be a built keras.Model; call it once "
            f"first. Received: network={network!r}"
        )
    classes = {type(layer).__name__: type(layer) for layer in flatten_layers(network)}
    config = _in_float64(keras.saving.serialize_keras_object(network))
    copy = keras.saving.deserialize_keras_object(config, custom_objects=classes, safe_mode=False)
    if not copy.built or [w.shape for w in copy.weights] != [w.shape for w in network.weights]:
        raise ValueError(
            "check_second_order_gradients: `network` cannot be copied through its `get_config`: "
            f"the copy has other weights. Received: network={network.name!r}"
        )
    for weight, source in zip(copy.weights, network.weights, strict=True):
        value = source.numpy().astype("float64")
        if weight.trainable:
            noise = 0.1 * generator.standard_normal(value.shape)
            value = value + noise * np.where(value == 0.0, 1.0, value)
        weight.assign(value)
    for layer in flatten_layers(copy):
        if isinstance(layer, SpectralNormalization):
            # sigma's gradient takes u and v for constants, which is exact once they are converged.
            layer.converge()
    weights = {id(weight) for weight in copy.weights}
    for variable in copy.variables:
        if id(variable) not in weights and "int" in variable.dtype:
            variable.assign(ops.full(variable.shape, generator.integers(1000), variable.dtype))
    return copy


def random_inputs(network, copy, generator):
    """Random float inputs and zeros for integers, in the structure that `copy` is called with."""

    def draw(shape, dtype):
        shape = [BATCH, *(UNKNOWN_SIZE if size is None else size for size in shape[1:])]
        if "float" in dtype:
            return ops.convert_to_tensor(generator.standard_normal(shape))
        return ops.zeros(shape, dtype)

    if getattr(copy, "inputs", None):
        inputs = copy.inputs[0] if isinstance(copy, keras.Sequential) else copy.input
        return keras.tree.map_structure(lambda x: draw(x.shape, x.dtype), inputs)
    shapes = (network.get_build_config() or {}).get("input_shape")
    if shapes is None:
        raise ValueError(
            "check_second_order_gradients: `network` does not know the shape of its input; call it "
            f"once with one tensor (or a list) first. Received: network={network.name!r}"
        )
    return keras.tree.map_shape_structure(lambda shape: draw(shape, "float64"), shapes)


def names_in(network, copy):
    """The layers of the copy under their names in the network, as far as the two correspond."""
    mine, theirs = flatten_layers(copy), flatten_layers(network)
    if [type(one) for one in mine] != [type(one) for one in theirs]:
        return {}
    return {id(one): other.name for one, other in zip(mine, theirs, strict=True)}


def record_calls(copy, inputs, training, state):
    """Calls the network, and records the first call of each operation in it.

    Returns:
        List of `(operation, args, kwargs)`, and a list of the operations that run in float32 only.
    """
    watched = [one for one in layers_and_operations(copy) if not _is_container(one)]
    watched = [one for one in watched if one is not copy]
    calls, inexact = {}, []

    def watch(operation):
        original = operation.call

        def recording(*args, **kwargs):
            if id(operation) not in calls and _is_concrete((args, kwargs)):
                calls[id(operation)] = (operation, args, kwargs)
            try:
                return original(*args, **kwargs)
            except Exception:
                args, kwargs = _cast((args, kwargs), "float32")
                try:
                    outputs = _cast(original(*args, **kwargs), "float64")
                except Exception:
                    outputs = None
                if outputs is None:
                    raise  # the precision is not the reason
                inexact.append(operation)
                return outputs

        operation.call = recording

    for operation in watched:
        watch(operation)
    try:
        with keras.StatelessScope(state):
            copy(inputs, training=training)
    finally:
        for operation in watched:
            del operation.call
    return list(calls.values()), inexact


def is_float(x):
    """Whether `x` is a tensor of a floating-point type."""
    return ops.is_tensor(x) and "float" in keras.backend.standardize_dtype(x.dtype)


def _in_float64(config):
    """The serialised network with every floating-point type replaced, and not compiled."""
    if isinstance(config, (list, tuple)):
        return type(config)(_in_float64(one) for one in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in ("DTypePolicy", "DTypePolicyMap"):
        return "float64"
    changed = {key: _in_float64(one) for key, one in config.items() if key != "compile_config"}
    if isinstance(config.get("dtype"), str) and "float" in config["dtype"]:
        changed["dtype"] = "float64"
    return changed


def _cast(call, dtype):
    return keras.tree.map_structure(lambda x: ops.cast(x, dtype) if is_float(x) else x, call)


def _is_container(operation):
    return isinstance(operation, keras.Sequential) or hasattr(operation, "operations")


def _is_concrete(call):
    try:
        keras.tree.map_structure(lambda x: ops.is_tensor(x) and ops.convert_to_numpy(x), call)
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return False  # inside a traced loop; the layer that holds the loop is tried as a whole
    return True
