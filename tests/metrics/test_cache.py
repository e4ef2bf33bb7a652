"""The cache: what is read is what was written under its key, and how much is kept."""

import os
import shutil

import numpy as np
import pytest

from kgen.metrics import cache
from recipes.command_line.__main__ import main

ARRAYS = {"mean": np.arange(5.0), "count": np.array(3), "name": np.array("digits")}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KGEN_CACHE", str(tmp_path))
    monkeypatch.delenv("KGEN_CACHE_LIMIT", raising=False)
    (tmp_path / "references").mkdir()
    return tmp_path


def write(path, key="key", arrays=ARRAYS):
    cache.write_arrays(path, key, arrays)
    return path


def test_what_was_written_is_read(folder):
    found = cache.read_arrays(write(folder / "references" / "a.npz"), "key")
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_a_file_of_another_key_or_content_is_not_read(folder):
    path = write(folder / "references" / "a.npz")
    assert cache.read_arrays(path, "another key") is None
    other = write(folder / "references" / "b.npz", "another key")
    shutil.copy(other, path)  # As one that lies there under a foreign name.
    assert cache.read_arrays(path, "key") is None
    with np.load(other) as stored:
        content = dict(stored)
    for changed in ({"mean": np.arange(5.0) + 1}, {"mean": np.arange(5.0, dtype="f4")}):
        np.savez(other, **{**content, **changed})
        assert cache.read_arrays(other, "another key") is None
    np.savez(other, **{**content, "more": np.zeros(2)})
    assert cache.read_arrays(other, "another key") is None
    np.savez(path, **ARRAYS)  # As versions before wrote it, without a hash.
    assert cache.read_arrays(path, "key") is None
    np.savez(path, x=np.array([{}], object))
    assert cache.read_arrays(path, "key") is None


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_damaged_file_is_not_read(folder, keep):
    path = write(folder / "references" / "a.npz")
    path.write_bytes(path.read_bytes()[:keep])
    assert cache.read_arrays(path, "key") is None
    assert cache.read_arrays(folder / "none.npz", "key") is None


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_files_can_be_read_as_the_umask_says(folder, umask, mode):
    before = os.umask(umask)
    try:
        path = write(folder / "references" / "a.npz")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


def test_of_more_than_the_limit_what_was_used_last_is_kept(folder, monkeypatch):
    arrays = {"x": np.zeros(100_000, "u1")}
    monkeypatch.setenv("KGEN_CACHE_LIMIT", "0.25")  # MiB: two of these.
    paths = [folder / "references" / f"{name}.npz" for name in "abc"]
    for age, path in zip((30, 20), paths, strict=False):
        write(path, arrays=arrays)
        os.utime(path, (path.stat().st_atime - age, path.stat().st_mtime - age))
    assert cache.read_arrays(paths[0], "key") is not None  # Used now, so that b goes.
    other = folder / "mine.txt"
    other.write_text("not kgen's" * 100_000)
    write(paths[2], arrays=arrays)
    assert [path.exists() for path in paths] == [True, False, True]
    monkeypatch.setenv("KGEN_CACHE_LIMIT", "0")
    write(paths[1], arrays=arrays)  # What is just made is of use at least once.
    assert [path.exists() for path in paths] == [False, True, False]
    assert other.exists()


@pytest.mark.parametrize("limit", ["-1", "much", "nan", "inf"])
def test_a_limit_that_is_none(monkeypatch, limit):
    monkeypatch.setenv("KGEN_CACHE_LIMIT", limit)
    with pytest.raises(ValueError, match=f"KGEN_CACHE_LIMIT: .* MiB, received '{limit}'"):
        cache.cache_limit()
    with pytest.raises(ValueError, match="KGEN_CACHE_LIMIT"):  # Before anything is computed.
        cache.read_arrays("missing.npz", "key")


def test_a_folder_named_as_one_of_the_files_stays(folder):
    write(folder / "digits-1.npz")
    (folder / "digits-2.npz").mkdir(parents=True)
    (folder / "digits-2.npz" / "mine").write_text("mine")
    assert cache.trim(0) == [folder / "digits-1.npz"]
    assert (folder / "digits-2.npz" / "mine").read_text() == "mine"


def test_the_command_shows_and_clears_what_is_kgens(folder, capsys):
    write(folder / "references" / "a.npz")
    write(folder / "digits-1.npz", "digits-1")
    (folder / "mine.npz").write_bytes(b"not kgen's")
    main(["cache"])
    shown = capsys.readouterr().out
    assert "a.npz" in shown and "digits-1.npz" in shown and "mine.npz" not in shown
    assert f"of at most 4,096 in {folder}" in shown
    main(["cache", "--clear"])
    assert "removed 2 files" in capsys.readouterr().out
    assert [path.name for path in folder.rglob("*.npz")] == ["mine.npz"]
