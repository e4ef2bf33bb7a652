"""The checks of the arrays and numbers that the metrics take."""

import numbers

import numpy as np

# Images may leave [-1, 1] by so much: rounding, and no more.
_ROUNDING = 1e-3


def checked_rows(name, values, minimum=2):
    """Returns an array of finite rows in float64.

    Args:
        name: The argument's name, for the errors.
        values: Array `(n, d)` of integers or floats.
        minimum: Fewest rows.

    Raises:
        ValueError: If it is no such array, or has fewer rows, no column, or NaN or Inf.
    """
    values = _checked_numbers(name, values)
    if values.ndim != 2 or values.shape[1] < 1:
        raise ValueError(
            f"`{name}` must have shape (n, d), a row of at least one number each; received an "
            f"array of shape {values.shape}."
        )
    if len(values) < minimum:
        raise ValueError(
            f"`{name}` must have at least {minimum} rows; received {len(values)}: an array of "
            f"shape {values.shape}."
        )
    return _checked_finite(name, values.astype("float64", copy=False))


def check_same_width(name, values, other_name, other):
    """Raises a ValueError unless two arrays `(n, d)` and `(m, d)` have one d."""
    if values.shape[1] != other.shape[1]:
        raise ValueError(
            f"`{name}` and `{other_name}` must have rows of one length; received rows of "
            f"{values.shape[1]} and of {other.shape[1]} numbers."
        )


def checked_images(name, images, minimum=1):
    """Returns images in float64.

    Args:
        name: The argument's name, for the errors.
        images: Array `(n, height, width, channels)` of floats in [-1, 1].
        minimum: Fewest images.

    Raises:
        ValueError: If it is no such array, or has fewer images, integers, NaN or Inf, or values
            outside [-1, 1].
    """
    images = _checked_numbers(name, images)
    if images.dtype.kind != "f":
        raise ValueError(
            f"`{name}` must be floats in [-1, 1]; received {images.dtype}. Integers of 0..255 "
            "become such by images / 127.5 - 1."
        )
    if images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(
            f"`{name}` must have shape (n, height, width, channels); received {images.shape}."
        )
    if len(images) < minimum:
        raise ValueError(f"`{name}` must have at least {minimum} images; received {len(images)}.")
    _checked_finite(name, images)
    if images.size and max(-images.min(), images.max()) > 1.0 + _ROUNDING:
        raise ValueError(
            f"`{name}` must be in [-1, 1]; received values from {images.min():.4g} to "
            f"{images.max():.4g}."
        )
    return images.astype("float64", copy=False)


def checked_pairs(images, others, minimum=1):
    """Returns `images` and `others` in float64, each as of `checked_images`, of one shape.

    Raises:
        ValueError: If they are no such arrays.
    """
    images = checked_images("images", images, minimum)
    others = checked_images("others", others, minimum)
    if images.shape != others.shape:
        raise ValueError(
            f"`images` and `others` must have one shape; received {images.shape} and "
            f"{others.shape}."
        )
    return images, others


def checked_labels(name, labels, classes):
    """Returns integer labels `(n,)` of at least one sample, each in 0 .. classes - 1.

    Raises:
        ValueError: If they are not such labels.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or len(labels) < 1:
        raise ValueError(
            f"`{name}` must be integers of shape (n,), at least one; received {labels.dtype} of "
            f"shape {labels.shape}."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"`{name}` must be in 0 .. {classes - 1}; received {labels.min()} to {labels.max()}."
        )
    return labels


def checked_units(units, count):
    """Returns the unit of each of `count` rows, integers `(count,)`, or `None` for none.

    Raises:
        ValueError: If they are not so many integers.
    """
    if units is None:
        return None
    units = np.asarray(units)
    if units.shape != (count,) or units.dtype.kind not in "iu":
        raise ValueError(
            f"`units` must be None or integers of shape {(count,)}, one a row; received "
            f"{units.dtype} of shape {units.shape}."
        )
    return units


def checked_integer(name, value, minimum):
    """Returns an integer of at least `minimum` as Python's own.

    Raises:
        ValueError: If it is none.
    """
    if (
        not isinstance(value, numbers.Integral)
        or isinstance(value, bool | np.bool_)
        or value < minimum
    ):
        raise ValueError(f"`{name}` must be an integer of at least {minimum}; received {value!r}.")
    return int(value)


def checked_number(name, value, above=None, at_least=None, at_most=None):
    """Returns a finite number within bounds as Python's own float.

    Raises:
        ValueError: If it is none.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    if (
        not is_number
        or not np.isfinite(value)
        or (above is not None and value <= above)
        or (at_least is not None and value < at_least)
        or (at_most is not None and value > at_most)
    ):
        bounds = {"above": above, "at least": at_least, "at most": at_most}
        bounds = [f"{word} {bound}" for word, bound in bounds.items() if bound is not None]
        raise ValueError(
            f"`{name}` must be a finite number {' and '.join(bounds)}; received {value!r}."
        )
    return float(value)


def _checked_numbers(name, values):
    values = np.asarray(values)
    if values.dtype.kind not in "iuf" and values.dtype.name != "bfloat16":
        raise ValueError(f"`{name}` must be an array of numbers; received {values.dtype}.")
    return values.astype("float64") if values.dtype.name == "bfloat16" else values


def _checked_finite(name, values):
    if not np.isfinite(values).all():
        count = int(np.sum(~np.isfinite(values)))
        raise ValueError(f"`{name}` must be finite; received {count:,} values NaN or Inf.")
    return values
