"""Folders of image files: which files, which split, which class."""

import os
from collections.abc import Sequence

import numpy as np

from kgen.data.splitting import held_out_rows

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
TEST_FOLDERS = ("test", "val", "valid")  # the first that is there is the test split


class Files(Sequence):
    """Paths of files below one folder, as strings; only the relative ones are held.

    Args:
        folder: `pathlib.Path` or string.
        names: list of paths relative to the folder, with `/` between their parts.
    """

    def __init__(self, folder, names):
        self._start = os.path.join(folder, "")
        self._names = names

    def __len__(self):
        return len(self._names)

    def __getitem__(self, row):
        return self._start + self._names[row]


def list_folder(folder, split):
    """List the image files of one split of a folder, and their classes.

    If the only subfolders with images are `train/` and one or more of `test/`, `val/` and
    `valid/`, these are the splits (`test/` before `val/` before `valid/`), each in the order of
    its sorted paths. Otherwise every tenth image of a fixed random order is for test.

    If every image lies in a subfolder (of its split), the subfolders are the classes, numbered in
    the order of their sorted names, the same in both splits.

    Args:
        folder: `pathlib.Path` of a folder.
        split: `"train"` or `"test"`.

    Returns:
        A sequence of paths as strings, and int32 labels `(n,)` or None where there are no classes.

    Raises:
        ValueError: the folder or the split has no images, or images lie beside the splits.
    """
    names = image_names(folder)
    rows, classes = split_names(names, split, folder)
    return Files(folder, [names[row] for row in rows]), classes


def split_names(names, split, folder):
    """Choose the files of one split and their classes by the rules of `list_folder`.

    Args:
        names: sorted list of paths relative to the folder, as of `image_names`.
        split: `"train"` or `"test"`.
        folder: the folder, for the error messages.

    Returns:
        Rows of the list, integers `(n,)`, and int32 labels `(n,)` or None.

    Raises:
        ValueError: as `list_folder`.
    """
    tops = _split_folders(names, folder)
    if tops:
        test = next(name for name in TEST_FOLDERS if name in tops)
        wanted = "train" if split == "train" else test
        rows = [row for row, name in enumerate(names) if name.partition("/")[0].lower() == wanted]
    else:
        rows = held_out_rows(len(names), split, folder)
    classes = _classes(names, tops)
    return rows, None if classes is None else classes[rows]


def count_classes(folder):
    """Return the number of subfolders that are classes, or None if they are none.

    Raises:
        ValueError: as `list_folder`.
    """
    names = image_names(folder)
    folders = _first_folders(names, _split_folders(names, folder))
    return None if folders is None else len(set(folders))


def image_names(folder):
    """Return the paths of all images under a folder, relative to it, hidden ones left out.

    Args:
        folder: `pathlib.Path` or string.

    Returns:
        Sorted list of strings with `/` between their parts, at least one.

    Raises:
        ValueError: a folder cannot be listed, or there are no images.
    """
    names, seen = [], set()
    for place, subfolders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        # A link may lead back to a folder above it.
        if (real := os.path.realpath(place)) in seen:
            subfolders.clear()
            continue
        seen.add(real)
        # Sorted, so that of two ways to one folder the same one is taken on every machine.
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        below = os.path.relpath(place, folder).replace(os.sep, "/")
        start = "" if below == "." else below + "/"
        names += [
            start + name
            for name in files
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    if not names:
        raise ValueError(f"{folder}: expected images ({', '.join(SUFFIXES)}), found none.")
    names.sort()
    return names


def _refuse(error):
    """Raise instead of passing over a folder that cannot be listed."""
    raise ValueError(f"{error.filename}: cannot be listed ({error.strerror}).") from error


def _split_folders(names, folder):
    """Return the first folders of the names, in lower case, if they are splits, else an empty set.

    Raises:
        ValueError: images lie beside the splits.
    """
    tops = {name[: name.index("/")].lower() for name in names if "/" in name}
    if not ("train" in tops and len(tops) > 1 and tops <= {"train", *TEST_FOLDERS}):
        return set()
    loose = next((name for name in names if "/" not in name), None)
    if loose is not None:
        raise ValueError(
            f"{os.path.join(folder, loose)}: expected every image in one of the splits "
            f"{sorted(tops)}, found this one beside them."
        )
    return tops


def _first_folders(names, splits):
    """Return the first folder of each file, below its split, or None if a file lies in none."""
    if splits:
        names = [name.partition("/")[2] for name in names]
    if any("/" not in name for name in names):
        return None
    return [name[: name.index("/")] for name in names]


def _classes(names, splits):
    """Return the int32 class of each file from its first folder, or None if one lies in none."""
    folders = _first_folders(names, splits)
    if folders is None:
        return None
    numbers = {folder: number for number, folder in enumerate(sorted(set(folders)))}
    return np.fromiter((numbers[folder] for folder in folders), np.int32, len(folders))
