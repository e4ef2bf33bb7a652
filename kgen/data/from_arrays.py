"""Arrays in memory as a stream."""

import numpy as np

from kgen.data import examples
from kgen.data.arguments import checked_count, checked_flag, checked_seed
from kgen.data.pipeline import stream_of


def from_arrays(images, labels=None, batch_size=64, seed=0, shuffle=True, augmentations=None):
    """Return a stream of the rows of arrays, as `load` returns one of a source.

    Args:
        images: array `(n, ...)`, uint8 in 0..255, or floats: images and clips, of three or more
            dimensions, in [-1, 1]; rows of numbers in any units.
        labels: integer array `(n, ...)`, or None.
        batch_size: examples a batch. The remainder that fills no batch is dropped.
        seed: integer of 64 bits that alone decides orders and augmentations.
        shuffle: whether every pass has an order of its own, or all have the given one.
        augmentations: as of `load`.

    Returns:
        `Stream` of float32 `(batch_size, ...)`, bytes scaled to [-1, 1]; with labels of pairs of
        these and int32 labels `(batch_size, ...)`.

    Raises:
        ValueError: an argument is not as described.

    Example:
        >>> import numpy as np
        >>> import kgen.data
        >>> stream = kgen.data.from_arrays(np.zeros((100, 8, 8, 1), "uint8"), batch_size=10)
        >>> len(stream), stream.element_spec.shape
        (10, TensorShape([10, 8, 8, 1]))
    """
    images = checked_images(images)
    labels = None if labels is None else _checked_labels(labels, len(images))
    rows = examples.of_array(images, labels)
    batch_size = checked_count("batch_size", batch_size)
    shuffle = checked_flag("shuffle", shuffle)
    return stream_of(rows, batch_size, checked_seed(seed), shuffle, augmentations, "images")


def checked_images(images):
    """Return images as a uint8 or float32 array of at least one row."""
    images = np.asarray(images)
    if images.ndim < 1 or 0 in images.shape or images.dtype.kind not in "uf":
        raise ValueError(
            "images: expected an array (n, ...) of uint8 or floats with n at least 1, got "
            f"{images.dtype} of the shape {images.shape}."
        )
    if images.dtype.kind == "u":
        if images.dtype != np.uint8:
            raise ValueError(f"images: expected uint8 or floats, got {images.dtype}.")
        return images
    least, most = float(images.min()), float(images.max())  # NaN shows in both.
    if not np.isfinite([least, most]).all():
        raise ValueError("images: expected finite values, found NaN or infinity.")
    if images.ndim > 2 and not -1.0 <= least <= most <= 1.0:
        raise ValueError(
            f"images: expected floats in [-1, 1] or uint8 in 0..255, found floats in "
            f"[{least}, {most}]."
        )
    return images.astype(np.float32)


def _checked_labels(labels, count):
    """Return labels as an int32 array of as many rows."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "biu" or labels.ndim < 1 or len(labels) != count:
        raise ValueError(
            f"labels: expected integers of the shape ({count}, ...), one an example, got "
            f"{labels.dtype} of the shape {labels.shape}."
        )
    return labels.astype(np.int32)
