"""Image shapes: checking them, and how often they can be halved."""

from kgen.core.numbers import is_count


def check_image_shape(image_shape, divisor=1):
    """Returns `(height, width, channels)` as integers.

    Raises:
        ValueError: If `image_shape` is not three positive integers, or height or width is not
            divisible by `divisor`.
    """
    shape = tuple(image_shape)
    if len(shape) != 3 or not all(is_count(n) for n in shape):
        raise ValueError(
            f"`image_shape` must be (height, width, channels), received {image_shape!r}."
        )
    if shape[0] % divisor or shape[1] % divisor:
        raise ValueError(
            f"`image_shape` must have a height and a width divisible by {divisor}, received "
            f"{image_shape!r}."
        )
    return shape


def halvings(height, width):
    """How often to halve an image: down to 4 pixels or an odd number, twice at least."""
    stages = 0
    while stages < 2 or (min(height, width) > 4 and height % 2 == 0 and width % 2 == 0):
        height, width, stages = height // 2, width // 2, stages + 1
    return stages
