"""The folder in which what is slow to compute is kept: extractors' weights, references' moments."""

import io
import os
import pathlib
import tempfile
import zipfile

import numpy as np


def cache_folder():
    """Returns the folder: `KGEN_CACHE` in the environment, or `~/.cache/kgen`; made if missing."""
    folder = pathlib.Path(os.environ.get("KGEN_CACHE") or "~/.cache/kgen").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_arrays(path, arrays):
    """Writes a dict of arrays to `path` in one step, so that nobody reads half of it."""
    content = io.BytesIO()
    np.savez(content, **arrays)
    path = pathlib.Path(path)
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
