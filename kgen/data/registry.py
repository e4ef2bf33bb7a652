"""The table of sources and the choice of one of them."""

import functools
import os
import pathlib

from kgen.data.arrays import read_arrays
from kgen.data.digits import digits
from kgen.data.folder import list_folder
from kgen.data.mnist5k import mnist5k

# A source takes the split and returns (images, labels). Images are a uint8 array (n, h, w, c) in
# 0..255, a float32 array (n, h, w, c) in [-1, 1], or a list of image files; labels are int32 (n,)
# or None. A name that ends in a colon takes the rest of the user's string as its first argument.
SOURCES = {
    "mnist5k": mnist5k,
    "digits": digits,
}


def find_source(name_or_path, value_range=None):
    """Return the source that a name, a folder or an array file stands for.

    Args:
        name_or_path: a name of `SOURCES` as a string, or a path. A name wins over a folder of
            the same name; write `"./digits"` or pass a `pathlib.Path` for the folder.
        value_range: `(low, high)` of the values in an array file, or None.

    Returns:
        A function from a split, `"train"` or `"test"`, to `(images, labels)`.

    Raises:
        ValueError: no such name or path, a file of another kind, or a `value_range` for
            something else than an array file.

    Example:
        >>> from kgen.data.registry import find_source
        >>> images, labels = find_source("mnist5k")("test")
    """
    # An empty string would be the working folder.
    if not isinstance(name_or_path, str | os.PathLike) or name_or_path == "":
        raise ValueError(
            f"name_or_path: expected one of {sorted(SOURCES)} or a path, got {name_or_path!r}."
        )
    source = _named_source(name_or_path) if isinstance(name_or_path, str) else None
    path = pathlib.Path(name_or_path).expanduser()
    is_array_file = source is None and path.is_file() and path.suffix.lower() in (".npy", ".npz")
    if value_range is not None and (source is not None or path.is_dir()):
        raise ValueError(
            f"value_range: expected None for {name_or_path}, whose range is known (it is for .npy "
            f"and .npz files), got {value_range!r}."
        )
    if source is not None:
        return source
    if is_array_file:
        return functools.partial(read_arrays, path, value_range=value_range)
    if path.is_dir():
        return functools.partial(list_folder, path)
    found = "a file of another kind" if path.exists() else "no such name, file or folder"
    raise ValueError(
        f"name_or_path: {name_or_path} is {found}; expected one of the embedded sets "
        f"{sorted(SOURCES)}, a folder of images, or a .npy or .npz file."
    )


def _named_source(name):
    """Return the source of that name, or None."""
    if name in SOURCES and not name.endswith(":"):
        return SOURCES[name]
    prefix, colon, rest = name.partition(":")
    if colon and rest and prefix + colon in SOURCES:
        return functools.partial(SOURCES[prefix + colon], rest)
    return None
