"""Python functions that TensorFlow's threads call, such as those that read image files."""

import atexit
import collections
import contextlib
import functools
import threading
import time

import tensorflow as tf

# The errors that are known again: several threads read ahead of the one whose error is told.
_raised = collections.deque(maxlen=64)
# What graphs end with, of which TensorFlow makes an error of its own.
required = set()


def python_calls(function, inputs, types, stateful=False):
    """Calls a function of NumPy arrays from a graph, as `tf.numpy_function`.

    What it raises leaves `errors_as_raised` as it was; and no call is under way as the process
    ends, where a thread that waits for Python would keep it for ever.
    """

    @functools.wraps(function)
    def called(*arrays):
        with _calls.one():
            try:
                return function(*arrays)
            except Exception as error:
                error.__cause__, error.__context__ = None, None  # They hold images.
                _raised.append(error.with_traceback(None))
                raise

    return tf.numpy_function(called, inputs, types, stateful=stateful)


@contextlib.contextmanager
def errors_as_raised():
    """Context out of which a Python function's error comes as itself, `require`'s as a ValueError.

    TensorFlow raises an error of its own instead, whose message holds it with its traceback.
    """
    try:
        yield
    except tf.errors.OpError as error:
        known = (*_raised, *map(ValueError, required))
        own = next((own for own in known if str(own) in error.message), None)
        if own is None or not str(own):
            raise
        raise own from None


def naming_errors(iterator):
    """Returns an iterator over a dataset out of which errors come as of `errors_as_raised`."""
    # Of its own kind still: Keras gives it to graphs, and TensorFlow saves its place.
    iterator.__class__ = _kind_naming_errors(type(iterator))
    return iterator


@functools.cache
def _kind_naming_errors(kind):
    class Iterator(kind):
        def __next__(self):
            with errors_as_raised():
                return super().__next__()

        def get_next(self):
            with errors_as_raised():
                return super().get_next()

    return Iterator


class _Calls:
    """The calls that are under way, and when the last one ended."""

    QUIET, LONGEST = 0.2, 10.0  # Seconds.

    def __init__(self):
        self.lock = threading.Lock()
        self.running, self.ended, self.is_over = 0, -self.QUIET, False

    @contextlib.contextmanager
    def one(self):
        with self.lock:
            self.running += 1
        try:
            if self.is_over:
                raise RuntimeError("The process is about to end.")
            yield
        finally:
            with self.lock:
                self.running -= 1
                self.ended = time.monotonic()

    def end(self):
        """Waits until datasets read no more: they read ahead, but so far and no farther."""
        self.is_over = True
        latest = time.monotonic() + self.LONGEST
        while self._is_busy() and time.monotonic() < latest:
            time.sleep(0.01)

    def _is_busy(self):
        with self.lock:
            return self.running or time.monotonic() - self.ended < self.QUIET


_calls = _Calls()
atexit.register(_calls.end)
