"""The table of sources and the choice of one of them."""

import dataclasses
import os
import pathlib
from collections.abc import Callable

from kgen.data import arrays, folder, tfds
from kgen.data.digits import digits
from kgen.data.mixtures import grid, ring
from kgen.data.mnist5k import mnist5k
from kgen.data.moving_mnist import moving_mnist
from kgen.data.photos import photos
from kgen.data.rows import Rows
from kgen.data.shapes import shapes
from kgen.data.stacked_mnist import stacked_mnist
from kgen.suggestion import did_you_mean

# Why a source does not take an argument of `load`.
_REFUSALS = {
    "image_size": "which holds points and no images",
    "channels": "which holds points and no images",
    "length": "whose number of examples is fixed",
    "frames": "which holds no clips",
    "value_range": "whose range is known (it is for .npy and .npz files)",
}


@dataclasses.dataclass(frozen=True)
class Source:
    """A set of examples.

    Attributes:
        read: function from a `Request` to `Rows`. Under a name that ends in a colon, the rest of
            the user's string comes before the request.
        takes: names of the fields of `Request` that have a meaning for it, of those that not every
            source takes.
        count_classes: function from `follow_links` to the number of classes, or to None if there
            are no labels, where there is a way that spares reading the rows. Under a name that
            ends in a colon, from the rest of the user's string.
        name_classes: the same to the list of their names, or to None where they have none.
    """

    read: Callable
    takes: tuple[str, ...] = ("image_size", "channels")
    count_classes: Callable | None = None
    name_classes: Callable | None = None


def _held(read):
    """Turn a function from a split to `(examples, labels)` into one from a request to rows."""
    return lambda request: Rows(*read(request.split))


_GENERATED = ("image_size", "channels", "length")

SOURCES = {
    "digits": Source(_held(digits)),
    "grid": Source(grid, ("length",)),
    "mnist5k": Source(_held(mnist5k)),
    "moving_mnist": Source(moving_mnist, (*_GENERATED, "frames")),
    "photos": Source(photos, _GENERATED),
    "ring": Source(ring, ("length",)),
    "shapes": Source(shapes, _GENERATED),
    "stacked_mnist": Source(stacked_mnist, _GENERATED),
    "tfds:": Source(tfds.tfds, count_classes=tfds.count_classes, name_classes=tfds.class_names),
}


def read_rows(name_or_path, request):
    """Read the rows of the source that a name, a folder or an array file stands for.

    Args:
        name_or_path: a name of `SOURCES` as a string, or a path. A name wins over a folder of
            the same name; write `"./digits"` or pass a `pathlib.Path` for the folder.
        request: `Request`.

    Returns:
        `Rows`.

    Raises:
        ValueError: no such name or path, a file of another kind, or a request for something that
            the source does not have.

    Example:
        >>> from kgen.data.registry import read_rows
        >>> from kgen.data.rows import Request
        >>> read_rows("mnist5k", Request(split="test")).examples.shape
        (1000, 28, 28, 1)
    """
    source = source_of(name_or_path)
    for argument, refusal in _REFUSALS.items():
        value = getattr(request, argument)
        if value is not None and argument not in source.takes:
            raise ValueError(
                f"{argument}: expected None for {name_or_path}, {refusal}, got {value!r}."
            )
    return source.read(request)


# Sets whose examples are parts of few pictures, which overlap; the label says of which.
OF_FEW_PICTURES = ("photos",)


def is_named(name):
    """Say whether what `load` is given is the name of a set, and no path."""
    return isinstance(name, str) and _named_source(name) is not None


def source_of(name_or_path):
    """Return the `Source` that a name or a path stands for.

    Args:
        name_or_path: as of `read_rows`.

    Raises:
        ValueError: no such name or path, or a file of another kind.
    """
    # An empty string would be the working folder.
    if not isinstance(name_or_path, str | os.PathLike) or name_or_path == "":
        raise ValueError(
            f"name_or_path: expected one of {_names()} or a path, got {name_or_path!r}."
        )
    source = _named_source(name_or_path) if isinstance(name_or_path, str) else None
    return source or _source_of_path(name_or_path)


def _named_source(name):
    """Return the source of that name, or None."""
    if name in SOURCES and not name.endswith(":"):
        return SOURCES[name]
    prefix, colon, rest = name.partition(":")
    if colon and rest and prefix + colon in SOURCES:
        source = SOURCES[prefix + colon]
        return dataclasses.replace(
            source,
            read=lambda request: source.read(rest, request),
            count_classes=lambda _: source.count_classes(rest),
            name_classes=lambda _: source.name_classes(rest),
        )
    return None


def _source_of_path(name_or_path):
    """Return the source that reads a folder or an array file."""
    path = pathlib.Path(name_or_path).expanduser()
    if path.is_dir():
        return Source(
            lambda request: Rows(*folder.list_folder(path, request.split, request.follow_links)),
            count_classes=lambda follow_links: folder.count_classes(path, follow_links),
            name_classes=lambda follow_links: folder.class_names(path, follow_links),
        )
    if path.is_file() and path.suffix.lower() in (".npy", ".npz"):
        return Source(
            lambda request: Rows(*arrays.read_arrays(path, request.split, request.value_range)),
            ("image_size", "channels", "value_range"),
            lambda _: arrays.count_classes(path),
        )
    rest = str(name_or_path).partition(":")[2]
    known = [name + rest if name.endswith(":") else name for name in SOURCES]
    found = "a file of another kind" if path.exists() else "no such name, file or folder"
    raise ValueError(
        f"name_or_path: {name_or_path} is {found}; expected one of the sets {_names()}, "
        "a folder of images, or a .npy or .npz file."
        f"{did_you_mean(str(name_or_path), known)}"
    )


def _names():
    """Return the names of all sources, as a user writes them."""
    return [name + "<name>" if name.endswith(":") else name for name in sorted(SOURCES)]
