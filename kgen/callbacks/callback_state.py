"""The state of Keras callbacks: what they have learned since training began."""

import collections
import contextlib
import copy
import inspect
import json
import os
import random
import warnings

import keras
import numpy as np

from kgen.core.keras_private import CALLBACKS_MODEL, STEPS_OF_TENSORBOARD
from kgen.core.whole_file import sync_log

# Set by Keras or by the process, not learned.
_NOT_STATE = {"model", CALLBACKS_MODEL, "params", "validation_data", "append_header"}
_CONTAINERS = (
    dict, list, tuple, set, frozenset, collections.deque, bytearray, random.Random,
    np.random.Generator, np.random.RandomState,
)  # fmt: skip


def arguments_of(callback):
    """Returns a copy of those constructor arguments of a callback that are plain attributes.

    None of Keras' own, which turns the sign of EarlyStopping's `min_delta` as training begins.
    """
    if _module(callback) == "keras":
        return {}
    names = _argument_names(type(callback)) & set(vars(callback))
    values = {name: vars(callback)[name] for name in names}
    return {name: copy.deepcopy(value) for name, value in values.items() if _is_plain(value)}


def get_state(callback, arguments):
    """Returns what a callback must remember to go on, as plain data and NumPy arrays.

    That is what its `get_state()` returns if it has one. Otherwise it is every attribute that is
    plain data (numbers, strings, arrays, and lists, tuples and dicts of these), as the patience
    that EarlyStopping has left; of its constructor's arguments only those that have changed since.
    Of a CSVLogger, also how long its file is.

    Args:
        callback: A Keras callback.
        arguments: What `arguments_of` returned before training began.

    Raises:
        ValueError: If what `get_state()` returns is not plain data.
    """
    if hasattr(callback, "get_state"):
        state = callback.get_state()
        if not _is_plain(state):
            raise ValueError(
                f"get_state() of {type(callback).__name__} must return numbers, strings, arrays, "
                f"and lists, tuples and dicts of these, received {state!r}."
            )
        return state
    fixed = _NOT_STATE | set(getattr(callback, "not_state", ()))
    fixed |= _argument_names(type(callback)) - set(arguments)
    state = {
        name: value
        for name, value in vars(callback).items()
        if name not in fixed
        and _is_plain(value)
        and not (name in arguments and _same(value, arguments[name]))
    }
    if isinstance(callback, keras.callbacks.TensorBoard):
        # The rest is of the process.
        return {name: state[name] for name in {*STEPS_OF_TENSORBOARD} & set(state)}
    if isinstance(callback, keras.callbacks.CSVLogger) and os.path.exists(callback.filename):
        with contextlib.suppress(OSError):  # The disk is full.
            if callback.csv_file is not None and not callback.csv_file.closed:
                callback.csv_file.flush()
        with contextlib.suppress(OSError):  # It cannot be written at all, which is warned of.
            # Or a power cut may leave less than the state says; also of a training that has ended,
            # which has closed it.
            sync_log(callback.filename)
        state["file_size"] = os.path.getsize(callback.filename)
    return state


def named(callbacks, arguments, arrays):
    """Returns the callbacks' states as JSON can hold them, a list of the classes' names and these.

    Args:
        callbacks: List of callbacks.
        arguments: List of what `arguments_of` returned for each before training began.
        arrays: Dict that gets the arrays.
    """
    return [
        [type(one).__name__, flatten(get_state(one, given), arrays, "callback")]
        for one, given in zip(callbacks, arguments, strict=True)
    ]


def matched(callbacks, states, arrays):
    """Yields each callback with the state of the one of its class that came in the same order.

    A callback that `states`, which `named` returned, does not know starts afresh.
    """
    states = list(states)
    for callback in callbacks:
        found = next((state for state in states if state[0] == type(callback).__name__), None)
        if found is not None:
            states.remove(found)
            yield callback, unflatten(found[1], arrays)


def warn_of_lost_state(callback):
    """Warns of attributes of a user's callback that look like state but are no plain data."""
    if _module(callback) in ("keras", "kgen") or hasattr(callback, "get_state"):
        return
    lost = [
        name
        for name, value in vars(callback).items()
        if name not in _NOT_STATE and isinstance(value, _CONTAINERS) and not _is_plain(value)
    ]
    if lost:
        warnings.warn(
            f"A checkpoint cannot hold the attributes {lost} of {type(callback).__name__}: give it "
            "get_state() and set_state(state), of plain data, if training depends on them.",
            stacklevel=2,
        )


def set_state(callback, state):
    """Gives a callback back what `get_state` returned."""
    if hasattr(callback, "set_state"):
        callback.set_state(state)
        return
    for name, value in state.items():
        if name != "file_size":
            setattr(callback, name, value)


def reopen_files(callback, state):
    """Has a CSVLogger go on with its file, from the row it had come to; before training begins."""
    if not isinstance(callback, keras.callbacks.CSVLogger):
        return
    size = state.get("file_size")
    if size is not None and os.path.exists(callback.filename):
        callback.append = True
        if os.path.getsize(callback.filename) > size:
            os.truncate(callback.filename, size)


def flatten(value, arrays, name):
    """Returns plain data as JSON can hold it, its arrays replaced by their keys in `arrays`.

    Args:
        value: Plain data and NumPy arrays.
        arrays: Dict that gets the arrays.
        name: Beginning of their keys.
    """
    if isinstance(value, np.ndarray):
        key = f"{name}/{len(arrays)}"
        arrays[key] = value
        return {"array": key, "dtype": value.dtype.name}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        pairs = [[flatten(entry, arrays, name) for entry in pair] for pair in value.items()]
        return {"dict": pairs}
    if isinstance(value, tuple):
        return {"tuple": [flatten(entry, arrays, name) for entry in value]}
    if isinstance(value, list):
        return [flatten(entry, arrays, name) for entry in value]
    return value


def unflatten(value, arrays):
    """Undoes `flatten`."""
    if isinstance(value, list):
        return [unflatten(entry, arrays) for entry in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        array = arrays[value["array"]]
        # A NumPy file keeps bfloat16 as bytes without a name.
        return array.view(value["dtype"]) if array.dtype.kind == "V" else array
    if "tuple" in value:
        return tuple(unflatten(value["tuple"], arrays))
    return {unflatten(key, arrays): unflatten(entry, arrays) for key, entry in value["dict"]}


def _module(callback):
    return type(callback).__module__.split(".")[0]


def _same(one, other):
    return json.dumps(flatten(one, {}, "")) == json.dumps(flatten(other, {}, ""))


def _argument_names(cls):
    """Names of the constructor arguments of a class and those it derives from."""
    own = [base.__init__ for base in cls.__mro__ if "__init__" in vars(base)]
    return {name for function in own for name in inspect.signature(function).parameters}


def _is_plain(value, depth=0):
    if depth > 20:  # It may hold itself.
        return False
    if isinstance(value, dict):
        return all(_is_plain(part, depth + 1) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return type(value) in (list, tuple) and all(_is_plain(one, depth + 1) for one in value)
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf" or value.dtype.name == "bfloat16"
    return value is None or isinstance(value, bool | int | float | str | np.generic)
