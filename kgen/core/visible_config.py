"""What an object is known by: its config, or of one that has none what can be seen of it."""

import keras

from kgen.core.keras_private import flatten_layers


def config_of(value):
    """Returns the config of a network, optimizer or plain value, as Keras serialises it.

    Of an object of somebody's own that has none it holds the numbers and words among its
    attributes, of a network its layers, and of an optimizer its first learning rate.
    """
    try:
        return keras.saving.serialize_keras_object(value)
    except Exception:  # Such an object says so in any way.
        return {"class_name": type(value).__name__, "config": _visible(value)}


def _visible(value):
    plain = (bool, int, float, str, type(None))
    seen = {
        name: entry
        for name, entry in getattr(value, "__dict__", {}).items()
        if isinstance(entry, plain) and not name.startswith("_")
    }
    if isinstance(value, keras.Layer):
        inner = [layer for layer in flatten_layers(value) if layer is not value]
        seen["layers"] = [config_of(layer) for layer in inner]
    if isinstance(value, keras.optimizers.Optimizer):
        seen["learning_rate"] = float(value.learning_rate)
    return seen
