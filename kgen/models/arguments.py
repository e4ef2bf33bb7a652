"""What systems check of their arguments: numbers, choices, networks from image to image."""

import math

import keras

from kgen.core.arrays import fits, is_one_of


def check_choice(name, value, choices):
    """Raises a ValueError unless a value is one of the choices."""
    if not is_one_of(value, choices):
        raise ValueError(f"`{name}` must be one of {list(choices)}, received {value!r}.")


def is_number(value):
    """Whether a value is a number, which a boolean is not; that of NumPy comes as Python's own."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_weight(name, value):
    """Raises a ValueError unless a value, such as a loss's weight, is a number of at least 0."""
    if not is_number(value) or not 0.0 <= value < math.inf:
        raise ValueError(f"`{name}` must be a number of at least 0, received {value!r}.")


def check_share(name, value, up_to_one=False):
    """Raises a ValueError unless a value is a number in [0, 1), or in [0, 1] with `up_to_one`."""
    if not is_number(value) or not (0.0 <= value < 1.0 or (up_to_one and value == 1.0)):
        raise ValueError(
            f"`{name}` must lie in {'[0, 1]' if up_to_one else '[0, 1)'}, received {value!r}."
        )


def check_count(name, value, least=1):
    """Raises a ValueError unless a value is an integer of at least `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        expected = "a positive integer" if least == 1 else f"an integer of at least {least}"
        raise ValueError(f"`{name}` must be {expected}, received {value!r}.")


def check_flag(name, value):
    """Raises a ValueError unless a value is true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` must be True or False, received {value!r}.")


def network_shapes(name, network):
    """Returns the shapes of a network's inputs and those of its outputs, without the batch.

    Raises:
        ValueError: If it does not say them, as no functional network.
    """
    is_built = isinstance(network, keras.Model) and network.built
    tensors = [getattr(network, side, None) for side in ("inputs", "outputs")] if is_built else []
    if not tensors or not all(tensors):
        raise ValueError(
            f"`{name}` must be a built functional or sequential keras.Model, whose inputs and "
            f"outputs are known, received {network!r}."
        )
    return tuple([tuple(x.shape[1:]) for x in side] for side in tensors)


def image_network(name, network):
    """Returns the shapes `(height, width, channels)` of a network's one input and one output.

    Sizes may be `None`, for any.

    Raises:
        ValueError: If the network does not take one image and return one.
    """
    inputs, outputs = network_shapes(name, network)
    if (len(inputs), len(outputs)) != (1, 1) or {len(s) for s in (*inputs, *outputs)} != {3}:
        raise ValueError(
            f"`{name}` must be a network from an image to an image, (height, width, channels), "
            f"received one from {inputs} to {outputs}."
        )
    return [*inputs, *outputs]


def check_judge(name, network, *shapes):
    """Raises a ValueError unless a discriminator takes images of the given shapes.

    Args:
        name: The argument's name, for the message.
        network: The discriminator, or another network that images are shown to.
        *shapes: Of its inputs, `(height, width, channels)`.
    """
    found, outputs = network_shapes(name, network)
    pairs = zip(found, shapes, strict=False)
    if len(found) != len(shapes) or not all(fits(*pair) for pair in pairs):
        expected = " and ".join(str(shape) for shape in shapes)
        raise ValueError(f"`{name}` must take images of {expected}, received inputs of {found}.")
    if len(outputs) != 1:
        raise ValueError(f"`{name}` must return logits alone, received outputs of {outputs}.")


def check_targets(targets, shape):
    """Raises a ValueError unless the targets given to `fit` are float images of a shape.

    Args:
        targets: An array, the spec of a dataset's, or `None` where they are not known.
        shape: `(height, width, channels)`.
    """
    if not hasattr(targets, "shape"):
        return
    dtype = getattr(targets.dtype, "name", str(targets.dtype))
    if not fits(tuple(targets.shape)[1:], shape):
        raise ValueError(
            f"Targets must be images of {shape}, received an array of the shape {targets.shape}."
        )
    if "float" not in dtype:
        raise ValueError(f"Targets must be floats in [-1, 1], received {dtype}.")
