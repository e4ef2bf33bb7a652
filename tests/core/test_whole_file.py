"""Files are there whole or not at all."""

import errno
import os

import pytest

from kgen.core.whole_file import is_disk_full, replacing, write_text


def test_the_new_file_takes_the_place_of_the_old_one_and_is_synced(tmp_path, monkeypatch):
    synced = []
    sync = os.fsync

    def note(descriptor):
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    path = tmp_path / "best.keras"
    path.write_text("old")
    with replacing(path) as partial:
        assert partial.suffix == ".keras" and partial.parent == tmp_path
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["best.keras"]
    assert synced == [str(partial), str(tmp_path)]  # The content before its name.


@pytest.mark.parametrize("broken", ["write", "fsync", "replace"])
def test_what_fails_leaves_what_was_there_and_names_it(tmp_path, monkeypatch, broken):
    path = tmp_path / "config.json"
    write_text(path, "old")

    def fail(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        if broken != "write":
            patched.setattr(os, broken, fail)
        expected = pytest.raises(OSError, match="No space left.*config.json'$")
        with expected as raised, replacing(path) as partial:
            partial.write_text("half")
            if broken == "write":
                fail()
    assert is_disk_full(raised.value)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError("Can't write data (file write failed: No space left on device)"), True),  # HDF5.
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), False),
        (ValueError("x"), False),
    ],
)
def test_a_full_disk_is_known_by_number_or_words(error, expected):
    assert is_disk_full(error) is expected
