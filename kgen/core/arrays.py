"""Arrays that users give: their checks, and how they are worked through in batches."""

import numpy as np
from keras import ops

from kgen.core.numbers import is_count
from kgen.core.ranges import check_image_range


def seed_of(seed):
    """Returns a seed of 64 bits as an integer; one from NumPy's global generator for `None`."""
    if seed is None:
        return int(np.random.randint(2**31))
    is_integer = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not is_integer or not -(2**63) <= seed < 2**63:
        raise ValueError(f"`seed` must be an integer of 64 bits or None, received {seed!r}.")
    return int(seed)


def float_images(images, shape, name="images", margin=0.0):
    """Returns images as float32; `shape` as of `rows_of`.

    Raises:
        ValueError: If they are no floats, not of the shape or not in [-1, 1], or farther from it
            than `margin`. Of rows, such as points and codes, any range is taken.

    Warns:
        UserWarning: If they seem to be in [0, 1]; see `check_image_range`.
    """
    images = np.asarray(images)
    if images.dtype.kind in "iubcOSU":
        raise ValueError(
            f"`{name}` must be floats in [-1, 1], received an array of {images.dtype}."
        )
    images = rows_of(images, name, shape)
    if images.ndim >= 4:
        check_image_range(images, name, margin)
    return images


def rows_of(array, name, shape):
    """Returns an array as float32, of rows of a shape.

    Args:
        array: The array.
        name: The argument's name, for the message.
        shape: Of one row, where `None` stands for any size; `None` for rows of any shape.

    Raises:
        ValueError: If it is empty or of another shape.
    """
    try:
        array = np.asarray(array, "float32")
    except (ValueError, TypeError) as error:  # Strings, or lists of several lengths.
        raise ValueError(f"`{name}` must be an array of numbers: {error}") from error
    if not array.ndim or not len(array) or not (shape is None or fits(array.shape[1:], shape)):
        expected = "rows" if shape is None else f"rows of the shape {tuple(shape)}"
        hint = " without a row" if array.ndim and not len(array) else ""
        if shape is not None and fits(array.shape, shape):
            hint = ": one alone goes as array[None]"
        raise ValueError(f"`{name}` must be an array of {expected}, received {array.shape}{hint}.")
    return array


def fits(found, expected):
    """Whether two shapes are the same, where `None` stands for any size."""
    return len(found) == len(expected) and all(
        own == other or None in (own, other) for own, other in zip(found, expected, strict=True)
    )


def is_one_of(value, choices):
    """Whether a value is one of the choices; an array, compared element by element, never is."""
    return getattr(value, "shape", ()) == () and value in list(choices)


def in_batches(step, *arrays, batch_size):
    """Returns what `step` gives for the rows of arrays, `batch_size` of them at a time."""
    if not is_count(batch_size):
        raise ValueError(f"`batch_size` must be a positive integer, received {batch_size!r}.")

    def made(start):
        # Tensors, as a graph makes of arrays: where functions run eagerly nothing else does.
        batch = (ops.convert_to_tensor(array[start : start + batch_size]) for array in arrays)
        return ops.convert_to_numpy(step(*batch))

    return np.concatenate([made(start) for start in range(0, len(arrays[0]), batch_size)])
