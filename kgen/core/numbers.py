"""Numbers out of NumPy: taken wherever Python's own are."""

import functools
import inspect
import numbers

import numpy as np


def is_count(value, least=1):
    """Whether a value is an integer of at least `least`, NumPy's included and booleans not."""
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return is_integer and value >= least


def plain(value):
    """Returns a value in which what NumPy holds as one number is Python's own.

    NumPy's scalars and arrays without an axis become `bool`, `int`, `float` or `str`, also within
    lists, tuples and dicts. All else stays as it is.

    Example:
    >>> plain([np.float32(0.5), np.array(3), "mean"])
    [0.5, 3, 'mean']
    """
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
        return value.item()
    if type(value) in (list, tuple):
        return type(value)(plain(part) for part in value)
    if type(value) is dict:
        return {plain(key): plain(part) for key, part in value.items()}
    return value


def plain_arguments(function):
    """Decorator of a function or a constructor: its arguments reach it as `plain` makes them.

    So its checks, and what Keras asks of integers and files, see Python's numbers alone.
    """

    @functools.wraps(function)
    def with_plain_arguments(*args, **kwargs):
        return function(*(plain(arg) for arg in args), **plain(kwargs))

    # For Keras, which looks for a constructor's arguments without `__wrapped__`.
    with_plain_arguments.__signature__ = inspect.signature(function)
    return with_plain_arguments
