"""What values the fields of a config take, by their annotations."""

import dataclasses
import math
import types
import typing

from kgen.suggestion import did_you_mean


def field_types(config_class):
    """Returns a dict from the name of each field of a dataclass to its annotation."""
    hints = typing.get_type_hints(config_class)  # Without what `Annotated` adds.
    return {field.name: hints[field.name] for field in dataclasses.fields(config_class)}


def changed(config):
    """Returns the names of a config's fields that are not their defaults, in order."""
    return [
        field.name
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != _default(field)
    ]


def check_name(argument, name, config_class):
    """Raises a ValueError unless `name` is a field of a config; `argument` is whose fault it is."""
    known = [field.name for field in dataclasses.fields(config_class)]
    if name not in known:
        raise ValueError(
            f"{argument}: {config_class.__module__} has no field {name!r}; expected names out of "
            f"{known}.{did_you_mean(name, known)}"
        )


def check_value(argument, name, value, annotation):
    """Raises a ValueError unless a value is of a field's type; `argument` is whose fault it is."""
    if not fits(value, annotation):
        raise ValueError(
            f"{argument}: {name!r} must be {described(annotation)}, received {value!r}."
        )


def fits(value, annotation):
    """Whether a value is what an annotation says; a float is finite, or an integer, but no bool."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is typing.Any:
        return True
    if origin is typing.Literal:
        return any(type(value) is type(choice) and value == choice for choice in arguments)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in arguments)
    if origin is list:
        return isinstance(value, list) and all(fits(entry, arguments[0]) for entry in value)
    if origin is tuple:  # In JSON a list.
        sized = isinstance(value, tuple | list) and len(value) == len(arguments)
        return sized and all(map(fits, value, arguments))
    if annotation in (None, type(None)):
        return value is None
    if annotation is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and -math.inf < value < math.inf  # JSON has NaN and Infinity.
    if annotation in (int, bool, str):
        return type(value) is annotation
    kind = origin or annotation
    return not isinstance(kind, type) or isinstance(value, kind)


def choices(annotation):
    """Returns all values of an annotation that has finitely many; `None` for any other.

    Of `bool | None` these are `True` and `False`: `None` stands for the recipe's own choice.
    """
    if annotation is bool:
        return [True, False]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return list(arguments)
    if origin in (typing.Union, types.UnionType):
        parts = [choices(one) for one in arguments if one is not type(None)]
        return None if None in parts else [value for part in parts for value in part]
    return None


def described(annotation):
    """Returns an annotation in words, as for an error."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return f"one of {list(arguments)}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(described(one) for one in arguments)
    if origin is list:
        return f"a list, each entry {described(arguments[0])}"
    if origin is tuple:
        return f"a list of {len(arguments)}: {', '.join(map(described, arguments))}"
    if annotation in (None, type(None)):
        return "None"
    names = {int: "an integer", float: "a number", bool: "True or False", str: "a string"}
    return names.get(annotation, str(annotation))


def _default(field):
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
