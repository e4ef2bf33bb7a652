"""Ranges of a search: what they take, draw and refuse."""

import dataclasses
import math
import typing
from typing import Literal

import keras_tuner
import pytest
import tyro

from kgen.tuning import Choice, Float, Int
from kgen.tuning.fields import choices, field_types, fits
from kgen.tuning.space import checked_space


@dataclasses.dataclass(frozen=True)
class Config:
    learning_rate: float = 1e-3
    filters: int = 32
    loss: Literal["hinge", "minimax"] = "hinge"
    factor: Literal[2, 4] = 2
    noise: bool | None = None
    fresh: tyro.conf.FlagCreatePairsOff[bool] = False
    weight: float | None = None
    attention: int | Literal["auto", "none"] = "auto"
    sizes: list[int] = dataclasses.field(default_factory=list)
    data: str = "digits"
    replicas: int | None = None
    doctor: Literal["off", "warn"] = "warn"
    seed: int = 0
    steps: int = 10


def drawn(given, count=200):
    """Values that KerasTuner draws of a range, with both of its ends as a Bayesian search asks."""
    hp = keras_tuner.HyperParameters()
    given.declare("field", hp, None)
    (range_of_tuner,) = hp.space
    probabilities = [0.0, 1.0, *(i / count for i in range(count))]
    return [given.value(range_of_tuner.prob_to_value(p)) for p in probabilities]


@pytest.mark.parametrize(
    ("given", "low", "high"),
    [
        (Float(1e-4, 1e-2, log=True), 1e-4, 1e-2),
        (Float(0.0, 1.0), 0.0, 1.0),
        (Float(0.0, 1.0, step=0.25), 0.0, 1.0),
        (Int(3, 9), 3, 9),
        (Int(3, 900, log=True), 3, 900),
        (Int(16, 128, log=True, step=2), 16, 128),
    ],
)
def test_draws_lie_within_the_range_and_reach_its_ends(given, low, high):
    values = drawn(given)
    assert min(values) == low and max(values) <= high
    assert max(values) == pytest.approx(high, rel=0.02)
    assert all(isinstance(value, int) for value in values) == isinstance(given, Int)


def test_a_range_with_steps_draws_no_others():
    assert set(drawn(Int(16, 128, log=True, step=2))) == {16, 32, 64, 128}
    assert set(drawn(Float(0.0, 1.0, step=0.25))) == {0.0, 0.25, 0.5, 0.75, 1.0}


def test_half_of_a_logarithmic_range_lies_below_its_geometric_mean():
    values = drawn(Float(1e-4, 1e-2, log=True))
    assert sum(value < 1e-3 for value in values) == pytest.approx(len(values) / 2, abs=3)


@pytest.mark.parametrize(
    "values",
    [[16, 32], ["a", "b"], [0.1, 0.2], [True, False], [None, 1.0], [[], [64, 32]], [2, "auto"]],
)
def test_choices_come_back_as_they_were_given_also_over_grpc(values):
    given = Choice(values)
    found = drawn(given)
    assert all(value in found for value in values)
    assert {type(value) for value in found} == {type(value) for value in values}
    hp = keras_tuner.HyperParameters()
    given.declare("field", hp, values[1])
    assert given.value(hp.values["field"]) == values[1]
    sent = keras_tuner.HyperParameters.from_proto(hp.to_proto())
    # In float32, 0.1 would be none of the choices any more.
    assert given.value(sent.values["field"]) == values[1]


def test_the_defaults_are_those_of_the_config_where_the_range_has_them():
    hp = keras_tuner.HyperParameters()
    assert Float(1e-4, 1e-2).declare("a", hp, 1e-3) == 1e-3
    assert Float(1e-4, 1e-2).declare("b", hp, 1.0) == 1e-4
    assert Int(1, 5).declare("c", hp, 2) == 2
    assert Int(1, 5).declare("d", hp, True) == 1
    assert Choice([1, 2]).declare("e", hp, 2) == 2
    assert Choice([1, 2]).declare("f", hp, True) == 1


