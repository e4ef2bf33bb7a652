"""Checks of the arguments of networks, each with one wording for all."""

from kgen.core.arrays import is_one_of


def check_positive(**arguments):
    """Raises a ValueError that names the first argument which is not a positive integer."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer, received {value!r}.")


def check_choice(choices, **arguments):
    """Raises a ValueError that names the first argument which is none of the `choices`."""
    for name, value in arguments.items():
        if not is_one_of(value, choices):
            raise ValueError(f"`{name}` must be one of {list(choices)}, received {value!r}.")
