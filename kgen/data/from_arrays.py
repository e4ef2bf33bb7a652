"""Arrays in memory as a stream."""

import dataclasses

import numpy as np

from kgen.core.ranges import check_image_range
from kgen.data import examples
from kgen.data.arguments import checked_count, checked_flag, checked_labels, checked_seed
from kgen.data.fingerprint import of_data
from kgen.data.pipeline import stream_of


def from_arrays(images, labels=None, batch_size=64, seed=0, shuffle=True, augmentations=None):
    """Return a stream of the rows of arrays, as `load` returns one of a source.

    Args:
        images: array `(n, ...)`, uint8 in 0..255, or floats: images and clips, of three or more
            dimensions, in [-1, 1]; rows of numbers in any units. Or a dictionary with such an
            array under `image`, and under `label` what `labels` are.
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

    Warns:
        UserWarning: images are bytes of 0 and 1 alone, or floats of at least 0.

    Example:
        >>> import numpy as np
        >>> import kgen.data
        >>> stream = kgen.data.from_arrays(np.zeros((100, 8, 8, 1), "uint8"), batch_size=10)
        >>> len(stream), stream.element_spec.shape
        (10, TensorShape([10, 8, 8, 1]))
    """
    images, labels = _named(images, labels)
    images = checked_images(images)
    labels = None if labels is None else _checked_labels(labels, len(images))
    rows = examples.of_array(images, labels)
    arrays = images if labels is None else (images, labels)
    rows = dataclasses.replace(rows, fingerprint=lambda: of_data(arrays))
    batch_size = checked_count("batch_size", batch_size)
    shuffle = checked_flag("shuffle", shuffle)
    return stream_of(rows, batch_size, checked_seed(seed), shuffle, augmentations, "images")


def _named(images, labels):
    """Return images and labels, of a dictionary those under `image` and `label`."""
    if not isinstance(images, dict):
        return images, labels
    if "image" not in images or (labels is not None and "label" in images):
        raise ValueError(
            "images: expected an array, or a dictionary with one under 'image' and no `labels` "
            f"beside its 'label', got a dictionary with {sorted(map(str, images))}."
        )
    return images["image"], images.get("label", labels)


def checked_images(images):
    """Return images as a uint8 or float32 array of at least one row."""
    images = _array("images", images)
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
    if images.ndim > 2:
        check_image_range(images)
    return images.astype(np.float32)


def _array(name, values):
    """Return values as an array, or refuse lists of several lengths."""
    try:
        return np.asarray(values)
    except ValueError as error:  # NumPy's goes on about sequences and dimensions.
        raise ValueError(
            f"{name}: expected an array, all of whose rows have one shape, got a "
            f"{type(values).__name__} of rows of several."
        ) from error


def _checked_labels(labels, count):
    """Return labels as an int32 array of as many rows."""
    labels = _array("labels", labels)
    if labels.dtype.kind not in "biu" or labels.ndim < 1 or len(labels) != count:
        raise ValueError(
            f"labels: expected integers of the shape ({count}, ...), one an example, got "
            f"{labels.dtype} of the shape {labels.shape}."
        )
    return checked_labels(labels, "labels")
