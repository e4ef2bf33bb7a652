"""Folders of image files: which files, which class."""

import os
import warnings
from collections.abc import Sequence

import numpy as np

from kgen.data.split_folders import part_of, split_folders
from kgen.data.splitting import place_of_name, rows_of_split

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
# Of images that are not read: who has them will want to know.
_OTHER_SUFFIXES = (".gif", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".ppm", ".pgm")
# Folders that systems make beside images: archives of macOS and drives of Synology hold copies.
_NOT_IMAGES = ("__MACOSX", "@eaDir")


class Files(Sequence):
    """Paths of files below one folder, as strings; only the relative ones are held.

    Args:
        folder: `pathlib.Path` or string.
        names: list of paths relative to the folder, with `/` between their parts.
    """

    def __init__(self, folder, names):
        self._start = os.path.join(folder, "")
        self.names = names

    def __len__(self):
        return len(self.names)

    def __getitem__(self, row):
        return self._start + self.names[row]


def list_folder(folder, split, follow_links=False):
    """List the image files of one split of a folder, and their classes.

    If all subfolders with images have names of splits, these are the splits, each in the order of
    its sorted paths: `train` or `training`; `validation`, `valid`, `val` or `dev`; `test` or
    `testing`; in upper or lower case. A validation or test split that has no folder is cut out of
    the training images, as both are where there are no such folders: the hash of an image's path,
    without its suffix, decides, so that no other image changes it. Each gets about a tenth.

    If every image lies in a subfolder (of its split), the subfolders are the classes, numbered in
    the order of their sorted names, the same in all splits. A split that is a folder with an image
    outside of them has no labels, and the others keep theirs.

    Args:
        folder: `pathlib.Path` of a folder.
        split: `"train"`, `"validation"`, `"test"` or `"train+validation"`.
        follow_links: whether symbolic links are followed out of the folder.

    Returns:
        `Files`, a sequence of paths as strings, and int32 labels `(n,)` or None where there are no
        classes.

    Raises:
        ValueError: the folder or the split has no images, images or other folders lie beside the
            splits, or splits lie deeper in the folder.
    """
    names = image_names(folder, follow_links)
    rows, classes = split_names(names, split, folder)
    return Files(folder, [names[row] for row in rows]), classes


def split_names(names, split, folder):
    """Choose the files of one split and their classes by the rules of `list_folder`.

    Args:
        names: sorted list of paths relative to the folder, as of `image_names`.
        split: as of `list_folder`.
        folder: the folder, for the error messages.

    Returns:
        Rows of the list, integers `(n,)`, and int32 labels `(n,)` or None.

    Raises:
        ValueError: as `list_folder`.
    """
    tops = split_folders(names, folder)
    classes = _classes(names, tops)
    if tops:
        rows = _rows_of_folders(names, split, folder, {part_of(top) for top in tops})
    else:
        places = [place_of_name(name) for name in names]
        rows = rows_of_split(places, split, ("validation", "test"), folder)
    labels = None if classes is None else classes[rows]
    return rows, None if labels is None or -1 in labels else labels


def count_classes(folder, follow_links=False):
    """Return the number of subfolders that are classes, or None if they are none.

    Raises:
        ValueError: as `list_folder`.
    """
    names = class_names(folder, follow_links)
    return None if names is None else len(names)


def class_names(folder, follow_links=False):
    """Return the names of the subfolders that are classes, by number, or None if they are none.

    Raises:
        ValueError: as `list_folder`.
    """
    names = image_names(folder, follow_links)
    folders = _first_folders(names, split_folders(names, folder))
    return None if folders is None else sorted(set(folders) - {None})


