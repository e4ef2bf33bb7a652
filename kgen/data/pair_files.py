"""Pairs of images in files: two folders of the same names, or one file with both halves."""

import dataclasses
import functools
import os
from collections.abc import Sequence

import numpy as np

from kgen.data.decoding import common_shape, decode_file, open_image
from kgen.data.files import of_files
from kgen.data.fingerprint import of_files as of_all
from kgen.data.folder import Files, image_names, list_folder, split_names
from kgen.data.resizing import fit_image
from kgen.data.skipping import UnreadableFileError

SIDES = ("input_left", "input_right")


def two_folders(inputs, targets, request, skipped):
    """Return the pairs of images of the same names in two folders.

    Names are paths relative to each folder without their suffix. The split is decided by the
    names in common, by the rules of `kgen.data.folder.list_folder`.

    Args:
        inputs: `pathlib.Path` of the folder of inputs.
        targets: `pathlib.Path` of the folder of targets.
        request: `Request`.
        skipped: `SkippedFiles`.

    Returns:
        `Examples` of images `(2, height, width, channels)`: the input and the target.

    Raises:
        ValueError: a file has no partner, two have the same name, or one cannot be read.
    """
    skips = request.on_bad_file == "skip"
    sides = [_by_stem(folder, request.follow_links) for folder in (inputs, targets)]
    folders = (inputs, targets)
    for number, (side, other) in enumerate((sides, sides[::-1])):
        lonely = sorted(name for stem, name in side.items() if stem not in other)
        if lonely and not skips:
            raise ValueError(
                f"targets: expected images of the same names in {inputs} and {targets}, found "
                f"{os.path.join(folders[number], lonely[0])} without its partner "
                f"({len(lonely)} such files there)."
            )
        skipped.expect(len(lonely))
        for name in lonely:
            skipped.add(os.path.join(folders[number], name))
    stems = [stem for stem in sides[0] if stem in sides[1]]
    if not stems:
        raise ValueError(
            f"targets: expected images of the same names in {inputs} and {targets}, found none."
        )
    rows, _ = split_names([sides[0][stem] for stem in stems], request.split, inputs)
    chosen = [stems[row] for row in rows]
    files = _Pairs(
        *(
            Files(folder, [side[stem] for stem in chosen])
            for folder, side in zip(folders, sides, strict=True)
        )
    )
    hashed = functools.partial(of_all, files.inputs, files.targets)
    skipped.expect(2 * len(files))
    noted = skipped if skips else None
    every = _Chain(files.inputs, files.targets)
    size_and_channels = common_shape(every, request.image_size, request.channels, noted)
    if skipped.paths:
        files = [pair for pair in files if not any(path in skipped for path in pair)]

    def decode(pair, shape):
        return np.stack([decode_file(path, shape[1:]) for path in pair])

    rows = of_files(files, None, (2, *size_and_channels), noted, decode)
    return dataclasses.replace(rows, fingerprint=hashed)


def halves(folder, side_by_side, request, skipped):
    """Return the pairs of images whose left half is the one and whose right half the other.

    Args:
        folder: `pathlib.Path` of a folder of images of an even width.
        side_by_side: `"input_left"` or `"input_right"`.
        request: `Request`; `image_size` is that of a half.
        skipped: `SkippedFiles`.

    Returns:
        `Examples` of images `(2, height, width, channels)`: the input and the target.

    Raises:
        ValueError: a file has an odd width or cannot be read.
    """
    files, _ = list_folder(folder, request.split, request.follow_links)
    hashed = functools.partial(of_all, files)
    skipped.expect(len(files))
    noted = skipped if request.on_bad_file == "skip" else None
    height, width, channels = common_shape(files, request.image_size, request.channels, noted)
    if request.image_size is None:
        width //= 2
    files = [path for path in files if path not in skipped] if skipped.paths else files

    def decode(path, shape):
        image = open_image(path, channels)
        if image.width % 2:
            raise UnreadableFileError(path, f"its width, {image.width}, has no two halves")
        middle = image.width // 2
        parts = [image.crop((left, 0, left + middle, image.height)) for left in (0, middle)]
        if side_by_side == "input_right":
            parts.reverse()
        size = shape[1:3]
        return np.stack([np.asarray(fit_image(part, size)).reshape(shape[1:]) for part in parts])

    rows = of_files(files, None, (2, height, width, channels), noted, decode)
    return dataclasses.replace(rows, fingerprint=hashed)


class _Pairs(Sequence):
    """Pairs of files."""

    def __init__(self, inputs, targets):
        self.inputs, self.targets = inputs, targets

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, row):
        return self.inputs[row], self.targets[row]


class _Chain(Sequence):
    """The files of one sequence and then those of another as long."""

    def __init__(self, inputs, targets):
        self._inputs, self._targets = inputs, targets

    def __len__(self):
        return 2 * len(self._inputs)

    def __getitem__(self, row):
        side, row = divmod(row, len(self._inputs))
        return (self._targets if side else self._inputs)[row]


def _by_stem(folder, follow_links):
    """Return the names of the images of a folder by their paths without suffix, sorted."""
    names = {}
    for name in image_names(folder, follow_links):
        stem = os.path.splitext(name)[0]
        if stem in names:
            raise ValueError(
                f"{os.path.join(folder, name)}: expected one image of a name, found "
                f"{os.path.join(folder, names[stem])} too."
            )
        names[stem] = name
    return names
