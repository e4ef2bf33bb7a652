"""The model card of an export: what the model is, how it was trained and how well it does."""

import collections.abc
import dataclasses
import hashlib
import json
import math

import keras
import tensorflow as tf

from kgen.version import __version__


def model_card(model, signatures, limits, config=None, scores=None):
    """Returns the card's text, JSON; `kgen.serving.export` says what it holds.

    Args:
        model: The model.
        signatures: Dict from names to concrete functions.
        limits: The `Limits` of a request.
        config, scores: As of `export`.

    Raises:
        ValueError: If `config` or `scores` is not of that form.
    """
    card = {
        "system": type(model).__name__,
        "architecture": architecture_of(model),
        "weights": model.sampling_weights,
        "kgen_version": __version__,
        "keras_version": keras.__version__,
        "tensorflow_version": tf.__version__,
        "limits": dataclasses.asdict(limits),
        "config": _config(config),
        "scores": _scores(scores),
        "signatures": {name: described(signatures[name]) for name in sorted(signatures)},
    }
    try:
        return json.dumps(card, indent=2, default=_plain, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`config` must hold what JSON can: numbers, texts, lists and dicts; {error}."
        ) from error


def architecture_of(model):
    """Returns a hash of the system's class and the shapes of its networks' weights.

    Trained anew, on other data or in another precision, it stays the same.
    """
    networks = {id(n): n for player in model.players for n in player.networks}
    shapes = [[list(w.shape) for w in network.weights] for network in networks.values()]
    content = json.dumps([type(model).__name__, shapes])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def described(signature):
    """Returns the inputs and outputs of a concrete function: by name, `dtype` and `shape`."""
    positional, by_name = signature.structured_input_signature
    inputs = {**{spec.name: spec for spec in positional}, **by_name}
    outputs = signature.structured_outputs
    return {
        "inputs": {name: _spec(inputs[name]) for name in sorted(inputs)},
        "outputs": {name: _spec(outputs[name]) for name in sorted(outputs)},
    }


def _spec(spec):
    return {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}


def _config(config):
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        config = dataclasses.asdict(config)
    if config is not None and not isinstance(config, collections.abc.Mapping):
        raise ValueError(
            f"`config` must be a recipe's config, a dict of settings or None, received {config!r}."
        )
    return None if config is None else dict(config)


def _scores(scores):
    """Returns the scores as plain data, one dict each."""
    if isinstance(scores, collections.abc.Mapping):
        scores = [({"name": name}, score) for name, score in scores.items()]
    found = []
    if scores is not None and not isinstance(scores, list | tuple):
        scores = [scores]
    for entry in scores or []:
        try:
            facts, score = entry
            found.append({**facts, **score.as_dict()})
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                "`scores` must be a dict from names to kgen.metrics.Score, or what "
                f"kgen.metrics.read_scores returns; received {entry!r}."
            ) from error
    return found


def _plain(value):
    if hasattr(value, "item"):  # NumPy's numbers.
        value = value.item()
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        return value
    return str(value)  # Such as paths.
