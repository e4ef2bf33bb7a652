"""The one place where floats in [-1, 1] become bytes."""

import numpy as np


def to_uint8(images):
    """Turn floats in [-1, 1] into bytes in 0..255: clipped, then rounded.

    Args:
        images: float array or tensor of any shape; -1 is black and 1 is white.

    Returns:
        uint8 array of the same shape.

    Raises:
        ValueError: the values are no floats, or one is NaN.

    Example:
        >>> from kgen.plotting import to_uint8
        >>> to_uint8([-1.0, 0.0, 1.0, 3.0]).tolist()
        [0, 128, 255, 255]
    """
    images = np.asarray(images)
    if images.dtype.kind in "biucOSUMm":  # bfloat16 has a kind of its own, so floats are not listed
        raise ValueError(f"images: expected floats in [-1, 1], got {images.dtype}.")
    images = images.astype(np.float32)
    if np.isnan(images).any():
        raise ValueError(
            f"images: expected numbers in [-1, 1], got {np.isnan(images).sum()} NaN among "
            f"{images.size} values."
        )
    return np.rint((np.clip(images, -1.0, 1.0) + 1.0) * 127.5).astype(np.uint8)
