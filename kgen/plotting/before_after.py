"""What images were and what became of them, side by side."""

import numbers

import numpy as np

from kgen.core.ranges import check_image_range
from kgen.plotting.grid import png_path, tiled, write_png
from kgen.plotting.pixels import to_uint8


def before_after(inputs, outputs, targets=None, path=None, count=8, clip=False):
    """Show translated images: one row an example, its input, its output and its target.

    Images may differ in size from column to column: the smaller are enlarged to the largest by
    repeating pixels. Of 2 or 4 channels the last, the mask of what is missing, is left out.

    Args:
        inputs: float array or tensor `(n, height, width, channels)` in [-1, 1], channels 1 to 4.
        outputs: the same of what became of them.
        targets: the same of what should have, or None.
        path: a file, ending in .png, that the picture is written to, enlarged to be legible; its
            folder is made if need be. None to write nothing.
        count: how many examples at most; the first.
        clip: whether values beyond [-1, 1] are cut, as noise and models without a last tanh make
            them.

    Returns:
        uint8 array `(rows * (height + 1) + 1, columns * (width + 1) + 1, 3)`, with white lines
        around the images.

    Raises:
        ValueError: the arrays are not of this form, range or one length, or hold NaN, or `path` or
            `count` is not as described.

    Example:
        >>> import numpy as np
        >>> from kgen.plotting import before_after
        >>> small, large = np.zeros((5, 8, 8, 1)), np.zeros((5, 16, 16, 1))
        >>> before_after(small, large, targets=large).shape
        (86, 52, 3)
    """
    is_count = isinstance(count, numbers.Integral) and not isinstance(count, bool) and count >= 1
    if not is_count:
        raise ValueError(f"count: expected an integer of at least 1, got {count!r}.")
    path = None if path is None else png_path(path)
    sides = {"inputs": inputs, "outputs": outputs}
    if targets is not None:
        sides["targets"] = targets
    pictures = [_coloured(name, images, count, clip) for name, images in sides.items()]
    lengths = {name: len(images) for name, images in sides.items()}
    for name, length in lengths.items():
        if length != lengths["inputs"]:
            raise ValueError(
                f"{name}: expected {lengths['inputs']} images, as many as inputs, got {length}."
            )
    size = np.max([images.shape[1:3] for images in pictures], axis=0)
    columns = [_enlarged(images, size) for images in pictures]
    rows = np.stack(columns, axis=1)  # (count, columns, height, width, 3)
    picture = tiled(rows.reshape(-1, *rows.shape[2:]), len(columns))
    if path is not None:
        write_png(picture, path)
    return picture


def _coloured(name, images, count, clip):
    """Return the first images as bytes `(count, height, width, 3)`."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 2, 3, 4) or 0 in images.shape:
        raise ValueError(
            f"{name}: expected the shape (n, height, width, channels) with 1 to 4 channels and at "
            f"least one image, got {images.shape}."
        )
    images = images[:count, ..., :-1] if images.shape[-1] % 2 == 0 else images[:count]
    try:
        pixels = to_uint8(images)
    except ValueError as error:  # to_uint8 calls them images.
        raise ValueError(f"{name}{str(error).removeprefix('images')}") from error
    if not clip:
        check_image_range(images, name)
    return np.broadcast_to(pixels, (*pixels.shape[:3], 3))


def _enlarged(images, size):
    """Return images of a size in pixels, each pixel repeated as often as it takes."""
    for axis, side in enumerate(size, start=1):
        places = (np.arange(side) + 0.5) * images.shape[axis] / side  # centres of the new pixels
        images = np.take(images, places.astype(int), axis=axis)
    return images
