"""Objectives of a search: a metric, and which of its values are better."""

import keras_tuner

from kgen.metrics.table import GROUPS, better
from kgen.suggestion import did_you_mean

# Those of which some values are better.
METRICS = sorted(
    metric
    for metric in {name for group in GROUPS.values() for name in group.better}
    if better(metric) is not None
)


def objective(name):
    """Returns the `keras_tuner.Objective` of a metric, with its direction.

    Args:
        name: A metric of `kgen.metrics.Evaluation`, as it is called there or in the logs:
            `"val_frechet"`, `"val_kernel"`, `"val_nll"`, `"modes"`.

    Raises:
        ValueError: If there is no such metric.

    Example:
        >>> from kgen.tuning import objective
        >>> objective("val_frechet").direction, objective("modes").direction
        ('min', 'max')
    """
    metric = metric_of(name) if isinstance(name, str) else None
    if metric not in METRICS:
        raise ValueError(
            f"`objective` must be a metric out of {METRICS}, with or without val_ before it; "
            f"received {name!r}.{did_you_mean(metric, METRICS)}"
        )
    return keras_tuner.Objective(name, better(metric))


def checked_objective(given):
    """Returns an objective given as one, or by its name.

    Raises:
        ValueError: If it is none of kgen's metrics, or its direction is not the metric's.
    """
    if not isinstance(given, keras_tuner.Objective):
        return objective(given)
    if objective(given.name).direction != given.direction:
        raise ValueError(
            f"`objective`: {given.name} has the direction {objective(given.name).direction!r}, "
            f"received {given.direction!r}."
        )
    return given


def metric_of(name):
    """Returns what an `Evaluation` calls the metric that the logs call `name`."""
    return name.removeprefix("val_")
