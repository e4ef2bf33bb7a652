"""Examples by their numbers, as TensorFlow fetches them: from memory, or made when asked for."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from kgen.core import engine
from kgen.data.bits import warn_of_bits

# Bytes. Up to here examples are held in one array in memory. It lies well below the 2 GiB that a
# TensorFlow graph can hold, for tf.distribute writes the array into one.
MEMORY_LIMIT = 2**30


@dataclasses.dataclass(frozen=True)
class Examples:
    """Numbered examples.

    Attributes:
        count: number of rows.
        shape: shape of one example.
        fetch: function from rows, int64 tensor `(k,)`, to a tuple: the examples, float32
            `(k, *shape)`, images in [-1, 1]; and, if `has_labels`, the labels, int32 `(k, ...)`.
        has_labels: whether there are labels.
        fingerprint: function to the hash of the examples, or None.
    """

    count: int
    shape: tuple[int, ...]
    fetch: Callable
    has_labels: bool
    fingerprint: Callable | None = None

    def without_labels(self):
        """Return the same examples alone."""
        return dataclasses.replace(self, fetch=lambda rows: self.fetch(rows)[:1], has_labels=False)


def of_array(images, labels=None):
    """Return the rows of an array, held by TensorFlow up to `MEMORY_LIMIT`.

    Args:
        images: array `(n, ...)`, uint8 in 0..255 or float32.
        labels: int32 array `(n, ...)`, or None.

    Warns:
        UserWarning: the largest byte is 1.
    """
    warn_of_bits(images)
    held_labels = None if labels is None else held(np.asarray(labels, np.int32))
    shape = tuple(images.shape[1:])
    stored = held(images) if images.nbytes <= MEMORY_LIMIT else None

    def fetch(rows):
        if stored is not None:
            batch = tf.gather(stored, rows)
        else:
            (batch,) = call_numpy(lambda i: (images[i],), rows, [(images.dtype, shape)])
        batch = to_unit_range(batch)
        return (batch,) if labels is None else (batch, tf.gather(held_labels, rows))

    return Examples(len(images), shape, fetch, labels is not None)


def of_function(rows_of):
    """Return the examples of a `Rows` whose examples are a function of their numbers."""
    labels = rows_of.labels
    kinds = [(rows_of.dtype, tuple(rows_of.shape))]
    held_labels = None
    if callable(labels):
        kinds.append(("int32", tuple(rows_of.label_shape)))
    elif labels is not None:
        held_labels = held(np.asarray(labels, np.int32))

    def make(rows):
        return (rows_of.examples(rows), *((labels(rows),) if callable(labels) else ()))

    def fetch(rows):
        batch, *more = call_numpy(make, rows, kinds)
        more = more if held_labels is None else [tf.gather(held_labels, rows)]
        return (to_unit_range(batch), *more)

    return Examples(int(rows_of.count), tuple(rows_of.shape), fetch, labels is not None)


def call_numpy(function, rows, kinds):
    """Call a NumPy function of row numbers from a TensorFlow graph.

    Args:
        function: from an int64 array `(k,)` to a tuple of arrays `(k, ...)`.
        rows: int64 tensor `(k,)`.
        kinds: for every array its dtype and the shape of one row.

    Returns:
        List of tensors of known shapes.
    """

    def typed(numbers):
        arrays = function(numbers)
        return [np.asarray(array, dtype) for array, (dtype, _) in zip(arrays, kinds, strict=True)]

    types = [tf.as_dtype(dtype) for dtype, _ in kinds]
    tensors = engine.python_calls(typed, [rows], types)
    return [
        tf.ensure_shape(tensor, (*rows.shape, *shape))
        for tensor, (_, shape) in zip(tensors, kinds, strict=True)
    ]


def to_unit_range(images):
    """Scale uint8 images in 0..255 to float32 in [-1, 1]; floats stay as they are."""
    if images.dtype != tf.uint8:
        return images
    return tf.cast(images, tf.float32) / 127.5 - 1.0


def held(array):
    """Return an array as a tensor of the CPU: tf.data runs there, a GPU would copy each batch."""
    with tf.device("CPU:0"):
        return tf.constant(array)
