"""Examples in image files: decoded once into memory where they fit, else when asked for."""

import math

import numpy as np
import tensorflow as tf

from kgen.data import examples
from kgen.data.bits import warn_of_bits, warn_of_bits_in_files
from kgen.data.decoding import decode_file, in_threads
from kgen.data.skipping import UnreadableFileError

# Files. Beyond so many, decoding them all before the first batch would take minutes.
HELD_FILES = 50_000


def of_files(files, labels, shape, skipped=None, decode=decode_file):
    """Return the examples that files hold.

    Args:
        files: sequence of n files; whatever `decode` takes.
        labels: int32 array `(n,)`, or None.
        shape: shape of one example, as `decode` takes it.
        skipped: `SkippedFiles` to note files in that cannot be read, or None to refuse them. In
            memory, their rows are left out before the rows are numbered; beyond, the next row that
            can be read stands in for such a row.
        decode: function from a file and `shape` to a uint8 array of that shape, which raises
            `UnreadableFileError`.

    Returns:
        `Examples`.

    Raises:
        ValueError: a file cannot be read, or with `skipped` none can. Where pixels are not held it
            ends the iteration, of datasets that others make of these as a `tf.errors.OpError`.
    """
    if len(files) <= HELD_FILES and len(files) * math.prod(shape) <= examples.MEMORY_LIMIT:
        images, kept = _decode_all(files, shape, skipped, decode)
        warn_of_bits_in_files(images, (files[row] for row in kept))
        return examples.of_array(images, None if labels is None else labels[kept])
    held_labels, looked_at = None if labels is None else examples.held(labels), []
    if skipped is not None:
        _next_readable(files, 0, shape, skipped, decode)  # Refused now if none can be read.

    def read(rows):
        found = [_next_readable(files, row, shape, skipped, decode) for row in rows.tolist()]
        images = np.stack([image for image, _ in found])
        if not looked_at:  # The first batch stands for all: nobody has seen them together.
            looked_at.append(True)
            warn_of_bits(images)
            warn_of_bits_in_files(images, (files[row] for _, row in found))
        return images, np.array([row for _, row in found])

    def fetch(rows):
        images, used = examples.call_numpy(read, rows, [("uint8", shape), ("int64", ())])
        images = examples.to_unit_range(images)
        return (images,) if labels is None else (images, tf.gather(held_labels, used))

    return examples.Examples(len(files), tuple(shape), fetch, labels is not None)


def _decode_all(files, shape, skipped, decode):
    """Return the images of all files that can be read, and their rows."""
    images = np.empty((len(files), *shape), np.uint8)

    def read(row):
        try:
            images[row] = decode(files[row], shape)
        except UnreadableFileError as error:
            if skipped is None:
                raise
            return error.path
        return None

    bad = in_threads(read, range(len(files)))
    kept = np.array([row for row, path in enumerate(bad) if path is None], np.int64)
    if len(kept) == len(files):
        return images, kept
    for path in filter(None, bad):
        skipped.add(path)
    if not len(kept):
        raise _none_readable(files, skipped)
    return images[kept], kept


def _next_readable(files, row, shape, skipped, decode):
    """Return the image of the first row from one on that can be read, and that row."""
    for distance in range(len(files)):
        used = (row + distance) % len(files)
        try:
            return decode(files[used], shape), used
        except UnreadableFileError as error:
            if skipped is None:
                raise
            skipped.add(error.path, announce=True)
    raise _none_readable(files, skipped)


def _none_readable(files, skipped):
    return ValueError(
        f"on_bad_file: expected 'skip' to leave an image, but none of {len(files)} can be read; "
        f"the first is {skipped.paths[0]}."
    )
