"""Arguments of all systems: what is refused, in a sentence with its name, and what is a number."""

import functools
import inspect

import keras
import numpy as np
import pytest

from kgen import models, networks
from tests.systems import SHAPE, SYSTEMS, dense_generator, smooth_critic

# One row a class: rows of one class share its constructor.
ROWS = {type(one.make()).__name__: one for one in SYSTEMS.values() if not one.is_variant}
NUMBERS = [-1, float("nan"), float("inf"), "1", True, [1], None]


class Subclassed(keras.Model):
    """A built network whose inputs and outputs nobody knows."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x):
        return self.dense(x)


@functools.cache
def wrong_networks():
    """No networks, and such that fit no other one."""
    subclassed = Subclassed()
    subclassed(np.zeros((1, 3), "float32"))
    rows, images = keras.Input((5,)), keras.Input((6, 6, 2))
    return (
        "generator",
        keras.layers.Dense(3),
        keras.Sequential([keras.layers.Dense(3)]),
        subclassed,
        keras.Model(rows, keras.layers.Dense(7)(rows)),
        keras.Model(images, keras.layers.Conv2D(3, 3)(images)),
    )


@functools.cache
def made(name):
    """A class, and the arguments that one of its objects was made with."""
    model = ROWS[name].make()
    parameters = inspect.signature(type(model).__init__).parameters.values()
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
    return type(model), {name: getattr(model, name) for name in [*names, "seed"]}


def arguments_of(name, kind):
    return [key for key, value in made(name)[1].items() if isinstance(value, kind)]


@pytest.mark.parametrize("name", ROWS)
def test_wrong_numbers_are_refused_by_name(name):
    kind, given = made(name)
    for argument in arguments_of(name, int | float):
        wrong = ["yes", 2, None] if isinstance(given[argument], bool) else list(NUMBERS)
        if argument in ("ema_momentum", "projections", "sparsity_weight"):
            # Of which `None` means something.
            wrong.remove(None)
        for value in wrong:
            with pytest.raises(ValueError, match=f"`{argument}"):
                kind(**{**given, argument: value})


@pytest.mark.parametrize("name", ROWS)
def test_wrong_names_and_seeds_are_refused_by_name(name):
    kind, given = made(name)
    for argument in (*arguments_of(name, str), "seed"):
        for value in ("nonsense", -1.5, ["nonsense"], 2**63, True):
            if (argument, value) == ("weight_clipping", 2**63):  # A limit like any other.
                continue
            with pytest.raises(ValueError, match=f"`{argument}` must be"):
                kind(**{**given, argument: value})


@pytest.mark.parametrize("name", ROWS)
def test_networks_that_do_not_fit_are_refused(name):
    kind, given = made(name)
    for argument in arguments_of(name, keras.Model):
        for network in wrong_networks():
            with pytest.raises(ValueError, match="network|must (take|return|make|be|go back)"):
                kind(**{**given, argument: network})


def test_a_critic_of_other_images_or_other_labels_is_refused():
    generator = dense_generator()
    with pytest.raises(ValueError, match=r"`critic` must take the generator's images \(8, 8, 1\)"):
        models.WGANGP(generator, smooth_critic(channels=3))
    conditional = networks.resnet_critic(SHAPE, filters=4, classes=3, condition="projection")
    with pytest.raises(ValueError, match="`critic` must have one input and one output without"):
        models.WGANGP(generator, conditional)
    of_many = networks.resnet_critic(SHAPE, filters=4, classes=5, condition="projection")
    with pytest.raises(ValueError, match=r"`generator` must take \[latents, labels\]"):
        models.WGANGP(generator, of_many, condition="projection")


# What NumPy calls the same number.
KINDS = (np.float32, np.float64, np.array)


@pytest.mark.parametrize("name", ROWS)
def test_numbers_of_numpy_are_numbers_and_come_back_from_a_config(name):
    kind, given = made(name)
    numbers = arguments_of(name, int | float)
    for of_floats in KINDS:
        asked = dict(given)
        for argument in numbers:
            is_float = isinstance(given[argument], float)
            asked[argument] = (of_floats if is_float else np.int64)(given[argument])
        asked |= {a: np.bool_(given[a]) for a in arguments_of(name, bool)}
        config = keras.saving.serialize_keras_object(kind(**asked))
        revived = keras.saving.deserialize_keras_object(config)
        for argument in numbers:
            value = getattr(revived, argument)
            assert type(value) is type(given[argument]), argument
            assert value == pytest.approx(given[argument], rel=1e-6), argument
