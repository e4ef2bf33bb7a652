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
# No names of splits here, but of some elsewhere.
_LIKE_PARTS = _PARTS | {"trainval": "train", "trn": "train", "tst": "test"}
_LIKE_PARTS |= dict.fromkeys(("eval", "evaluation", "holdout", "held_out", "heldout"), "evaluation")
_WORDS = "|".join(sorted(_LIKE_PARTS, key=len, reverse=True))
# As train2017, trainA, test_images and "val set" are; and not as train_station is.
_LIKE = re.compile(
    rf"({_WORDS})([ _.-]?(\d+(x\d+)?|[abxy]|[hl]r|sets?|dataset|split|part|full|folder|data"
    r"|samples?|images?|imgs?|photos?|pictures?|frames?|masks?|labels?))?"
)
_LIKE_AT_THE_END = re.compile(rf".+[ _.-]({_WORDS})")  # As seg_train is, and a bullet_train.
_WITHIN = re.compile(rf"(?<![a-z])({_WORDS})(?![a-z])")


def part_of(folder):
    """Return the part that a folder of that name holds, or None."""
    return _PARTS.get(folder.lower())


def split_folders(names, folder):
    """Return the first folders of files if they are splits, else an empty set.

    Warns where one that looks like a split lies among others that do not: then all are classes.

    Args:
        names: paths relative to the folder, with `/` between their parts.
        folder: the folder, for the messages.

    Returns:
        Set of the folders' names.

    Raises:
        ValueError: images or other folders lie beside the splits, two folders are of one split or
            look like splits, or splits lie deeper in the folder.
    """
    places = {name.rpartition("/")[0] for name in names}
    tops = {place.partition("/")[0] for place in places} - {""}
    splits = {top for top in tops if part_of(top)}
    others = tops - splits
    if others and _seem_splits(tops):
        raise ValueError(
            f"{folder}: expected no folders beside the splits train/, validation/ and test/, "
            f"found {_listed(tops)}. Give splits these names, move or rename what is no split, or "
            "pass one of these folders."
        )
    _check_deeper(places, folder)
    if others:
        doubtful = {top for top in tops if _part_like(top)}
        if doubtful:
            beside = others - doubtful
            found = f", found {_listed(beside)}" if beside else ""
            warnings.warn(
                f"{folder}: {_listed(doubtful)} is taken for a class and not for a split, because "
                "splits are called train/, validation/ and test/ and have no other folders beside "
                f"them{found}.",
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
            found.setdefault("/".join(folders[:depth]), set()).add(folders[depth])
    for above, names in sorted(found.items()):
        if _seem_splits(names):
            raise ValueError(
                f"{folder}: expected splits right below it, found "
                f"{_listed(filter(_part_like, names))} in {above}. Pass "
                f"{os.path.join(folder, above)}, or move them up."
            )


def _seem_splits(names):
    """Return whether two of the folders beside each other look like splits.

    Two that begin as splits do, or two whose parts differ; of one part, a steam_train and a
    bullet_train are none.
    """
    parts = [_part_like(name) for name in names]
    if len(set(parts) - {None}) > 1:
        return True
    if sum(bool(_LIKE.fullmatch(_in_words(name))) for name in names) > 1:
        return True
    # As DIV2K_train_HR and DIV2K_valid_HR are: but for the part they are the same.
    found = {}
    for name in names:
        if match := _WITHIN.search(words := _in_words(name)):
            found.setdefault(_WITHIN.sub("*", words), set()).add(_LIKE_PARTS[match[1]])
    return any(len(alike) > 1 for alike in found.values())


def _part_like(name):
    """Return the part that a folder's name is or looks like, or None."""
    words = _in_words(name)
    match = _LIKE.fullmatch(words) or _LIKE_AT_THE_END.fullmatch(words)
    return _LIKE_PARTS[match[1]] if match else None


def _in_words(name):
    """Return the name in lower case, with `_` before what capitals began: of trainA train_a."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "" if part_of(name) else "_", name).lower()


def _listed(names):
    names = sorted(names)
    return ", ".join(f"{name}/" for name in names[:6]) + (", ..." if len(names) > 6 else "")
