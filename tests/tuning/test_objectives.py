"""Objectives and their directions."""

import keras_tuner
import pytest

from kgen.metrics.table import GROUPS
from kgen.tuning import objective
from kgen.tuning.objectives import METRICS, checked_objective


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("val_frechet", "min"),
        ("val_kernel", "min"),
        ("val_nll", "min"),
        ("modes", "max"),
        ("val_modes", "max"),
        ("val_psnr", "max"),
        ("recall", "max"),
        ("val_reverse_kl", "min"),
    ],
)
def test_direction(name, direction):
    found = objective(name)
    assert isinstance(found, keras_tuner.Objective)
    assert (found.name, found.direction) == (name, direction)


def test_every_metric_has_one_but_diversity():
    assert len(METRICS) == len(set(METRICS))
    assert {objective(name).direction for name in METRICS} == {"min", "max"}
    every = {name for group in GROUPS.values() for name in group.better}
    assert every - {*METRICS} == {"diversity"}  # Noise has the lowest, one image again the highest.


@pytest.mark.parametrize("name", ["fid", "loss", "", None, 3, "val_val_frechet", "val_diversity"])
def test_no_such_metric(name):
    with pytest.raises(ValueError, match="`objective` must be a metric out of .*'frechet'"):
        objective(name)


def test_a_direction_that_is_wrong_is_refused():
    assert checked_objective("modes").direction == "max"
    right = keras_tuner.Objective("modes", "max")
    assert checked_objective(right) is right
    with pytest.raises(ValueError, match="modes has the direction 'max', received 'min'"):
        checked_objective(keras_tuner.Objective("modes", "min"))
