"""Images at their places in the plane."""

import numbers

import numpy as np

from kgen.core.ranges import check_image_range
from kgen.plotting.grid import png_path, write_png
from kgen.plotting.pixels import to_uint8

# Of the classes 0, 1, 2 ..., as far apart as ten colours can be; the eleventh class has the first.
COLOURS = np.array(
    [
        (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189),
        (140, 86, 75), (227, 119, 194), (127, 127, 127), (188, 189, 34), (23, 190, 207),
    ],
    np.uint8,
)  # fmt: skip


def image_map(images, places, path=None, labels=None, cells=32, clip=False):
    """Show images at their places in the plane, none over another.

    The plane is divided into cells of the size of an image. A cell shows of the images in it the
    one that is nearest to its centre, and others are left out; one without any is white.

    Args:
        images: float array or tensor `(n, height, width, channels)` in [-1, 1], channels 1 or 3.
        places: array `(n, 2)`: the first coordinate grows to the right, the second upwards, both on
            one scale.
        path: a file, ending in .png, that the picture is written to; its folder is made if need be.
            None to write nothing.
        labels: integers `(n,)` from 0, the classes, which a frame's colour tells; None for no
            frames.
        cells: cells along the longer side.
        clip: as of `image_grid`.

    Returns:
        uint8 array `(rows * height, columns * width, 3)`.

    Raises:
        ValueError: the arrays are not of this form, range or one length, or hold NaN, or `path` or
            `cells` is not as described.

    Example:
        >>> import numpy as np
        >>> from kgen.plotting import image_map
        >>> image_map(np.zeros((3, 8, 8, 1)), [[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]], cells=3).shape
        (16, 24, 3)
    """
    images, places = np.asarray(images), np.asarray(places, np.float64)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise ValueError(
            "images: expected the shape (n, height, width, channels) with 1 or 3 channels and at "
            f"least one image, got {images.shape}."
        )
    if places.shape != (len(images), 2) or not np.isfinite(places).all():
        raise ValueError(
            f"places: expected finite numbers of the shape {(len(images), 2)}, got an array of "
            f"{places.shape}."
        )
    if not isinstance(cells, numbers.Integral) or isinstance(cells, bool) or cells < 1:
        raise ValueError(f"cells: expected an integer of at least 1, got {cells!r}.")
    path = None if path is None else png_path(path)
    pixels = to_uint8(images)
    if not clip:
        check_image_range(images)
    pixels = np.array(np.broadcast_to(pixels, (*pixels.shape[:3], 3)))
    if labels is not None:
        _frame(pixels, labels)

    height, width = pixels.shape[1:3]
    lowest, spans = places.min(axis=0), np.ptp(places, axis=0)
    side = max(spans.max(), 1e-12) / cells * (1.0 + 1e-9)  # All places are in a cell.
    columns, rows = (max(1, int(np.ceil(span / side))) for span in spans)
    inside = (places - lowest) / side
    cell = np.minimum(inside.astype(int), [columns - 1, rows - 1])
    distances = np.linalg.norm(inside - cell - 0.5, axis=1)
    picture = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for index in np.argsort(-distances, kind="stable"):  # The nearest comes last.
        column, row = cell[index]
        top, left = (rows - 1 - row) * height, column * width
        picture[top : top + height, left : left + width] = pixels[index]
    if path is not None:
        write_png(picture, path)
    return picture


def _frame(pixels, labels):
    """Draw around each image a line of its class's colour, a fourteenth of its side thick."""
    labels = np.asarray(labels)
    if labels.shape != pixels.shape[:1] or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(
            f"labels: expected integers from 0 of the shape {pixels.shape[:1]}, got "
            f"{labels.dtype} of {labels.shape}."
        )
    colours = COLOURS[labels % len(COLOURS)][:, None, None]
    line = max(1, round(min(pixels.shape[1:3]) / 14))
    pixels[:, :line] = pixels[:, -line:] = colours
    pixels[:, :, :line] = pixels[:, :, -line:] = colours
