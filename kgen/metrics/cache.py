"""The folder in which what is slow to compute is kept: extractors' weights, references' moments."""

import contextlib
import hashlib
import os
import pathlib
import stat
import warnings

import numpy as np

from kgen.core.leftovers import clear_leftovers
from kgen.core.whole_file import replacing

LIMIT = 4096  # MiB.
# What kgen itself writes there: nothing else is ever removed.
_FILES = ("digits-*.npz", "references/*.npz")
_HASH = "kgen_hash"


def cache_folder():
    """Returns the folder: `KGEN_CACHE` in the environment, or `~/.cache/kgen`."""
    folder = pathlib.Path(os.environ.get("KGEN_CACHE") or "~/.cache/kgen").expanduser()
    return folder


def cache_limit():
    """Returns how many bytes are kept: `KGEN_CACHE_LIMIT` in the environment, in MiB, or 4096 MiB.

    Raises:
        ValueError: If it is no number of at least 0.
    """
    text = os.environ.get("KGEN_CACHE_LIMIT") or str(LIMIT)
    try:
        limit = float(text)
    except ValueError:
        limit = -1.0
    if not 0.0 <= limit < float("inf"):
        raise ValueError(f"KGEN_CACHE_LIMIT: expected a number of MiB, received {text!r}.")
    return int(limit * 2**20)


def write_arrays(path, key, arrays):
    """Writes a dict of arrays to `path` in one step, so that nobody reads half of it.

    Warns where it cannot be written: then it is only slow the next time. Of more than
    `cache_limit()` the files that were not used for longest go.

    Args:
        path: Path of a file in the cache folder.
        key: String that says all that the arrays depend on.
        arrays: Dict of arrays.
    """
    path = pathlib.Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial, open(partial, "wb") as file:
            np.savez(file, **arrays, **{_HASH: np.array(_hash(key, arrays))})
        trim(cache_limit(), path)
    except OSError as error:
        warnings.warn(f"{path} could not be written ({error}).", stacklevel=2)


def read_arrays(path, key):
    """Returns the dict of arrays that was written to a file under a key.

    `None` if the file is missing, damaged, changed, or was written under another key.

    Raises:
        ValueError: As `cache_limit`, which `write_arrays` goes by once the arrays are computed.
    """
    cache_limit()
    try:
        # Opened here: NumPy leaves the file of a damaged archive open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
    except Exception:  # NumPy, zipfile and zlib each raise errors of their own.
        return None
    found = arrays.pop(_HASH, None)
    if found is None or found.dtype.kind != "U" or str(found) != _hash(key, arrays):
        return None
    with contextlib.suppress(OSError):  # The folder of another user.
        os.utime(path)  # It was used now, which `trim` goes by.
    return arrays


def contents():
    """Returns the files of the cache as `(path, bytes)`, those used last first."""
    found = []
    for pattern in _FILES:
        for path in cache_folder().glob(pattern):
            try:
                status = path.stat()
            except OSError:  # Gone meanwhile.
                continue
            if stat.S_ISREG(status.st_mode):  # A folder is the user's own.
                found.append((status.st_mtime_ns, path, status.st_size))
    return [(path, size) for _, path, size in sorted(found, reverse=True)]


def trim(limit, kept=None):
    """Removes the files not used for longest, until the others have at most `limit` bytes.

    Args:
        limit: Bytes.
        kept: Path of a file that stays whatever its size.

    Returns:
        List of the removed paths.
    """
    for folder in (cache_folder(), cache_folder() / "references"):
        clear_leftovers(folder)
    removed, total = [], 0
    for path, size in sorted(contents(), key=lambda entry: entry[0] != kept):
        total += size
        if total > limit and path != kept:
            path.unlink(missing_ok=True)
            total -= size
            removed.append(path)
    return removed


def _hash(key, arrays):
    """Returns the hash of a key and of the arrays' names, types, shapes and bytes."""
    digest = hashlib.sha256(repr(key).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(repr((name, array.dtype.str, np.shape(arrays[name]))).encode())
        digest.update(array)
    return digest.hexdigest()
