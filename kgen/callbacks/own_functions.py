"""The functions of somebody's own that a model holds, of which its config has the names alone."""

import dataclasses
import hashlib
import sys
import types

import keras

from kgen.core.keras_private import flatten_layers

# Whose functions are known by their versions.
_LIBRARIES = ("keras", "kgen", "tensorflow", "numpy")


def own_functions(model):
    """Returns a dict from where a function is held to its digest.

    Of the model's arguments, such as a loss, and of its layers, such as what a `Lambda` computes.

    Args:
        model: `kgen.GenerativeModel`.
    """
    held = {"model": vars(model)}
    for index, layer in enumerate(flatten_layers(model)):
        if layer is not model and not isinstance(layer, keras.Model):
            held[f"layer {index} ({type(layer).__name__})"] = vars(layer)
    return {
        f"{place}.{name}{where}": digest(function)
        for place, values in held.items()
        for name, value in values.items()
        if not name.startswith("_")
        for where, function in _functions_in(value)
        if function.__module__.partition(".")[0] not in _LIBRARIES
    }


def changed_functions(before, now):
    """Returns the places of the functions that differ, of those that both have."""
    places = [place for place in before if place in now]
    # Another Python has other bytecode for the same text.
    return [
        place
        for place in places
        if before[place].split()[0] == now[place].split()[0] and before[place] != now[place]
    ]


def digest(function):
    """Returns what a function is known by: the Python and a hash of its code and of what it holds.

    Of its defaults and of the variables of the function around it the numbers, words, arrays and
    functions count; neither its name and place in a file, nor its docstring and global variables.
    """
    content = hashlib.sha256(repr(_of_function(function, ())).encode()).hexdigest()[:16]
    return f"{sys.implementation.cache_tag} {content}"


def _of_function(function, inside):
    if function in inside:
        return "recursion"
    inside = (*inside, function)
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    given = [cells, function.__defaults__, sorted((function.__kwdefaults__ or {}).items())]
    return _of_code(function.__code__, function.__doc__), _of_value(given, inside)


def _of_code(code, doc=None):
    constants = [
        _of_code(value) if isinstance(value, types.CodeType) else repr(value)
        for value in code.co_consts
        if doc is None or value != doc
    ]
    return code.co_code, code.co_names, code.co_varnames[: code.co_argcount], constants


def _of_value(value, inside):
    if isinstance(value, types.FunctionType):
        return _of_function(value, inside)
    if isinstance(value, list | tuple):
        return [_of_value(entry, inside) for entry in value]
    if isinstance(value, dict):
        return [(repr(key), _of_value(entry, inside)) for key, entry in value.items()]
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        return str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    return type(value).__name__


def _functions_in(value, where=""):
    if isinstance(value, types.FunctionType):
        yield where, value
    elif isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            yield from _functions_in(entry, f"{where}[{index}]")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _functions_in(getattr(value, field.name), f"{where}.{field.name}")


def _is_filled(cell):
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
