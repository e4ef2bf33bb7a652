"""Folders of image files: which files, which split, which class."""

import os
import pathlib

import numpy as np

from kgen.data.splitting import held_out_rows

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
TEST_FOLDERS = ("test", "val", "valid")  # the first that is there is the test split


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
        A list of paths, and int32 labels `(n,)` or None where there are no classes.

    Raises:
        ValueError: the folder or the split has no images, or images lie beside the splits.
    """
    files = _image_files(folder)  # paths relative to the folder
    if not files:
        raise ValueError(f"{folder}: expected images ({', '.join(SUFFIXES)}), found none.")
    tops = {file.parts[0].lower() for file in files if len(file.parts) > 1}
    if "train" in tops and len(tops) > 1 and tops <= {"train", *TEST_FOLDERS}:
        loose = [file for file in files if len(file.parts) == 1]
        if loose:
            raise ValueError(
                f"{folder / loose[0]}: expected every image in one of the splits "
                f"{sorted(tops)}, found this one beside them."
            )
        test = next(name for name in TEST_FOLDERS if name in tops)
        wanted = "train" if split == "train" else test
        inner = [pathlib.Path(*file.parts[1:]) for file in files]
        classes = _classes(inner)
        rows = [row for row, file in enumerate(files) if file.parts[0].lower() == wanted]
    else:
        classes = _classes(files)
        rows = held_out_rows(len(files), split, folder)
    paths = [folder / files[row] for row in rows]
    return paths, None if classes is None else classes[rows]


def _image_files(folder):
    """Return the relative paths of all images under a folder, hidden ones left out, sorted."""
    files, seen = [], set()
    for place, subfolders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        # A link may lead back to a folder above it.
        if (real := os.path.realpath(place)) in seen:
            subfolders.clear()
            continue
        seen.add(real)
        # Sorted, so that of two ways to one folder the same one is taken on every machine.
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        files += [
            pathlib.Path(place, name).relative_to(folder)
            for name in names
            if not name.startswith(".") and name.lower().endswith(SUFFIXES)
        ]
    return sorted(files, key=lambda file: file.as_posix())


def _refuse(error):
    """Raise instead of passing over a folder that cannot be listed."""
    raise ValueError(f"{error.filename}: cannot be listed ({error.strerror}).") from error


def _classes(files):
    """Return the int32 class of each file from its first folder, or None if one lies in none."""
    if any(len(file.parts) == 1 for file in files):
        return None
    names = [file.parts[0] for file in files]
    return np.unique(names, return_inverse=True)[1].astype(np.int32)
