"""The checks of the arguments that `load`, `pairs`, `unpaired` and `from_arrays` share."""

import numbers

import numpy as np

from kgen.data.rows import Request
from kgen.data.splitting import SPLITS


def checked_request(
    split,
    image_size,
    channels,
    seed,
    length,
    frames,
    value_range,
    on_bad_file,
    follow_links=False,
):
    """Return the arguments of `kgen.data.load` of these names as a `Request`.

    Raises:
        ValueError: one is not as `load` describes it. The message names it.
    """
    if not isinstance(split, str) or split not in SPLITS:
        raise ValueError(f"split: expected one of {list(SPLITS)}, got {split!r}.")
    if channels is not None and (isinstance(channels, bool) or channels not in (1, 3)):
        raise ValueError(f"channels: expected 1, 3 or None, got {channels!r}.")
    if on_bad_file not in ("error", "skip"):
        raise ValueError(f"on_bad_file: expected 'error' or 'skip', got {on_bad_file!r}.")
    return Request(
        split,
        _height_and_width(image_size),
        None if channels is None else int(channels),
        checked_seed(seed),
        None if length is None else checked_count("length", length),
        None if frames is None else checked_count("frames", frames),
        value_range,
        on_bad_file,
        checked_flag("follow_links", follow_links),
    )


def checked_count(name, value):
    """Return a positive integer as Python's own, or refuse it under its name."""
    if not _is_integer(value) or not 1 <= value < 2**63:
        raise ValueError(f"{name}: expected an integer of at least 1, got {value!r}.")
    return int(value)


def checked_seed(seed):
    """Return a seed as Python's own integer."""
    if not _is_integer(seed) or not -(2**63) <= seed < 2**63:
        raise ValueError(f"seed: expected an integer of 64 bits, got {seed!r}.")
    return int(seed)


def checked_labels(labels, where):
    """Return integer labels as int32, or refuse those that would wrap; `where` names the source."""
    least, most = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    for value in (least, most):
        if not -(2**31) <= value < 2**31:
            raise ValueError(f"{where}: expected labels of at most 32 bits, found {value}.")
    return labels.astype(np.int32)


def checked_flag(name, value):
    """Return True or False, or refuse the value under its name."""
    if value is not True and value is not False:
        raise ValueError(f"{name}: expected True or False, got {value!r}.")
    return value


def check_batch_fits(batch_size, count, where):
    """Refuse a batch larger than the set that it is drawn from; `where` names the set."""
    if batch_size > count:
        raise ValueError(
            f"batch_size: expected at most {count}, the number of examples in {where}, got "
            f"{batch_size}."
        )


def _height_and_width(image_size):
    """Return `(height, width)` as Python integers, or None."""
    if image_size is None:
        return None
    pair = (image_size, image_size) if _is_integer(image_size) else image_size
    is_pair = isinstance(pair, tuple | list) and len(pair) == 2
    if not is_pair or not all(_is_integer(side) and side >= 1 for side in pair):
        raise ValueError(
            "image_size: expected a positive integer, (height, width) of positive integers, "
            f"or None, got {image_size!r}."
        )
    return int(pair[0]), int(pair[1])


def _is_integer(value):
    """Say whether a value is an integer, NumPy's included and booleans not."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
