"""Checks of the doctor's arguments."""

from kgen.callbacks.doctor.signals import SIGNALS, THRESHOLDS


def check_counts(least=1, **counts):
    """Raises if a named argument is no integer of at least `least`."""
    for name, value in counts.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(
                f"`{name}` must be an integer of at least {least}, received {value!r}."
            )


def check_choice(name, value, choices):
    """Raises if an argument is none of its choices."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {list(choices)}, received {value!r}.")


def check_factor(name, value):
    """Raises if an argument does not lie between 0 and 1."""
    if not isinstance(value, int | float) or not 0.0 < value < 1.0:
        raise ValueError(f"`{name}` must lie in (0, 1), received {value!r}.")


def checked_thresholds(thresholds):
    """Returns the thresholds given; raises if one has no such name or is no number."""
    if not isinstance(thresholds, dict):
        raise ValueError(f"`thresholds` must be a dict, received {thresholds!r}.")
    for name, value in thresholds.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if name not in THRESHOLDS or not is_number or not value > 0.0:
            raise ValueError(
                f"`thresholds` must be a dict from names out of {list(THRESHOLDS)} to numbers "
                f"above 0, received {name!r}: {value!r}."
            )
    return thresholds


def checked_failures(failures):
    """Returns the names of signals given, as a tuple; raises if one is unknown."""
    if isinstance(failures, str) or any(name not in SIGNALS for name in failures):
        raise ValueError(
            f"`failures` must be a list of names out of {list(SIGNALS)}, received {failures!r}."
        )
    return tuple(failures)
