"""From rows of images to batches: the order, the batching and the one scaling to [-1, 1]."""

import math

import numpy as np
import tensorflow as tf

from kgen.data.decoding import decode_file, decode_files

# Bytes. Up to here pixels are held in one array in memory. It lies well below the 2 GiB that a
# TensorFlow graph can hold, for tf.distribute writes the array into one.
MEMORY_LIMIT = 2**30


def image_shape(dataset):
    """Return `(height, width, channels)` of the images that a dataset yields.

    Args:
        dataset: a `tf.data.Dataset` of images `(batch, height, width, channels)`, or of tuples
            whose first entry is such images.

    Raises:
        ValueError: the dataset yields something else.

    Example:
        >>> import kgen.data
        >>> kgen.data.image_shape(kgen.data.load("digits"))
        (8, 8, 1)
    """
    spec = getattr(dataset, "element_spec", None)
    images = spec[0] if isinstance(spec, tuple) and spec else spec
    shape = getattr(images, "shape", None)
    if shape is None or shape.rank != 4 or None in tuple(shape)[1:]:
        raise ValueError(
            "dataset: expected a tf.data.Dataset of images (batch, height, width, channels), "
            f"got {dataset!r}."
        )
    return tuple(shape)[1:]


def batches_of_files(paths, labels, shape, batch_size, shuffle_seed):
    """Stream image files, decoded once into memory where they fit and on the fly elsewhere.

    Args:
        paths: list of n image files of any sizes.
        labels: int32 array `(n,)`, or None.
        shape: `(height, width, channels)` to bring every image to, by scaling and cropping.
        batch_size: images a batch.
        shuffle_seed: integer that decides the order, or None for the given order.

    Returns:
        A `tf.data.Dataset` of float32 images `(batch_size, *shape)` in [-1, 1], or of
        `(images, labels)`.

    Raises:
        ValueError: a file cannot be read. Where pixels are not held, a
            `tf.errors.OpError` with the file's name ends the iteration instead.
    """
    if len(paths) * math.prod(shape) <= MEMORY_LIMIT:
        images = decode_files(paths, shape)
        return batches_of_array(images, labels, batch_size, shuffle_seed)

    def fetch(row):
        image = tf.numpy_function(
            lambda i: decode_file(paths[i], shape), [row], tf.uint8, stateful=False
        )
        return tf.ensure_shape(image, shape)

    order = row_order(len(paths), shuffle_seed)
    rows_and_images = order.map(
        lambda row: (row, fetch(row)), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    batches = rows_and_images.batch(batch_size, drop_remainder=True)
    return _finish(batches, labels)


def batches_of_array(images, labels, batch_size, shuffle_seed):
    """Stream the rows of an array.

    Args:
        images: array `(n, height, width, channels)`, uint8 in 0..255 or float32 in [-1, 1].
        labels: int32 array `(n,)`, or None.
        batch_size: images a batch.
        shuffle_seed: integer that decides the order, or None for the given order.

    Returns:
        A `tf.data.Dataset` of float32 images `(batch_size, height, width, channels)` in [-1, 1],
        or of `(images, labels)`.
    """
    if images.nbytes <= MEMORY_LIMIT:
        with tf.device("CPU:0"):  # tf.data runs there; a GPU would copy every batch back
            held = tf.constant(images)

        def fetch(rows):
            return tf.gather(held, rows)
    else:

        def fetch(rows):
            batch = tf.numpy_function(
                lambda i: images[i], [rows], tf.as_dtype(images.dtype), stateful=False
            )
            return tf.ensure_shape(batch, (batch_size, *images.shape[1:]))

    order = row_order(len(images), shuffle_seed).batch(batch_size, drop_remainder=True)
    batches = order.map(
        lambda rows: (rows, fetch(rows)), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return _finish(batches, labels)


def row_order(count, shuffle_seed):
    """Return a dataset of the row numbers 0..count - 1, in a new order each pass.

    Args:
        count: number of rows.
        shuffle_seed: integer that alone decides the orders, or None for 0, 1, 2 ...

    Returns:
        A `tf.data.Dataset` of int64 scalars.
    """
    rows = tf.data.Dataset.range(count)
    if shuffle_seed is None:
        return rows
    # Dataset.shuffle mixes tf.random.set_seed into its own seed; the op beneath it does not.
    with tf.device("CPU:0"):
        shuffled = tf.raw_ops.ShuffleDatasetV3(
            input_dataset=tf.data.experimental.to_variant(rows),
            buffer_size=count,
            seed=shuffle_seed,
            seed2=1,  # (0, 0) would mean a random seed
            seed_generator=tf.raw_ops.DummySeedGenerator(),
            output_types=[tf.int64],
            output_shapes=[[]],
            reshuffle_each_iteration=True,
        )
    return tf.data.experimental.from_variant(shuffled, rows.element_spec)


def to_unit_range(images):
    """Scale uint8 images in 0..255 to float32 in [-1, 1]; floats stay as they are."""
    if images.dtype != tf.uint8:
        return images
    return tf.cast(images, tf.float32) / 127.5 - 1.0


def _finish(batches, labels):
    """Scale the images of `(rows, images)` batches and replace the rows by their labels."""
    if labels is None:
        batches = batches.map(lambda rows, images: to_unit_range(images))
    else:
        with tf.device("CPU:0"):
            held = tf.constant(np.asarray(labels, np.int32))
        batches = batches.map(lambda rows, images: (to_unit_range(images), tf.gather(held, rows)))
    return batches.prefetch(tf.data.AUTOTUNE)
