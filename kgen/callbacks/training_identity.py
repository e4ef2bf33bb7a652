"""What a training is: the facts by which a checkpoint knows whether it goes on with its own."""

import collections
import json
import re
import warnings

import keras
import numpy as np

from kgen.callbacks.model_state import groups
from kgen.callbacks.own_functions import changed_functions, own_functions
from kgen.core import engine
from kgen.core.visible_config import config_of
from kgen.data.fingerprint import of_data
from kgen.version import __version__

FORMAT = 2  # Of checkpoints. The first said nothing of what is compared here.
MOST = 5  # Differences that are named.
NOT_SET = object()

# Of what Keras writes of an object, what does not change what it computes.
_NOT_COMPARED = {"module", "registered_name", "compile_config", "shared_object_id"}
_REFERENCES = {"name", "keras_history", "input_layers", "output_layers"}


def identity(model, data):
    """Returns what decides a training beside its state, as JSON can hold it.

    The format, versions, configs of the model and of the optimizers as `compile` was given them
    (rates that callbacks change are state), functions of somebody's own, names and types of all
    variables, and the data's fingerprint. Of a network or schedule without config the numbers and
    words that it holds count, and the layers; a model whose own config cannot be had has none.

    Args:
        model: A compiled `kgen.GenerativeModel`.
        data: What `fit` was given, arrays with their labels in a list.
    """
    return {
        "format": FORMAT,
        "versions": {
            "kgen": __version__,
            "Keras": keras.__version__,
            "TensorFlow": engine.VERSION,
        },
        "model": _plain({"class_name": type(model).__name__, "config": _config_of(model)}),
        "optimizer": _nameless(_plain(model.optimizer.compiled_with)),
        "functions": own_functions(model),
        "variables": {
            group: [[_name_of(v, group), keras.backend.standardize_dtype(v.dtype)] for v in found]
            for group, found in groups(model).items()
        },
        "data": of_data(data),
    }


def check(before, now, path, accepts):
    """Raises if a checkpoint is of another training.

    Args:
        before, now: The checkpoint's identity, empty of the first format, and this training's.
        path: The checkpoint's.
        accepts: Whether other arguments of the same system are accepted.

    Raises:
        ValueError: If they differ, with how, or the format is of a later kgen.
    """
    if before.get("format", 1) > FORMAT:
        raise ValueError(
            f"{path} is a checkpoint of format {before['format']}, written by kgen "
            f"{before['versions']['kgen']}; kgen {__version__} reads formats up to {FORMAT}. "
            "Expected that version of kgen or a later one."
        )
    found, is_other = changes(before, now), _is_another_system(before, now)
    if found and (is_other or not accepts):
        other = "" if is_other else ', or Checkpoint(..., changes="accept") to go on so from it'
        raise ValueError(
            f"{path} is of another training: {'; '.join(found)}. Give this one a folder of its "
            f"own{other}."
        )


def warn_of_differences(before, now, path):
    """Warns of accepted changes, other data and other versions of what a checkpoint is of."""
    found = changes(before, now)
    if found:
        warnings.warn(f"{path} goes on otherwise: {'; '.join(found)}.", stacklevel=2)
    old, new = before.get("versions", {}), now["versions"]
    changed = [name for name in old if old[name] != new.get(name)]
    if changed:
        said = ", ".join(f"{name} {old[name]} (now {new.get(name)})" for name in changed)
        warnings.warn(
            f"{path} was written by {said}: training may not end at the same bits.", stacklevel=2
        )
    if before.get("data") and now["data"] and before["data"] != now["data"]:
        warnings.warn(
            f"{path} was trained on other data than there are now: it goes on with these, "
            "and images that were held out may be trained on.",
            stacklevel=2,
        )


def changes(before, now):
    """Returns the differences in model and optimizers, a list of texts; none of the first format.

    Where the model is of another class, that says all.

    An argument that one of the two does not have, as of another version, is none.
    """
    found = [
        difference
        for part in ("model", "optimizer")
        if before.get(part) and now[part]  # Not of the first format, nor without config.
        for difference in _differences(before[part], now[part], part)
    ]
    if _is_another_system(before, now):
        return found[:1]
    found += [
        f"the function at {place} is another one"
        for place in changed_functions(before.get("functions", {}), now.get("functions", {}))
    ]
    old, new = before.get("variables", {}), now["variables"]
    found += [
        f"the {group} held {' of '.join(one)} where there is {' of '.join(other)}"
        for group in old
        for one, other in zip(old[group], new[group], strict=False)
        if one != other
    ]
    return found[:MOST] + ([f"and {len(found) - MOST} more"] if len(found) > MOST else [])