def image_names(folder, follow_links=False):
    """Return the paths of all images under a folder, relative to it, hidden ones left out.

    Warns of symbolic links that lead out of the folder and are not followed, and of images of other
    formats.

    Args:
        folder: `pathlib.Path` or string.
        follow_links: whether symbolic links are followed out of the folder.

    Returns:
        Sorted list of strings with `/` between their parts, at least one.

    Raises:
        ValueError: a folder cannot be listed, or there are no images.
    """
    root = os.path.realpath(folder)
    names, outward, unread, seen = [], [], [], set()
    waiting = [""]
    while waiting:
        start = waiting.pop()
        place = os.path.join(folder, start)
        # A link may lead back to a folder above it.
        if (real := os.path.realpath(place)) in seen:
            continue
        seen.add(real)
        subfolders = []
        for entry in _entries(place):
            is_folder = entry.is_dir()
            name = start + entry.name
            if _is_passed_over(entry.name, is_folder):
                if entry.name.lower().endswith(_OTHER_SUFFIXES) and entry.name[0] != ".":
                    unread.append(name)
                continue
            # One that leads to nothing is a file that cannot be read, whether followed or not.
            is_link = entry.is_symlink() and os.path.exists(entry.path)
            if is_link and not follow_links and not _lies_in(root, entry.path):
                outward.append(name)
            elif is_folder:
                subfolders.append(name + "/")
            else:
                names.append(name)
        # Sorted, so that of two ways to one folder the same one is taken on every machine.
        waiting += sorted(subfolders, reverse=True)
    links = (
        f"{len(outward)} symbolic links lead out of it and are not followed, the first "
        f"{min(outward)}; follow_links=True follows them"
        if outward
        else ""
    )
    others = (
        f"{len(unread)} images of other formats than PNG, JPEG, WebP and BMP are not read, the "
        f"first {min(unread)}"
        if unread
        else ""
    )
    if not names:
        why = "; ".join(filter(None, (links, others)))
        found = f"found none ({why})" if why else "found none"
        raise ValueError(f"{folder}: expected images ({', '.join(SUFFIXES)}), {found}.")
    for said in filter(None, (links, others)):
        warnings.warn(f"{folder}: {said}.", stacklevel=2)
    names.sort()
    return names


def _entries(place):
    """Return the entries of a folder, or refuse one that cannot be listed."""
    try:
        with os.scandir(place) as entries:
            return list(entries)
    except OSError as error:
        raise ValueError(f"{error.filename}: cannot be listed ({error.strerror}).") from error


def _is_passed_over(name, is_folder):
    if name.startswith("."):
        return True
    return name in _NOT_IMAGES if is_folder else not name.lower().endswith(SUFFIXES)


def _lies_in(root, path):
    return os.path.join(os.path.realpath(path), "").startswith(os.path.join(root, ""))


def _rows_of_folders(names, split, folder, present):
    """Return the rows of a split where folders are the splits; those that are missing are cut."""
    parts = [part_of(name.partition("/")[0]) for name in names]
    missing = {"validation", "test"} - present
    wanted = split.split("+")
    rows = [row for row, part in enumerate(parts) if part in wanted and part != "train"]
    if "train" in wanted or missing & set(wanted):
        training = np.array([row for row, part in enumerate(parts) if part == "train"], int)
        if not len(training):
            raise ValueError(
                f"split={split!r} of {folder}: expected training images in a folder train/, found "
                f"folders for {sorted(present)} alone."
            )
        places = [place_of_name(names[row].partition("/")[2]) for row in training]
        rows += training[rows_of_split(places, split, missing, folder)].tolist()
    return np.sort(np.array(rows, int))


def _first_folders(names, splits):
    """Return the first folder of each file, below its split, or None if there are no classes.

    There are none in a split of which a file lies in no folder; of its files all are None.
    """
    parts = ["" if not splits else name.partition("/")[0] for name in names]
    if splits:
        names = [name.partition("/")[2] for name in names]
    unlabelled = {part for part, name in zip(parts, names, strict=True) if "/" not in name}
    if unlabelled >= set(parts):
        return None
    return [
        None if part in unlabelled else name[: name.index("/")]
        for part, name in zip(parts, names, strict=True)
    ]


def _classes(names, splits):
    """Return the int32 class of each file from its first folder, -1 for none, or None."""
    folders = _first_folders(names, splits)
    if folders is None:
        return None
    numbers = {folder: number for number, folder in enumerate(sorted(set(folders) - {None}))}
    return np.fromiter((numbers.get(folder, -1) for folder in folders), np.int32, len(folders))
