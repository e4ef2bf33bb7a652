"""Keras' TerminateOnNaN where there are several players, whose logs have no `loss`."""

import keras


class LossOfPlayers(keras.callbacks.Callback):
    """Gives a `TerminateOnNaN`, which asks for `loss` alone, the sum of all players' losses.

    A sum that is no number or infinite says that one of them is. In the logs it would be a number
    of no meaning, as what one player wins another loses.
    """

    def __init__(self, asking, players):
        super().__init__()
        self.asking = asking
        self.names = [f"{player.name}_loss" for player in players]

    def on_train_batch_end(self, batch, logs=None):
        self.asking.on_train_batch_end(batch, {"loss": sum(logs[name] for name in self.names)})


def losses_for(callbacks, players):
    """Returns a `LossOfPlayers` for each of the callbacks that needs one."""
    if len(players) == 1:
        return []
    asking = [c for c in callbacks if isinstance(c, keras.callbacks.TerminateOnNaN)]
    return [LossOfPlayers(callback, players) for callback in asking]
