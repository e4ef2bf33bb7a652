"""Going back to an earlier state of a training, with smaller learning rates."""

import keras
import numpy as np

from kgen.core.keras_private import learning_rate_of


def healthy_state(model):
    """Returns copies of what goes back: weights, averages, optimizers, loss scales and means.

    What does not: the counts of rounds and images, by which data, logs, checkpoints and growth go
    on, and with them how far a network has grown; the random states of the model and the process,
    or what went wrong would repeat itself; learning rates.
    """
    return [np.asarray(variable).copy() for variable in _variables(model)]


def go_back(model, state, factor):
    """Gives the model back what `healthy_state` returned, all learning rates times `factor`.

    Returns:
        Dict from player's name to its learning rate now.
    """
    for variable, array in zip(_variables(model), state, strict=True):
        variable.assign(array)
    rates = {}
    for name, optimizer in model.optimizer.by_player.items():
        rates[name] = float(np.asarray(optimizer.learning_rate)) * factor
        optimizer.learning_rate = rates[name]
    return rates


def check_rates(model):
    """Raises if a player's learning rate cannot be made smaller.

    Raises:
        ValueError: Names the player, whose learning rate is a schedule.
    """
    for name, optimizer in model.optimizer.by_player.items():
        rate = _rate(optimizer)
        if not isinstance(rate, keras.Variable):
            raise ValueError(
                'Doctor: `on_failure="rollback"` makes learning rates smaller, but that of player '
                f"{name!r} is a {type(rate).__name__}, which cannot be set; expected a number. "
                "keras.callbacks.LearningRateScheduler can follow a schedule with a number."
            )


def _variables(model):
    kept = {id(_rate(optimizer)) for optimizer in model.optimizer.by_player.values()}
    kept |= {id(state) for state in model.random_states} | {id(model.optimizer.iterations)}
    kept |= {id(variable) for variable in model.position_variables()}
    means = [variable for metric in model.metrics for variable in metric.variables]
    every = [*model.variables, *model.optimizer.variables, *means]
    return [variable for variable in every if id(variable) not in kept]


def _rate(optimizer):
    return learning_rate_of(getattr(optimizer, "inner_optimizer", optimizer))
