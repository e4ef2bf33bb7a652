"""From numbered examples to batches: the order, the fetching and the augmentations."""

import dataclasses
import functools
import math

import tensorflow as tf

from kgen.core.averaged import averaged
from kgen.data import examples, fingerprint
from kgen.data.arguments import check_batch_fits
from kgen.data.augmentation import augmenter
from kgen.data.decoding import common_shape
from kgen.data.files import of_files
from kgen.data.order import rows_at
from kgen.data.registry import read_rows
from kgen.data.resizing import fit_array
from kgen.data.splitting import is_for_training
from kgen.data.stream import Stream, as_written

# Bytes of large images, as floats, that are made at a time where they are to be shrunk.
SHRUNK_TOGETHER = 2**25


def image_shape(dataset):
    """Return `(height, width, channels)` of the images that a dataset yields.

    Args:
        dataset: a `tf.data.Dataset` of images `(batch, height, width, channels)`, of tuples
            whose first entry is such images, as `(images, labels)` and `(inputs, targets)`, or of
            dictionaries with such images under `image`.

    Raises:
        ValueError: the dataset yields something else.

    Example:
        >>> import kgen.data
        >>> kgen.data.image_shape(kgen.data.load("digits"))
        (8, 8, 1)
    """
    spec = getattr(dataset, "element_spec", None)
    images = spec[0] if isinstance(spec, tuple) and spec else spec
    images = images.get("image") if isinstance(images, dict) else images
    shape = getattr(images, "shape", None)
    if shape is None or shape.rank != 4 or None in tuple(shape)[1:]:
        raise ValueError(
            "dataset: expected a tf.data.Dataset of images (batch, height, width, channels), "
            f"got {dataset!r}."
        )
    return tuple(shape)[1:]


def read_examples(name_or_path, request, skipped):
    """Read the examples of a source, brought to the size and the channels asked for.

    Args:
        name_or_path: as of `kgen.data.load`.
        request: `Request`.
        skipped: `SkippedFiles` to note files in if the request says so.

    Returns:
        `Examples`.

    Raises:
        ValueError: there is no such source, it takes no such argument, or it cannot be read.
    """
    rows = read_rows(name_or_path, request)
    found = _examples(rows, request, skipped)
    of_found = functools.partial(fingerprint.of_rows, name_or_path, request, rows)
    return dataclasses.replace(found, fingerprint=of_found)


def _examples(rows, request, skipped):
    if callable(rows.examples):
        return examples.of_function(rows)
    if hasattr(rows.examples, "dtype"):
        fitted = fit_array(rows.examples, request.image_size, request.channels)
        return examples.of_array(fitted, rows.labels)
    skipped.expect(len(rows.examples))
    noted = skipped if request.on_bad_file == "skip" else None
    shape = common_shape(rows.examples, request.image_size, request.channels, noted)
    paths, labels = _without_skipped(rows.examples, rows.labels, skipped)
    return of_files(paths, labels, shape, noted)


def check_split_augmented(split, augmentations):
    """Refuse augmentations of images that are not trained on."""
    if augmentations and not is_for_training(split):
        raise ValueError(
            f"augmentations: expected None for split={split!r}, whose images are never changed, "
            f"got {augmentations!r}."
        )


def _without_skipped(paths, labels, skipped):
    """Leave out the rows of files whose headers could not be read."""
    if not skipped.paths:
        return paths, labels
    kept = [row for row, path in enumerate(paths) if path not in skipped]
    return [paths[row] for row in kept], None if labels is None else labels[kept]


def stream_of(rows, batch_size, seed, shuffle, augmentations=None, where="the set", skipped=None):
    """Return the stream of the batches of a set.

    Args:
        rows: `Examples`.
        batch_size: examples a batch.
        seed: integer of 64 bits from which orders and augmentations come.
        shuffle: whether every pass has an order of its own, or all have the given one.
        augmentations: as of `kgen.data.load`.
        where: the name of the set, for error messages.
        skipped: `SkippedFiles`, or None.

    Returns:
        `Stream` of float32 examples `(batch_size, ...)`, or of `(examples, labels)` if there are
        labels.

    Raises:
        ValueError: the batch is larger than the set, or an augmentation is none.
    """
    check_batch_fits(batch_size, rows.count, where)
    batch_at = batches_of(rows, batch_size, seed, shuffle, augmentations)
    steps = rows.count // batch_size
    is_of_images = len(rows.shape) == 3
    return Stream(
        batch_at,
        steps,
        skipped and skipped.paths,
        rows.fingerprint,
        shrunk_at=batch_at if is_of_images else None,
    )


def batches_of(rows, batch_size, seed, shuffle, augmentations):
    """Return the function from a step to the batch of that number; arguments as of `stream_of`.

    With a `factor` the images are `averaged`, few of them at a time where they are large.
    """
    augment = augmenter(augmentations, rows.shape, seed)

    @as_written
    def batch_at(step, factor=1):
        numbers = rows_at(step, rows.count, batch_size, seed if shuffle else None)
        together = batch_size if factor == 1 else _rows_together(rows.shape)
        parts = []
        for first in range(0, batch_size, together):
            places = range(first, min(first + together, batch_size))
            with tf.control_dependencies(parts[-1] if parts else []):  # One after the other.
                images, *labels = rows.fetch(numbers[places.start : places.stop])
                parts.append((averaged(augment(images, step, places), factor), *labels))
        batch = tuple(tf.concat(part, 0) for part in zip(*parts, strict=True))
        return batch if len(batch) > 1 else batch[0]

    return batch_at


def _rows_together(shape):
    """How many images of a shape are made at a time in order to be shrunk."""
    return max(1, SHRUNK_TOGETHER // (4 * math.prod(shape)))
