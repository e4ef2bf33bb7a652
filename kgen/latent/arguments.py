"""The checks of what the functions on latents take."""

import numpy as np


def finite_rows(name, rows, axes=1):
    """Returns latents in float64.

    Args:
        name: The argument's name, for the errors.
        rows: Array `(..., d)` of numbers.
        axes: Fewest axes.

    Raises:
        ValueError: If it is no such array, is empty or has NaN or Inf.
    """
    try:
        rows = np.asarray(rows)
    except ValueError as error:  # Of lists of several lengths.
        raise ValueError(f"`{name}` must be an array of numbers: {error}") from error
    if rows.dtype.kind not in "iuf" or rows.ndim < axes or 0 in rows.shape:
        expected = "(..., d)" if axes == 1 else "(n, ..., d)"
        raise ValueError(
            f"`{name}` must be an array of numbers of the shape {expected}, none of them 0, "
            f"received {rows.dtype} of the shape {rows.shape}."
        )
    with np.errstate(over="ignore"):
        finite = np.isfinite(rows.astype("float32"))  # The type of latents.
    if not finite.all():
        count = int(np.sum(~finite))
        raise ValueError(
            f"`{name}` must be finite, received {count:,} values that are NaN, Inf or too large "
            "for float32."
        )
    return rows.astype("float64", copy=False)


def check_same_shape(name, rows, other_name, other):
    """Raises a ValueError unless two arrays have one shape."""
    if rows.shape != other.shape:
        raise ValueError(
            f"`{name}` and `{other_name}` must have one shape, received {rows.shape} and "
            f"{other.shape}."
        )


def free_width(labels, rows):
    """Returns how many numbers of a row come before its last `labels`.

    Raises:
        ValueError: If `labels` is no integer from 0 to less than the row has.
    """
    width = rows.shape[-1]
    is_integer = isinstance(labels, int | np.integer) and not isinstance(labels, bool)
    if not is_integer or not 0 <= labels < width:
        raise ValueError(
            f"`labels` must be an integer from 0 to {width - 1}, how many of a row's {width} "
            f"numbers are its label, received {labels!r}."
        )
    return width - int(labels)


def check_choice(name, value, choices):
    """Raises a ValueError unless a value is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"`{name}` must be one of {list(choices)}, received {value!r}.")


def finite_numbers(name, values):
    """Returns numbers `(n,)` in float64, at least one.

    Raises:
        ValueError: If they are not such numbers.
    """
    numbers = np.asarray(values)
    is_list = numbers.ndim == 1 and numbers.size and numbers.dtype.kind in "iuf"
    if not is_list or not np.isfinite(numbers).all():
        raise ValueError(f"`{name}` must be a list of finite numbers, received {values!r}.")
    return numbers.astype("float64")
