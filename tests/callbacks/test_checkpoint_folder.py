"""Which checkpoints go, which stay, and which one is gone on from."""

import errno
import os

import numpy as np
import pytest

from kgen.callbacks import checkpoint_file, checkpoint_folder
from kgen.callbacks.checkpoint_folder import CheckpointFolder


def state(value=1.0):
    # What callbacks keep, such as the best loss so far, may be infinite.
    return {"model/0": np.full(3, value, "float32"), "callback/1": np.array(np.inf)}


def rounds_in(folder):
    return [checkpoint_file.rounds_of(path) for path in checkpoint_file.newest_first(folder)]


def accept(arrays, facts, path):
    pass


@pytest.fixture
def full_above(monkeypatch):
    """A function that lets so many checkpoints stand in a folder, and no more."""
    sync = os.fsync

    def arm(folder, count, number=errno.ENOSPC):
        def sync_where_there_is_room(descriptor):
            if len(rounds_in(folder)) >= count:
                raise OSError(number, os.strerror(number))
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", sync_where_there_is_room)

    return arm


def test_the_oldest_makes_room_on_a_full_disk(tmp_path, full_above):
    folder = CheckpointFolder(tmp_path, keep=3)
    for rounds in (1, 2, 3):
        folder.write(rounds, state(), {})
    full_above(tmp_path, 2)
    folder.write(4, state(), {})
    assert rounds_in(tmp_path) == [4, 3]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_the_newest_stays_where_no_room_is_enough(tmp_path, full_above, number):
    folder = CheckpointFolder(tmp_path, keep=3)
    for rounds in (1, 2, 3):
        folder.write(rounds, state(), {})
    full_above(tmp_path, 0, number)
    message = f"round-00000004.checkpoint could not be written: .*{os.strerror(number)}"
    with pytest.warns(UserWarning, match=message):
        folder.write(4, state(), {})
    # Room alone is made by removing, and other errors are none of room.
    assert rounds_in(tmp_path) == ([3] if number == errno.ENOSPC else [3, 2, 1])
    assert not list(tmp_path.glob(".partial-*"))


def test_the_last_finite_one_stays_on_a_full_disk_too(tmp_path, full_above):
    folder = CheckpointFolder(tmp_path, keep=2)
    folder.write(1, state(), {})
    for rounds in (2, 3):
        folder.write(rounds, state(np.nan), {})
    full_above(tmp_path, 3)
    folder.write(4, state(np.inf), {})
    assert rounds_in(tmp_path) == [4, 3, 1]
    again = CheckpointFolder(tmp_path, keep=1)  # Another process.
    with pytest.warns(UserWarning, match="holds NaN or infinity; .*round-00000001"):
        assert again.newest(accept, True)[0] == 4
    folder.write(5, state(np.inf), {})
    assert 1 in rounds_in(tmp_path)


def test_bfloat16_is_looked_at(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    folder = CheckpointFolder(tmp_path, keep=1)
    folder.write(1, {"model/0": np.ones(2, ml_dtypes.bfloat16)}, {})
    folder.write(2, {"model/0": np.array([1, np.nan], ml_dtypes.bfloat16)}, {})
    assert folder.finite == 1 and rounds_in(tmp_path) == [2, 1]


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(checkpoint_folder, "PAUSES", (0.0, 0.0))


@pytest.fixture
def two(tmp_path):
    for rounds in (1, 2):
        CheckpointFolder(tmp_path, keep=3).write(rounds, state(rounds), {})
    return tmp_path


def failing(monkeypatch, times, error, name="round-00000002.checkpoint"):
    """Reading a checkpoint fails a number of times."""
    read, left = checkpoint_file.read, [times]

    def fail(path):
        if path.name == name and left[0]:
            left[0] -= 1
            raise error
        return read(path)

    monkeypatch.setattr(checkpoint_file, "read", fail)


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EIO, "Input/output error"), checkpoint_file.DamagedCheckpointError("once")],
)
def test_reading_that_fails_once_is_tried_again(two, monkeypatch, quick, error):
    failing(monkeypatch, 1, error)
    assert CheckpointFolder(two, 3).newest(accept, True)[0] == 2
    assert not list(two.glob("*.damaged"))


def test_what_cannot_be_read_for_long_is_passed_over_and_stays(two, monkeypatch, quick):
    failing(monkeypatch, 99, OSError(errno.ESTALE, "Stale file handle"))
    with pytest.warns(UserWarning, match="cannot be read: .*Stale.*It stays"):
        assert CheckpointFolder(two, 3).newest(accept, True)[0] == 1
    assert rounds_in(two) == [2, 1] and not list(two.glob("*.damaged"))


def test_where_none_can_be_read_the_error_leaves(two, monkeypatch, quick):
    for name in ("round-00000001.checkpoint", "round-00000002.checkpoint"):
        failing(monkeypatch, 99, PermissionError(errno.EACCES, "Permission denied"), name)
    with (
        pytest.warns(UserWarning, match="cannot be read"),
        pytest.raises(PermissionError, match="denied"),
    ):
        CheckpointFolder(two, 3).newest(accept, True)