def changed_rates(before, now):
    """Returns a dict from the players whose learning rate was compiled as another one to that."""
    old, new = before.get("optimizer", {}), now["optimizer"]
    rates = {name: _rate(new[name]) for name in new if name in old}
    return {name: rate for name, rate in rates.items() if rate != _rate(old[name])}


def _is_another_system(before, now):
    """Whether the models are of different classes."""
    return bool(before.get("model")) and before["model"]["class_name"] != now["model"]["class_name"]


def _rate(optimizer):
    config = optimizer.get("config", {})
    inner = config.get("inner_optimizer")
    return config.get("learning_rate") if inner is None else _rate(inner)


def _config_of(model):
    try:
        config = model.get_config()
    except Exception:  # A class of one's own may have none, and says so in any way.
        return {}
    return {name: config_of(value) for name, value in config.items()}


def _differences(before, now, place, is_config=False):
    """Yields how two plain values differ; of a config, in what both have."""
    if before == now:
        return
    if isinstance(before, dict) and isinstance(now, dict):
        if before.get("class_name") != now.get("class_name"):
            yield _was(place, before, now)
            return
        is_object = "class_name" in before
        for name in {**before, **now}:
            inside = is_object and name == "config"
            inner = place if inside else f"{place}.{name}"
            if name in before and name in now:
                yield from _differences(before[name], now[name], inner, inside)
            elif not is_object and not is_config:
                yield _was(inner, before.get(name, NOT_SET), now.get(name, NOT_SET))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _differences(one, other, f"{place}[{index}]")
    else:
        yield _was(place, before, now)


def _was(place, before, now):
    one, other = _short(before), _short(now)
    plain = [re.sub(r"#\d+", "", text) for text in (one, other)]  # Without the numbers of names.
    one, other = plain if plain[0] != plain[1] else (one, other)
    return f"{place} was {one} and is now {other}"


def _short(value):
    if isinstance(value, dict) and "class_name" in value:
        return value["class_name"]
    if isinstance(value, list | dict):
        return f"{len(value)} entries"
    if value is NOT_SET:
        return "not set"
    return repr(value)


# ---------------------------------------------------------------------- configs that compare


def _plain(config):
    """Returns a config as JSON has it, the same for each process that makes the same model.

    Keras numbers the names that nobody gave by how many there were before in the process: here they
    are numbered in their order within the config.
    """
    names, counts = {}, collections.Counter()
    config = json.loads(json.dumps(config, default=_of_odd_type))
    for name in _names_in(config):
        if name not in names:
            base = re.sub(r"_\d+$", "", name)
            names[name] = f"{base}#{counts[base]}"
            counts[base] += 1
    return _renamed(config, names)


def _names_in(value):
    if isinstance(value, dict):
        if isinstance(value.get("name"), str):
            yield value["name"]
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from _names_in(entry)


def _renamed(value, names, is_reference=False):
    if isinstance(value, dict):
        if value.get("class_name") == "__lambda__":  # Its code says where in a file it stands.
            return {"class_name": "lambda"}
        return {
            key: _renamed(entry, names, is_reference or key in _REFERENCES)
            for key, entry in value.items()
            if key not in _NOT_COMPARED
        }
    if isinstance(value, list):
        return [_renamed(entry, names, is_reference) for entry in value]
    return names.get(value, value) if is_reference and isinstance(value, str) else value


def _of_odd_type(value):
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return type(value).__name__


def _nameless(config):
    """Returns an optimizer's config without names, which are for logs alone."""
    if isinstance(config, dict):
        return {key: _nameless(entry) for key, entry in config.items() if key != "name"}
    return config


def _name_of(variable, group):
    path = variable.path.split("/", 1)[-1] if group == "optimizer" else variable.path
    return re.sub(r"_\d+(?=[/_]|$)", "", path)