def test_a_space_is_made_of_ranges_lists_and_all():
    space = checked_space(
        {
            "learning_rate": Float(1e-4, 1e-2),
            "filters": [16, 32],
            "loss": "all",
            "noise": "all",
            "weight": [None, 1.0],
            "attention": ["auto", 8],
            "sizes": [[], [8, 4]],
        },
        Config,
    )
    assert space["filters"] == Choice([16, 32])
    assert space["loss"] == Choice(["hinge", "minimax"])
    assert space["noise"] == Choice([True, False])


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "`space` must be a dict from names of fields to ranges, received {}"),
        (["filters"], "`space` must be a dict"),
        ({"filter": [1, 2]}, "has no field 'filter'; expected names out of .*'filters'"),
        ({"filters": Float(1, 2)}, "'filters' must be an integer, received the range Float"),
        ({"loss": Int(1, 2)}, "'loss' must be one of .*'hinge', 'minimax'.*, received the range"),
        ({"factor": Int(2, 4)}, "'factor' must be one of .*2, 4"),
        ({"filters": [16, 1.5]}, "'filters' must be an integer, received 1.5"),
        ({"filters": [16, True]}, "'filters' must be an integer, received True"),
        ({"loss": ["hinge", "hing"]}, "'loss' must be one of .*, received 'hing'"),
        ({"filters": "all"}, "'filters' must be a Float, an Int, .*received 'all'"),
        ({"filters": (16, 32)}, "'filters' must be a Float, an Int, .*received \\(16, 32\\)"),
        ({"filters": [16]}, "'filters': `values` must be a list of at least two values"),
        ({"filters": [16, 16]}, "'filters': `values` must differ"),
        ({"data": ["a", "b"]}, "'data' cannot be searched for, as scores on other data"),
        ({"seed": [0, 1]}, "'seed' cannot be searched for"),
        ({"steps": [1, 2]}, "'steps' cannot be searched for, as it is the length"),
        ({"fresh": "all"}, "'fresh' cannot be searched for, as it changes nothing"),
        ({"replicas": [1, 2]}, "'replicas' cannot be searched for, as each trial trains on one"),
        ({"doctor": "all"}, "'doctor' cannot be searched for, as a search has one of its own"),
        ({"weight": [None, math.nan]}, "'weight' must be a number or None, received nan"),
    ],
)
def test_a_space_that_does_not_fit_is_refused(space, message):
    with pytest.raises(ValueError, match=message):
        checked_space(space, Config)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Float(1.0, 1.0), "`low` must be below `high`, received 1.0 and 1.0"),
        (lambda: Float("a", 1.0), "`low` must be a number, received 'a'"),
        (lambda: Float(0.0, float("inf")), "`high` must be a number, received inf"),
        (lambda: Float(0.0, 1.0, log=True), "`low` must be above 0 with log=True"),
        (lambda: Float(0.0, 1.0, step=0.0), "`step` must be a number above 0"),
        (lambda: Float(0.0, 1.0, 2), "`log` must be True or False, received 2"),
        (lambda: Int(1, 2.5), "`high` must be an integer, received 2.5"),
        (lambda: Int(1, 8, log=True, step=1), "`step` must be an integer above 1"),
        (lambda: Choice("ab"), "`values` must be a list"),
        (lambda: Choice([object(), 1]), "`values` must be what JSON can hold"),
    ],
)
def test_a_bad_range_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_values_fit_annotations():
    types = field_types(Config)
    assert types["fresh"] is bool
    assert fits(1, float) and not fits(True, float) and not fits(1.0, int) and not fits(1, bool)
    assert fits(None, types["weight"]) and not fits(None, float)
    assert not any(fits(value, float) for value in (math.nan, math.inf, -math.inf))
    assert fits(10**400, float) and fits(-1e308, float)
    assert fits(8, types["attention"]) and fits("auto", types["attention"])
    assert not fits("automatic", types["attention"])
    assert fits([1, 2], types["sizes"]) and not fits([1, 2.0], types["sizes"])
    pair = int | tuple[int, int]
    assert fits(8, pair) and fits([8, 16], pair) and fits((8, 16), pair)
    assert not any(fits(value, pair) for value in ([8], [8, 16, 1], [8, 16.0], "8"))
    assert fits(object(), typing.Any)
    assert not fits(True, Literal[1, 2])
    assert choices(types["attention"]) is None and choices(float) is None
