"""The callbacks of a training that goes on in the midst of an epoch."""

import contextlib

import keras


class CallbacksFrom(keras.callbacks.CallbackList):
    """Callbacks that hear nothing of the first executions of the first epoch.

    An `OSError` of one, as on a full disk, waits until the others have dealt with the round, the
    epoch or the end as well, and a checkpoint was tried: then it leaves.

    Args:
        executions: How many are passed over.
        callbacks: List of the callbacks.
        rescue: Function that writes a checkpoint.
        **kwargs: As of `keras.callbacks.CallbackList`.
    """

    def __init__(self, executions, callbacks, rescue, **kwargs):
        super().__init__(callbacks, **kwargs)
        self._begins_left = self._ends_left = executions
        self._rescue, self._errors = rescue, []
        self.callbacks = [_Patient(callback, self._errors) for callback in self.callbacks]

    def on_train_batch_begin(self, batch, logs=None):
        if self._begins_left:
            self._begins_left -= 1
        else:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        if self._ends_left:
            self._ends_left -= 1
        else:
            super().on_train_batch_end(batch, logs)
            self._leave()

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self._leave()

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._leave()

    def _leave(self):
        if self._errors:
            self._rescue()
            raise self._errors[0]


class _Patient:
    """A callback whose errors of files are kept for later."""

    def __init__(self, callback, errors):
        self._callback, self._errors = callback, errors

    def __getattr__(self, name):
        return getattr(self._callback, name)

    def on_train_batch_end(self, batch, logs=None):
        with self._kept():
            self._callback.on_train_batch_end(batch, logs=logs)

    def on_epoch_end(self, epoch, logs=None):
        with self._kept():
            self._callback.on_epoch_end(epoch, logs)

    def on_train_end(self, logs=None):
        with self._kept():
            self._callback.on_train_end(logs)

    @contextlib.contextmanager
    def _kept(self):
        try:
            yield
        except OSError as error:
            self._errors.append(error)
