"""What an export takes: limits of what a request may ask for, and the checks of its inputs."""

import dataclasses

import tensorflow as tf

from kgen.core.ranges import CONVERSION, TOLERANCE
from kgen.serving.refusals import required

# By what an ability calls images: what a signature of files calls them.
FILES = {"images": "image_bytes", "inputs": "input_bytes"}


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much one request may ask for.

    Attributes:
        max_pixels: Height x width of an image in a file; 4,096 x 4,096 by default.
        max_count: Images to sample, or files.
        image_margin: How far out of [-1, 1] images may be, of a model that removes noise.

    Raises:
        ValueError: If one of the first two is no positive integer.
    """

    max_pixels: int = 2**24
    max_count: int = 1000
    image_margin: float = 0.0

    def __post_init__(self):
        for name in ("max_pixels", "max_count"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31:
                raise ValueError(
                    f"`{name}` must be a positive integer of 31 bits, received {value!r}."
                )


def checked_inputs(specs, tensors, limits):
    """Returns the inputs of a signature, in their order; the request ends where one is refused.

    Images are floats in [-1, 1], or within the margin; points, latents and other floats are finite;
    `count` and the number of files are within the limits.

    Args:
        specs: The inputs' `tf.TensorSpec`s.
        tensors: The inputs.
        limits: The `Limits`.
    """
    return [_checked(spec, x, limits) for spec, x in zip(specs, tensors, strict=True)]


def _checked(spec, value, limits):
    name = spec.name
    if name == "count":
        allowed = (value >= 1) & (value <= limits.max_count)
        expected = f"count: expected a positive integer, at most {limits.max_count}, got "
        return required(value, allowed, expected, value, ".")
    if spec.dtype == tf.string:
        files = tf.size(value)
        expected = f"{name}: expected at most {limits.max_count} files, got "
        return required(value, files <= limits.max_count, expected, files, ".")
    if not spec.dtype.is_floating:
        return value
    if name in FILES and spec.shape.rank == 4:
        largest = 1.0 + limits.image_margin
        allowed = tf.reduce_all(tf.abs(value) <= largest + TOLERANCE)  # False of NaN.
        ends = (tf.reduce_min(value), tf.reduce_max(value))
        expected = f"{name}: expected floats in [{-largest:g}, {largest:g}], got some from "
        return required(value, allowed, expected, ends[0], " to ", ends[1], f". {CONVERSION}")
    expected = f"{name}: expected finite numbers, got NaN or infinity."
    return required(value, tf.reduce_all(tf.math.is_finite(value)), expected)
