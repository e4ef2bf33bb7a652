"""Which Keras layers have wrong second-order gradients on TensorFlow, and a refusal of them."""

from typing import NamedTuple

import keras


class WrongSecondOrder(NamedTuple):
    """What is wrong with an operation, and what to use instead of it."""

    reason: str
    replacement: str


_MOMENTS = "its variance has no gradient through the mean, so its second-order gradient is wrong"
_RESIZE = "its second-order gradient is wrong or missing"
_NEAREST = 'keras.layers.UpSampling2D(interpolation="nearest") or average pooling'

_LAYERS = {
    "LayerNormalization": (_MOMENTS, "kgen.layers.LayerNormalization"),
    "GroupNormalization": (
        _MOMENTS,
        "kgen.layers.InstanceNormalization (for groups=-1) or kgen.layers.LayerNormalization",
    ),
    "BatchNormalization": (_MOMENTS, "kgen.layers.LayerNormalization, or no normalisation"),
    "SpectralNormalization": (
        "it overwrites the kernel and lets no gradient through the spectral norm",
        "kgen.layers.SpectralNormalization",
    ),
    "UpSampling2D": (_RESIZE, 'interpolation="nearest"'),
    "Resizing": (_RESIZE, _NEAREST),
}
_OPERATIONS = {
    "LayerNorm": (_MOMENTS, "kgen.layers.LayerNormalization"),
    "Moments": (_MOMENTS, "ops.mean(x) and ops.mean(ops.square(x - mean))"),
    "Resize": (_RESIZE, _NEAREST),
}


def refuse_wrong_second_order(network, wanted_by):
    """Raises if `network` holds a layer through which a gradient penalty would be wrong.

    Args:
        network: The `keras.Model` that is differentiated twice.
        wanted_by: String, who differentiates it; begins the message.

    Raises:
        ValueError: Names each such layer or graph operation, the reason and the replacement.

    Example:
    >>> refuse_wrong_second_order(keras.Sequential([keras.layers.ReLU()]), "GAN: `penalty`")
    """
    found = [(one, known_wrong(one)) for one in _layers_and_operations(network)]
    lines = [
        f"  {one.name!r} ({type(one).__name__}): {known.reason}; use {known.replacement}"
        for one, known in found
        if known is not None
    ]
    if lines:
        raise ValueError(
            f"{wanted_by} differentiates the network {network.name!r} twice, which is wrong on "
            "TensorFlow through:\n" + "\n".join(lines)
        )


def known_wrong(operation):
    """Returns the `WrongSecondOrder` of a layer or graph operation, or `None` if it is right."""
    if isinstance(operation, keras.layers.Layer):
        for name, row in _LAYERS.items():
            if isinstance(operation, getattr(keras.layers, name)):
                if getattr(operation, "interpolation", None) == "nearest" and name != "Resizing":
                    return None
                return WrongSecondOrder(*row)
        return None
    if type(operation).__module__.startswith("keras."):
        row = _OPERATIONS.get(type(operation).__name__)
        return None if row is None else WrongSecondOrder(*row)
    return None


def flatten_layers(network):
    """Returns the network and all layers in it, however deep: nested, wrapped or in a layer."""
    return network._flatten_layers()  # Keras has no public way to the layers inside a layer


def _layers_and_operations(network):
    for layer in flatten_layers(network):
        yield layer
        for operation in getattr(layer, "operations", []):
            if not isinstance(operation, keras.layers.Layer):
                yield operation
