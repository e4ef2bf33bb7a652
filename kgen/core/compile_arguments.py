"""What `compile` takes, and what it refuses by name."""

import inspect

import keras
import numpy as np

from kgen.core.numbers import is_count
from kgen.core.replicas import check_jit

# What `keras.Model.compile` takes and a system, which defines its losses, does not.
_OF_KERAS = set(inspect.signature(keras.Model.compile).parameters)


def check_arguments(model, others, unused, run_eagerly, steps_per_execution, jit_compile, scale):
    """Raises where `compile` was given what it does not take.

    Args:
        model: The model.
        others: What came by position after `optimizer`.
        unused: Dict of what came under names that are no arguments of it.
        run_eagerly, steps_per_execution, jit_compile, scale: As given to it.

    Raises:
        TypeError: If something but the optimizer came by position.
        ValueError: If an argument is not known or not of its form.
    """
    if others:
        raise TypeError(
            f"compile() takes `optimizer` alone by position, received {others[0]!r} after it: "
            f"{type(model).__name__} defines its own losses, and the rest goes by name."
        )
    # A file of Keras' own holds its other arguments as None.
    given = [name for name in unused if name not in _OF_KERAS or unused[name] is not None]
    if given:
        players = ", ".join(f"{player.name!r}: ..." for player in model.players)
        raise ValueError(
            f"compile() takes no {', '.join(f'`{name}`' for name in sorted(given))}: "
            f"{type(model).__name__} defines its own losses and metrics, and `optimizer` is a dict "
            f"with one optimizer a player, {{{players}}}, or one for all."
        )
    for name, value in (("run_eagerly", run_eagerly), ("auto_scale_loss", scale)):
        if not isinstance(value, bool | np.bool_):
            raise ValueError(f"`{name}` must be True or False, received {value!r}.")
    if not is_count(steps_per_execution):
        raise ValueError(
            f"`steps_per_execution` must be a positive integer, received {steps_per_execution!r}."
        )
    check_jit(jit_compile, model.replicas)
