"""A learning rate that is constant at first and then falls linearly to zero."""

import keras
from keras import ops

from kgen.core.numbers import is_count, plain_arguments


@keras.saving.register_keras_serializable("kgen")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Zhu et al. 2017, appendix 7.1, arXiv 1703.10593: constant for a while, then linearly to zero.

    A learning rate for any optimizer; each player's has its own. Unlike a callback's, it follows
    from the steps that the optimizer has made, so that a resumed training goes on at the right one.

    Example:
        steps = 1000  # Of an epoch; the player's updates a round, times the rounds.
        rate = kgen.LinearDecay(2e-4, constant_steps=100 * steps, decay_steps=100 * steps)
        optimizer = keras.optimizers.Adam(rate, beta_1=0.5)

    Args:
        initial_learning_rate: Learning rate of the first steps.
        constant_steps: Steps of the optimizer before it falls; may be 0.
        decay_steps: Steps in which it falls to zero, where it stays.

    Raises:
        ValueError: If an argument is not of this form.
    """

    @plain_arguments
    def __init__(self, initial_learning_rate, constant_steps, decay_steps):
        super().__init__()
        if not isinstance(initial_learning_rate, int | float) or not initial_learning_rate > 0.0:
            raise ValueError(
                f"`initial_learning_rate` must be a positive number, received "
                f"{initial_learning_rate!r}."
            )
        _check_steps("constant_steps", constant_steps, least=0)
        _check_steps("decay_steps", decay_steps, least=1)
        self.initial_learning_rate = initial_learning_rate
        self.constant_steps = constant_steps
        self.decay_steps = decay_steps

    def __call__(self, step):
        # Subtracted as integers, for float32 cannot count beyond 2^24.
        decayed = ops.cast(step - self.constant_steps, "float32") / self.decay_steps
        return self.initial_learning_rate * (1.0 - ops.clip(decayed, 0.0, 1.0))

    def get_config(self):
        names = ("initial_learning_rate", "constant_steps", "decay_steps")
        return {name: getattr(self, name) for name in names}


def _check_steps(name, value, least):
    if not is_count(value, least):
        raise ValueError(f"`{name}` must be an integer of at least {least}, received {value!r}.")
