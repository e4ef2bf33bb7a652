"""Many images tiled into one picture."""

import math
import numbers
import pathlib

import numpy as np

from kgen.core.ranges import check_image_range
from kgen.core.whole_file import replacing
from kgen.plotting.pixels import to_uint8

# Between these the longer side of a saved grid is.
LEGIBLE_PIXELS = 512
MOST_PIXELS = 4096


def image_grid(images, columns=None, padding=1, clip=False):
    """Tile images row by row into one picture, with white lines around them.

    Args:
        images: float array or tensor `(n, height, width, channels)` in [-1, 1], channels 1 or 3.
        columns: images a row; None for a grid as square as can be.
        padding: pixels between the images and around them.
        clip: whether values beyond [-1, 1] are cut, as models without a last tanh make them.

    Returns:
        uint8 array `(rows * (height + padding) + padding, columns * (width + padding) + padding,
        3)`. Cells left over are white.

    Raises:
        ValueError: `images` has another shape or range, holds NaN or no image, or `columns` or
            `padding` is no such number.

    Example:
        >>> import numpy as np
        >>> from kgen.plotting import image_grid
        >>> image_grid(np.zeros((6, 28, 28, 1)), columns=3).shape
        (59, 88, 3)
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise ValueError(
            "images: expected the shape (n, height, width, channels) with 1 or 3 channels and at "
            f"least one image, got {images.shape}."
        )
    columns = math.ceil(math.sqrt(len(images))) if columns is None else columns
    _check_integer("columns", columns, 1)
    _check_integer("padding", padding, 0)
    # Image by image, as the floats of large ones take four times their memory on the way.
    pixels = [to_uint8(image) for image in images]
    if not clip:
        check_image_range(images)
    return tiled(pixels, columns, padding)


def tiled(images, columns, padding=1):
    """Tile bytes `(n, height, width, channels)`, channels 1 or 3, as `image_grid` does floats."""
    height, width, _ = images[0].shape
    rows = math.ceil(len(images) / columns)
    shape = (rows * (height + padding) + padding, columns * (width + padding) + padding, 3)
    grid = np.full(shape, 255, np.uint8)
    for index, image in enumerate(images):
        top = padding + index // columns * (height + padding)
        left = padding + index % columns * (width + padding)
        grid[top : top + height, left : left + width] = image  # grey spreads over the 3 channels
    return grid


def save_grid(images, path, columns=None, scale=None, clip=False, row_names=None):
    """Write images tiled into one PNG file, enlarged to be legible or scaled down to be of use.

    Args:
        images: float array or tensor `(n, height, width, channels)` in [-1, 1], channels 1 or 3.
        path: the file, ending in .png; its folder is made if need be.
        columns: images a row; None for a grid as square as can be.
        scale: pixels of the file a pixel of the grid, an integer. None for the smallest with
            which the longer side has at least 512 pixels; where it has more than 4,096, for the
            means of squares of the fewest pixels with which it has no more.
        clip: as of `image_grid`.
        row_names: list of what is written to the left of each row, such as names of classes; None
            for nothing.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: as for `image_grid`, or for `path` or `scale`.

    Example:
        >>> import numpy as np, tempfile
        >>> from kgen.plotting import save_grid
        >>> save_grid(np.zeros((4, 8, 8, 3)), tempfile.mkdtemp() + "/grid.png").name
        'grid.png'
    """
    path = png_path(path)
    grid = image_grid(images, columns, clip=clip)
    if scale is not None:
        _check_integer("scale", scale, 1)
    if row_names is not None:
        per_row = math.ceil(math.sqrt(len(images))) if columns is None else columns
        rows = math.ceil(len(images) / per_row)
        if len(row_names) != rows:
            raise ValueError(f"row_names: expected {rows}, one a row, got {row_names!r}.")
    return write_png(grid, path, scale, row_names)


def png_path(path):
    """Return the `pathlib.Path` of a file that ends in .png, or refuse it."""
    path = pathlib.Path(path).expanduser()
    if path.suffix.lower() != ".png":
        raise ValueError(f"path: expected a file name that ends in .png, got {path}.")
    return path


def write_png(picture, path, scale=None, row_names=None):
    """Write bytes `(height, width, 3)` to a path, each pixel as a square of `scale` pixels.

    Without a `scale` it is as `save_grid` says. The file is whole, or what it was before.

    Returns:
        The path.
    """
    from PIL import Image

    height, width, _ = picture.shape
    image, longer = Image.fromarray(picture), max(height, width)
    if scale is None and longer > MOST_PIXELS:
        image = image.reduce(math.ceil(longer / MOST_PIXELS))
    else:
        scale = math.ceil(LEGIBLE_PIXELS / longer) if scale is None else scale
        image = image.resize((width * scale, height * scale), Image.Resampling.NEAREST)
    if row_names is not None:
        image = _beside_names(image, row_names)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        image.save(partial, format="PNG")
    return path


def _beside_names(image, names):
    """Return a picture with a name to the left of each of its rows, which are equally high."""
    from PIL import Image, ImageDraw, ImageFont

    row = image.height / len(names)
    font = ImageFont.load_default(size=min(24.0, max(8.0, row / 2)))
    margin = 8 + math.ceil(max(font.getlength(str(name)) for name in names)) + 8
    wide = Image.new("RGB", (margin + image.width, image.height), "white")
    wide.paste(image, (margin, 0))
    draw = ImageDraw.Draw(wide)
    for number, name in enumerate(names):
        place = (margin - 8, (number + 0.5) * row)
        draw.text(place, str(name), fill="black", font=font, anchor="rm")
    return wide


def _check_integer(name, value, least):
    """Refuse a value that is no integer of at least `least`."""
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_integer or value < least:
        raise ValueError(f"{name}: expected an integer of at least {least}, got {value!r}.")
