"""Hashes by which a set is known again: did a training see what is there now?"""

import dataclasses
import hashlib
import os
import pathlib

import keras
import numpy as np

from kgen.data.arguments import checked_request
from kgen.data.folder import Files, image_names
from kgen.data.registry import is_named, read_rows
from kgen.data.stream import Stream


def fingerprint(name_or_path, split="test", value_range=None, length=None, follow_links=False):
    """Return a hash that changes with the examples of a split, before they are scaled.

    That of arrays is of their bytes; that of files of their names, sizes and times; that of sets
    which are made or fetched as they are read of their name and length.

    Returns:
        String of 16 hexadecimal digits.
    """
    request = checked_request(
        split, None, None, 0, length, None, value_range, "error", follow_links
    )
    rows = read_rows(name_or_path, request)
    return of_rows(name_or_path, request, rows, with_times=True)


def of_rows(name_or_path, request, rows, with_times=False):
    """Return the fingerprint of `Rows` that were read for a `Request`, labels included.

    A folder that is copied or moved keeps it: of its files names and sizes count.

    Args:
        name_or_path: as of `kgen.data.load`.
        request: `Request`.
        rows: `Rows`.
        with_times: whether the times at which files were written count, too.
    """
    digest = hashlib.sha256()
    if callable(rows.examples):
        name = os.fspath(name_or_path)
        digest.update(repr((name, dataclasses.asdict(request), rows.count)).encode())
        return digest.hexdigest()[:16]
    if hasattr(rows.examples, "dtype"):
        _add_array(digest, rows.examples)
    else:
        digest.update(of_files(rows.examples, with_times=with_times).encode())
    if rows.labels is not None:
        _add_array(digest, rows.labels)
    return digest.hexdigest()[:16]


def of_files(*sides, with_times=False):
    """Return the fingerprint of the files of one or more `kgen.data.folder.Files`."""
    digest = hashlib.sha256()
    for files in sides:
        for name, path in zip(files.names, files, strict=True):
            status = os.stat(path)
            times = (status.st_mtime_ns,) if with_times else ()
            digest.update(repr((name, status.st_size, *times)).encode())
    return digest.hexdigest()[:16]


def of_place(name_or_path, follow_links=False):
    """Return the fingerprint of all that a folder of images or an array file holds, of any split.

    Of images names and sizes count.

    Args:
        name_or_path: as of `kgen.data.load`; of the name of a set it is None.
        follow_links: as of `kgen.data.load`.

    Raises:
        ValueError: the folder holds no images.
        OSError: the file cannot be read.
    """
    if is_named(name_or_path):
        return None
    path = pathlib.Path(name_or_path).expanduser()
    if path.is_dir():
        return of_files(Files(path, image_names(path, follow_links)))
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()[:16]


def of_data(data):
    """Return the fingerprint of what `fit` is given, or None where there is none.

    Args:
        data: a `Stream`, which brings its own; arrays, or a nest of them, whose bytes it is of; of
            anything else nothing is known.

    Returns:
        String of 16 hexadecimal digits, or None.

    Example:
        >>> import numpy as np
        >>> from kgen.data.fingerprint import of_data
        >>> of_data(np.zeros((2, 3))) == of_data(np.zeros((2, 3)))
        True
    """
    if isinstance(data, Stream):
        return data.fingerprint
    leaves = keras.tree.flatten(data)
    if not leaves or not all(hasattr(leaf, "__array__") for leaf in leaves):
        return None
    digest = hashlib.sha256()
    for leaf in leaves:
        _add_array(digest, np.asarray(leaf))
    return digest.hexdigest()[:16]


def joined(*parts):
    """Return the fingerprint of things that have one, or a repr that tells them apart."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _add_array(digest, array):
    digest.update(repr((array.dtype.str, array.shape)).encode())
    digest.update(np.ascontiguousarray(array))
