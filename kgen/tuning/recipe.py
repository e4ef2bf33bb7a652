"""What a search takes of a recipe: its data, its model and what scores it."""

import dataclasses

import keras

import kgen.data
import kgen.metrics
from kgen.core.precision import dtype_policy


def checked_recipe(recipe, config):
    """Returns the config that all trials start from: the one given, or the recipe's defaults.

    Raises:
        ValueError: If the recipe has no `Config` and `build`, or the config is another's.
    """
    config_class = getattr(recipe, "Config", None)
    is_config = isinstance(config_class, type) and dataclasses.is_dataclass(config_class)
    if not is_config or not callable(getattr(recipe, "build", None)):
        raise ValueError(
            "`recipe` must be a recipe's module, or any object with a dataclass `Config` and a "
            f"function `build(config, image_shape)`; received {recipe!r}."
        )
    if config is None:
        try:
            return config_class()
        except TypeError as error:
            raise ValueError(
                f"`config` must be given, as not all fields of {config_class} have defaults: "
                f"{error}."
            ) from error
    if not isinstance(config, config_class):
        raise ValueError(f"`config` must be a {config_class}, received {config!r}.")
    return config


def load(recipe, config):
    """Returns the stream of a training's batches, each of a whole round."""
    family = getattr(recipe, "FAMILY", None)
    updates = family.updates(config) if hasattr(family, "updates") else 1
    batch_size = updates * getattr(config, "batch_size", 64)
    if hasattr(family, "load"):
        return family.load(config, batch_size)
    return kgen.data.load(config.data, batch_size=batch_size, **_given(config, _OF_LOAD))


def build(recipe, config, stream):
    """Returns the compiled model, with fresh names and from the config's seed."""
    keras.utils.set_random_seed(getattr(config, "seed", 0))
    spec = stream.element_spec
    specs = spec if isinstance(spec, tuple) else (spec,)
    shapes = [tuple(one.shape[1:]) for one in specs if one.shape.rank > 1]  # Not of labels.
    with dtype_policy(getattr(config, "precision", "float32")):
        return recipe.build(config, *shapes)


def evaluation(recipe, config, metric):
    """Returns what scores a model by a metric, on the validation split."""
    family = getattr(recipe, "FAMILY", None)
    if hasattr(family, "evaluation"):
        return family.evaluation(dataclasses.replace(config, evaluate=[metric]))
    extractor = getattr(config, "extractor", None)
    given = _given(config, _OF_REFERENCE)
    return kgen.metrics.Evaluation(config.data, metric, extractor, split="validation", **given)


_OF_REFERENCE = ("image_size", "on_bad_file", "follow_links")
_OF_LOAD = (*_OF_REFERENCE, "seed")


def _given(config, names):
    """The fields of a config out of these names, as arguments."""
    return {name: getattr(config, name) for name in names if hasattr(config, name)}
