"""Which subfolders of a folder are splits, and which folders only look as if they were."""

import os
import re
import warnings

# The names of the folders of each part.
NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
_PARTS = {name: part for part, names in NAMES.items() for name in names}
# Which of two parts these are nobody can tell.
_OTHER_NAMES = ("eval", "evaluation", "holdout", "held_out", "heldout")
# As train2017, trainA, test_images and "val set" are; and not as train_station is.
_LIKE = re.compile(
    rf"({'|'.join(sorted(_PARTS, key=len, reverse=True))})"
    r"[ _.-]?(\d+|[ab]|sets?|split|part|data|images?|imgs?|photos?)"
)


def part_of(folder):
    """Return the part that a folder of that name holds, or None."""
    return _PARTS.get(folder.lower())


def split_folders(names, folder):
    """Return the first folders of files if they are splits, else an empty set.

    Warns where a single one is named as a split among others that are not: then all are classes.

    Args:
        names: paths relative to the folder, with `/` between their parts.
        folder: the folder, for the messages.

    Returns:
        Set of the folders' names.

    Raises:
        ValueError: images or other folders lie beside the splits, two folders are of one split, or
            splits lie deeper in the folder.
    """
    places = {name.rpartition("/")[0] for name in names}
    tops = {place.partition("/")[0] for place in places} - {""}
    splits = {top for top in tops if part_of(top)}
    others = tops - splits
    parts = {_part_like(top) for top in tops} - {None}
    if others and len(parts) > 1:
        raise ValueError(
            f"{folder}: expected no folders beside the splits train/, validation/ and test/, "
            f"found {_listed(tops)}. Move or rename what is no split, or pass one of these folders."
        )
    _check_deeper(places, folder)
    if others:
        if splits:
            warnings.warn(
                f"{folder}: {_listed(splits)} is taken for a class and not for a split, because "
                f"other folders lie beside it: {_listed(others)}.",
                stacklevel=2,
            )
        return set()
    for part in NAMES:
        twice = [top for top in splits if part_of(top) == part]
        if len(twice) > 1:
            raise ValueError(
                f"{folder}: expected one folder for the {part} split, found {_listed(twice)}."
            )
    loose = next((name for name in names if "/" not in name), None)
    if splits and loose is not None:
        raise ValueError(
            f"{os.path.join(folder, loose)}: expected every image in one of the splits "
            f"{_listed(splits)}, found this one beside them."
        )
    return splits


def _check_deeper(places, folder):
    """Refuse folders that are splits but do not lie where they would be seen."""
    found = {}
    for place in places:
        folders = place.split("/")
        for depth in range(1, len(folders)):
            part = _part_like(folders[depth])
            if part:
                found.setdefault("/".join(folders[:depth]), {})[part] = folders[depth]
    for above, parts in sorted(found.items()):
        if len(parts) > 1:
            raise ValueError(
                f"{folder}: expected splits right below it, found {_listed(parts.values())} in "
                f"{above}. Pass {os.path.join(folder, above)}, or move them up."
            )


def _part_like(name):
    """Return the part that a folder's name is or looks like, or None."""
    if name.lower() in _OTHER_NAMES:
        return "evaluation"
    found = part_of(name)
    if found is None and (match := _LIKE.fullmatch(name.lower())):
        found = _PARTS[match[1]]
    return found


def _listed(names):
    names = sorted(names)
    return ", ".join(f"{name}/" for name in names[:6]) + (", ..." if len(names) > 6 else "")
