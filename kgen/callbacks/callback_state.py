"""The state of Keras callbacks: what they have learned since training began."""

import inspect
import os

import keras
import numpy as np

# Set by Keras or by the process, not learned.
_NOT_STATE = {"model", "_model", "params", "validation_data", "append_header"}


def get_state(callback):
    """Returns what a callback must remember to go on, as plain data and NumPy arrays.

    That is what its `get_state()` returns if it has one; otherwise every attribute that is plain
    data (numbers, strings, arrays, and lists, tuples and dicts of these), as the patience that
    EarlyStopping has left, and that is no argument of its constructor. Of a CSVLogger, also how
    long its file is.
    """
    if hasattr(callback, "get_state"):
        return callback.get_state()
    fixed = _NOT_STATE | _arguments(type(callback)) | set(getattr(callback, "not_state", ()))
    state = {
        name: value
        for name, value in vars(callback).items()
        if name not in fixed and _is_plain(value)
    }
    if isinstance(callback, keras.callbacks.CSVLogger) and os.path.exists(callback.filename):
        if callback.csv_file is not None and not callback.csv_file.closed:
            callback.csv_file.flush()
        state["file_size"] = os.path.getsize(callback.filename)
    return state


def set_state(callback, state):
    """Gives a callback back what `get_state` returned."""
    if hasattr(callback, "set_state"):
        callback.set_state(state)
        return
    for name, value in state.items():
        if name != "file_size":
            # JSON has no tuples.
            kept_tuple = isinstance(getattr(callback, name, None), tuple)
            setattr(callback, name, tuple(value) if kept_tuple else value)


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
    """Returns `value` with each array in it replaced by its key in `arrays`, as JSON can hold it.

    Args:
        value: Plain data and NumPy arrays.
        arrays: Dict that gets the arrays.
        name: Beginning of their keys.
    """
    if isinstance(value, np.ndarray):
        key = f"{name}/{len(arrays)}"
        arrays[key] = value
        return {"__array__": key}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: flatten(entry, arrays, name) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [flatten(entry, arrays, name) for entry in value]
    return value


def unflatten(value, arrays):
    """Undoes `flatten`, but for tuples, which come back as lists."""
    if isinstance(value, dict):
        if set(value) == {"__array__"}:
            return arrays[value["__array__"]]
        return {key: unflatten(entry, arrays) for key, entry in value.items()}
    if isinstance(value, list):
        return [unflatten(entry, arrays) for entry in value]
    return value


def _arguments(cls):
    """Names of the constructor arguments of a class and those it derives from."""
    own = [base.__init__ for base in cls.__mro__ if "__init__" in vars(base)]
    return {name for function in own for name in inspect.signature(function).parameters}


def _is_plain(value):
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(entry) for key, entry in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(entry) for entry in value)
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf"
    return value is None or isinstance(value, bool | int | float | str | np.generic)
