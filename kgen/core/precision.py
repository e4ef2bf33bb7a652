"""The precision that layers are made with, and running a network in another."""

import contextlib

import keras

from kgen.core.keras_private import flatten_layers


@contextlib.contextmanager
def full_precision(network):
    """Context in which the float16 layers of `network` compute in the precision of their weights.

    A gradient penalty squares gradients, which are too small for float16 (below 6e-5 it loses bits,
    below 6e-8 everything) and which no loss scale protects, as they are not the loss's own.
    bfloat16, with the range of float32, stays: it costs a penalty its third digit.
    """
    layers = [layer for layer in flatten_layers(network) if layer.compute_dtype == "float16"]
    policies = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = layer.variable_dtype
    try:
        yield
    finally:
        for layer, policy in zip(layers, policies, strict=True):
            layer.dtype_policy = policy


@contextlib.contextmanager
def dtype_policy(policy):
    """Context in which layers are made with a dtype policy, such as `"mixed_bfloat16"`."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
