"""Speed in the logs, and one progress bar over a whole training."""

import sys
import time

import keras

from kgen.callbacks.rounds import RoundCallback


class Throughput(RoundCallback):
    """Adds `images_per_second` to the logs of each batch and epoch.

    Real images consumed per second of training steps, the time of other callbacks left out; an
    epoch's is the mean.

    Args:
        batch_size: Images of a batch as given to `fit`. A model that counts them, as one with
            batches of several sizes does in `images_shown`, knows better.
    """

    writes_logs = True

    def __init__(self, batch_size):
        super().__init__()
        self.batch_size = batch_size

    def _shown(self):
        counted = getattr(self.model, "images_shown", None)
        return self.batch_size * self.round if counted is None else int(counted.numpy())

    def on_epoch_begin(self, epoch, logs=None):
        self._seconds, self._images = 0.0, 0

    def on_train_batch_begin(self, batch, logs=None):
        self._before, self._start = self._shown(), time.perf_counter()

    def on_round_end(self, previous, logs):
        seconds = time.perf_counter() - self._start
        images = self._shown() - self._before
        self._seconds += seconds
        self._images += images
        logs["images_per_second"] = images / seconds

    def on_epoch_end(self, epoch, logs=None):
        if self._seconds:
            logs["images_per_second"] = self._images / self._seconds


class ProgressBar(RoundCallback):
    """One bar over all epochs: rounds, time left, and the logs as of the latest round.

    For use with `fit(..., verbose=0)`. Where the output is no terminal, a line every 10 seconds;
    where there is none, nothing. Of several hosts the chief's.

    Args:
        rounds: Rounds of the whole training, those already played included.
    """

    not_state = ("_played", "_is_shown")  # A resumed training has a bar of its own.

    def __init__(self, rounds):
        super().__init__()
        self.rounds = rounds

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._is_shown = self.model.is_chief and sys.stdout is not None
        interval = 0.2 if self._is_shown and sys.stdout.isatty() else 10.0
        self._played = self.round
        self._bar = keras.utils.Progbar(
            self.rounds - self._played, interval=interval, unit_name="round"
        )

    def on_round_end(self, previous, logs):
        if not self._is_shown:
            return
        self._bar.stateful_metrics.update(logs)
        self._bar.update(self.round - self._played, list(logs.items()), finalize=False)

    def on_train_end(self, logs=None):
        if self._is_shown:
            self._bar.update(self.round - self._played, finalize=True)
