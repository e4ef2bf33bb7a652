"""The folder in which what is slow to compute is kept: extractors' weights, references' moments."""

import io
import os
import pathlib
import tempfile
import warnings
import zipfile

import numpy as np


def cache_folder():
    """Returns the folder: `KGEN_CACHE` in the environment, or `~/.cache/kgen`."""
    folder = pathlib.Path(os.environ.get("KGEN_CACHE") or "~/.cache/kgen").expanduser()
    return folder


def write_arrays(path, arrays):
    """Writes a dict of arrays to `path` in one step, so that nobody reads half of it.

    Warns where it cannot be written: then it is only slow the next time.
    """
    try:
        _write(pathlib.Path(path), arrays)
    except OSError as error:
        warnings.warn(f"{path} could not be written ({error}).", stacklevel=2)


def _write(path, arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.getvalue())
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def read_arrays(path):
    """Returns the dict of arrays in a file; `None` if it is missing or damaged."""
    try:
        # Opened here: NumPy leaves the file of a damaged archive open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
