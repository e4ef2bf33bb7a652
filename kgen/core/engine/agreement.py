"""What the processes of a training tell each other, and what happens when one of them is lost."""

import contextlib
import re

import numpy as np
import tensorflow as tf

from kgen.core.engine.strategies import is_chief, is_multiworker


class WorkerLostError(RuntimeError):
    """Another process of the training is gone, or cannot be reached any more."""


# What TensorFlow raises where a peer is gone, by what it was doing just then; and what it raises
# for other reasons as well, which its message tells.
_OF_LOST_PEERS = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.UnavailableError,
)
_OFTEN_OF_OTHERS = (
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnknownError,
)
_WORDS_OF_PEERS = ("collective", "/job:", "/task:", "peer", "coordination")


@contextlib.contextmanager
def lost_workers_named(strategy):
    """Context in which the loss of another process is a `WorkerLostError`.

    Raises:
        WorkerLostError: Where other processes take part and one of them is gone.
    """
    if not is_multiworker(strategy):
        yield
        return
    try:
        yield
    except (*_OF_LOST_PEERS, *_OFTEN_OF_OTHERS) as error:
        words = str(error.message).lower()
        if isinstance(error, _OFTEN_OF_OTHERS) and not any(w in words for w in _WORDS_OF_PEERS):
            raise
        raise WorkerLostError(
            "Another worker has stopped or cannot be reached, so this one stops, too. The same "
            "command on all hosts goes on from the last checkpoint. (TensorFlow: "
            f"{_reason(error.message)})"
        ) from error


def _reason(message):
    """The part of TensorFlow's message that says what happened, and not where in the program."""
    found = re.search(
        r"[\w ]*(reset|refus|abort|heartbeat|unavailab|clos|timeout).*", message, re.I
    )
    return " ".join((found[0] if found else message).split())[:120]


def largest(strategy, numbers):
    """Returns the largest of each number over all processes: all get the same ones, and wait.

    Args:
        strategy: A `tf.distribute.Strategy`.
        numbers: List of integers, of the same length in all.
    """
    if not is_multiworker(strategy):
        return list(numbers)
    return [int(value) for value in _gathered(strategy, np.asarray(numbers, "int64")).max(axis=0)]


def told_by_chief(strategy, text):
    """Returns the chief's text in all processes, which wait for it; others give `None`."""
    if not is_multiworker(strategy):
        return text
    content = text.encode() if is_chief(strategy) else b""
    [size] = largest(strategy, [len(content)])
    codes = np.zeros(size, "int64")
    codes[: len(content)] = list(content)
    return bytes(largest(strategy, codes)).decode()


def _gathered(strategy, numbers):
    """The numbers of all replicas, `(replicas, ...)`."""
    with lost_workers_named(strategy):
        return _GATHER(strategy, tf.constant(numbers)).numpy()


def _gather(strategy, numbers):
    def of_replica():
        return tf.distribute.get_replica_context().all_gather(numbers[None], axis=0)

    return strategy.experimental_local_results(strategy.run(of_replica))[0]


# A graph: eagerly, replicas would wait for each other one after the other.
_GATHER = tf.function(_gather, autograph=False, reduce_retracing=True)
