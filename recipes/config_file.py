"""Fields of a config from a JSON file: `--config best.json`."""

import json
import pathlib

HELP = """
--config FILE takes fields from a JSON file, such as best.json of a search; flags win over it."""


def settings(config_class, arguments):
    """Returns the arguments of `tyro.cli` for a command line: `args`, and the file's as `default`.

    Args:
        config_class: The recipe's config.
        arguments: List of what stands on the command line.

    Raises:
        ValueError: If the file cannot be read, or holds what is no field or of another type.
    """
    rest, path = [], None
    remaining = iter(arguments)
    for argument in remaining:
        name, equals, value = argument.partition("=")
        if name != "--config":
            rest.append(argument)
            continue
        if path is not None:
            raise ValueError("--config must be given once, received it twice.")
        path = value if equals else next(remaining, None)
        if not path:
            raise ValueError("--config must be followed by a file, received none.")
    if path is None:
        return {"args": rest}
    return {"args": rest, "default": config_class(**read_fields(config_class, path))}


def read_fields(config_class, path):
    """Returns the dict of fields that a file holds.

    Raises:
        ValueError: Names the file, and the field that the config does not have or take.
    """
    # Here, for only a run that is given a file needs it.
    from kgen.tuning.fields import check_name, check_value, field_types

    try:
        content = json.loads(pathlib.Path(path).expanduser().read_text())
    except (OSError, ValueError) as error:  # Also no text at all.
        raise ValueError(f"--config: {path} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise ValueError(f"--config: {path} must hold a dict of fields, received {content!r}.")
    annotations = field_types(config_class)
    for name, value in content.items():
        check_name(f"--config: {path}", name, config_class)
        check_value(f"--config: {path}", name, value, annotations[name])
    return content
