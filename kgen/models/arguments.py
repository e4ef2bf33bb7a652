"""What systems check of their arguments: numbers, choices, networks from image to image."""

import math

from kgen.core.arrays import fits


def check_choice(name, value, choices):
    """Raises a ValueError unless a value is one of the choices."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {list(choices)}, received {value!r}.")


def check_weight(name, value):
    """Raises a ValueError unless a value, such as a loss's weight, is a number of at least 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0.0 <= value < math.inf:
        raise ValueError(f"`{name}` must be a number of at least 0, received {value!r}.")


def check_count(name, value):
    """Raises a ValueError unless a value is an integer of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"`{name}` must be a positive integer, received {value!r}.")


def image_network(name, network):
    """Returns the shapes `(height, width, channels)` of a network's one input and one output.

    Sizes may be `None`, for any.

    Raises:
        ValueError: If the network does not take one image and return one.
    """
    shapes = [tuple(x.shape[1:]) for x in (*network.inputs, *network.outputs)]
    if len(network.inputs) != 1 or len(network.outputs) != 1 or {len(s) for s in shapes} != {3}:
        raise ValueError(
            f"`{name}` must be a network from an image to an image, (height, width, channels), "
            f"received one from {shapes[: len(network.inputs)]} to {shapes[len(network.inputs) :]}."
        )
    return shapes


def check_judge(name, network, *shapes):
    """Raises a ValueError unless a discriminator takes images of the given shapes.

    Args:
        name: The argument's name, for the message.
        network: The discriminator, or another network that images are shown to.
        *shapes: Of its inputs, `(height, width, channels)`.
    """
    found = [tuple(x.shape[1:]) for x in network.inputs]
    pairs = zip(found, shapes, strict=False)
    if len(found) != len(shapes) or not all(fits(*pair) for pair in pairs):
        expected = " and ".join(str(shape) for shape in shapes)
        raise ValueError(f"`{name}` must take images of {expected}, received inputs of {found}.")


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
