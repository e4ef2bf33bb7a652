"""Models that are traced once a process: put back to how they were made, for test after test.

Tracing is most of what a test of a training costs. A model that comes back here is the same object
as before: a test that compares two trainings keeps what `state_of` says of each, not the models.
"""

import random

import keras
import numpy as np
import tensorflow as tf

_kept = {}


def recycled(key, make):
    """Returns the compiled model that `make()` returns, in its first state, traced or not.

    The global random states are those of a `make()` after `keras.utils.set_random_seed(0)`, too.

    Args:
        key: Hashable, all that decides the model: its system's name, how it is compiled, and so on.
        make: Function without arguments that returns a compiled model.
    """
    if tf.distribute.has_strategy():  # Whose variables live in its own scope.
        keras.utils.set_random_seed(0)
        return make()
    key = (keras.config.dtype_policy().name, key)
    if key not in _kept:
        keras.utils.set_random_seed(0)
        model = make()
        values = [(variable, np.array(variable)) for variable in _moved(model)]
        _kept[key] = model, values, (random.getstate(), np.random.get_state())
    model, values, (of_python, of_numpy) = _kept[key]
    for variable, value in values:
        variable.assign(value)
    model.stop_training = False
    model._initial_epoch = None  # Keras' BackupAndRestore leaves one.
    keras.utils.set_random_seed(0)
    random.setstate(of_python)
    np.random.set_state(of_numpy)
    return model


def state_of(model):
    """Copies of a model's variables and of its optimizers'."""
    return [np.array(v) for v in (*model.variables, *model.optimizer.variables)]


def _moved(model):
    """All that a training moves: weights, optimizers, random states, the means that are logged."""
    metrics = [v for metric in (*model.metrics, model.evaluated) for v in metric.variables]
    found = (*model.variables, *model.optimizer.variables, *metrics)
    return {id(variable): variable for variable in found}.values()
