"""What a trial's folder remembers is not forgotten by a moment of the disk."""

import errno
import pathlib

import pytest

from kgen.tuning.execution import Execution
from kgen.tuning.record import Record


def test_a_record_that_cannot_be_read_costs_no_checkpoint(tmp_path, monkeypatch):
    record = Record(tmp_path, {"filters": 4}, 3)
    record.add(Execution(0, 1.5, None, 2.0), keep_checkpoints=True)
    checkpoints = record.checkpoints(0)
    checkpoints.mkdir()

    def stale(path, *arguments, **settings):
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(pathlib.Path, "read_text", stale)
        with pytest.raises(OSError, match="Stale"):
            Record(tmp_path, {"filters": 4}, 3)
    assert checkpoints.exists()
    assert Record(tmp_path, {"filters": 4}, 3).executions == record.executions
    assert Record(tmp_path, {"filters": 8}, 3).executions == []  # Another trial begins anew.
    assert not checkpoints.exists()
