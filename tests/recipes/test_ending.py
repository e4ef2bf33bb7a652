"""Exit codes of commands that do not end well."""

import errno
import os
import signal

import pytest
import tensorflow as tf

from recipes import dcgan, training


def ended(run, capsys, *arguments):
    """The exit code and the last line of a recipe's command."""
    with pytest.raises(SystemExit) as end:
        training.main(dcgan.Config, run, "", ["--out", "runs/mine", *arguments])
    return end.value.code, (capsys.readouterr().err.splitlines() or [""])[-1]


FULL = os.strerror(errno.ENOSPC)


@pytest.mark.parametrize(
    ("error", "place"),
    [
        (OSError(errno.ENOSPC, FULL, "runs/mine/model.keras"), "runs/mine/model.keras"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "runs/mine"),
        (OSError(f"Can't synchronously write data ({FULL})"), "runs/mine"),  # HDF5's.
        (tf.errors.ResourceExhaustedError(None, None, f"model/variables; {FULL}"), "runs/mine"),
    ],
)
def test_a_full_disk_ends_in_4_with_the_path(capsys, error, place):
    def run(config):
        raise error

    code, said = ended(run, capsys)
    assert code == 4
    assert said.startswith(f"error: no space is left for {place}: ")


def test_other_errors_of_files_end_in_2_and_those_of_graphs_are_shown(capsys):
    def refused(config):
        raise PermissionError(errno.EACCES, "Permission denied", "runs/mine")

    assert ended(refused, capsys) == (2, "error: [Errno 13] Permission denied: 'runs/mine'")

    def wrong(config):
        raise tf.errors.InvalidArgumentError(None, None, "shapes")

    with pytest.raises(tf.errors.InvalidArgumentError):
        training.main(dcgan.Config, wrong, "", [])


def test_sigterm_ends_in_143_and_closes_what_is_open(capsys):
    closed = []

    def run(config):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            closed.append(True)

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        assert ended(run, capsys)[0] == 143
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert closed == [True]
