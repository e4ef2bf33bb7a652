"""Counting rounds during `fit`."""

import keras


class RoundCallback(keras.callbacks.Callback):
    """Base of callbacks that act by rounds, over all epochs and from where training began.

    A subclass writes `on_round_end(previous, logs)`. It is called after each execution, which
    plays `steps_per_execution` rounds: `previous` rounds were played before it, `self.round` after.
    """

    def on_train_begin(self, logs=None):
        self.round = self.model.rounds_played

    def on_train_batch_end(self, batch, logs=None):
        # Not from `batch`, which is too large where an epoch's last execution is cut short.
        previous, self.round = self.round, self.model.rounds_played
        self.on_round_end(previous, logs)

    def on_round_end(self, previous, logs):
        raise NotImplementedError

    def passed(self, previous, every):
        """Whether a multiple of `every` rounds lies in those since `previous`."""
        return self.round // every > previous // every


class StopAfter(RoundCallback):
    """Ends training after a number of rounds in all, also in the middle of an epoch.

    With a larger number a training goes on that has ended so.

    Args:
        rounds: Rounds in all, those of earlier training of the model included.
    """

    def __init__(self, rounds):
        super().__init__()
        self.rounds = rounds

    def on_round_end(self, previous, logs):
        if self.round >= self.rounds:
            self.model.stop_training = True
