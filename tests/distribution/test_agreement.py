"""What hosts tell each other where there is one, and the errors that a lost one causes."""

import pytest
import tensorflow as tf

from kgen import distribution
from kgen.core import engine
from kgen.core.engine import agreement


def test_a_process_alone_agrees_with_itself():
    strategy = distribution.strategy("mirrored")
    assert distribution.is_chief(strategy) and not distribution.is_multiworker(strategy)
    assert distribution.largest(strategy, [3, -1]) == [3, -1]
    assert distribution.told_by_chief(strategy, "scores") == "scores"
    distribution.wait_for_all(strategy)


@pytest.mark.parametrize(
    ("error", "message", "reason"),
    [
        (tf.errors.UnavailableError, "recvmsg:Connection reset by peer\nMore", "reset by peer)"),
        (tf.errors.InternalError, "task /job:worker/task:1 is gone", "task:1 is gone)"),
        (tf.errors.InternalError, "an XLA compiler's fault", None),
        (tf.errors.InvalidArgumentError, "a peer of labels", None),
    ],
)
def test_lost_workers_are_named_and_other_errors_left(error, message, reason, monkeypatch):
    monkeypatch.setattr(agreement, "is_multiworker", lambda strategy: True)
    expected = error if reason is None else distribution.WorkerLostError
    with pytest.raises(expected) as caught, engine.lost_workers_named(None):
        raise error(None, None, message)
    if reason is not None:
        assert str(caught.value).startswith("Another worker has stopped or cannot be reached")
        assert str(caught.value).endswith(reason)


def test_alone_no_error_is_renamed():
    strategy = distribution.strategy("none")
    with pytest.raises(tf.errors.UnavailableError), engine.lost_workers_named(strategy):
        raise tf.errors.UnavailableError(None, None, "a file system is away")
