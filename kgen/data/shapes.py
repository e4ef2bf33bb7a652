"""Squares, ellipses and hearts whose every factor is known: a test of disentanglement."""

import numpy as np

from kgen.data.rows import Rows
from kgen.data.splitting import PARTS, parts_of

# The factors of an image and how many classes each has, in the order of a label.
FACTORS = {"shape": 3, "scale": 6, "rotation": 40, "x": 32, "y": 32}

_SIZES = tuple(FACTORS.values())
_SCALES = np.linspace(0.5, 1.0, FACTORS["scale"])
_PLACES = np.linspace(0.0, 1.0, FACTORS["x"])
# The last rotation, by 2 pi, is written as the first, so that the two are equal to the last bit.
_ANGLES = 2.0 * np.pi * (np.arange(FACTORS["rotation"]) % 39) / 39
_COSINES, _SINES = np.cos(_ANGLES), np.sin(_ANGLES)


def shapes(request):
    """Draw the 737,280 white shapes on black of the layout of dSprites.

    Matthey, Higgins, Hassabis and Lerchner (2017), "dSprites: disentanglement testing sprites
    dataset": 3 shapes (square, ellipse, heart), 6 scales from 0.5 to 1, 40 rotations from 0 to
    2 pi (clockwise), and 32 places from 0 to 1 along x (left to right) and along y (top to bottom),
    all in equal steps; binary images. Rotation 39 is rotation 0 again, as there.

    A shape of scale 1 touches the circle about its centre whose diameter is half the shorter side,
    and centres go as far as that circle stays inside: no shape is ever cut off. At 64x64 a step
    along x or y is 1.03 pixels, and but for rotation 39 only 0.3 percent of the images, squares a
    quarter turn apart, look exactly like another; at smaller sizes more neighbours do.

    The test split is every tenth image of a fixed random order, and the validation split the one
    before it, rotation 39 together with 0. Each split has a fixed order too, and `seed` plays no
    part.

    Differs from the paper: the shapes are drawn here, so pixels are not those of dSprites.

    Args:
        request: `Request`; `split`, `image_size` (64x64; any other, square or not), `channels` (1)
            and `length` (all; fewer are the first of the order) count.

    Returns:
        `Rows` of uint8 images `(height, width, channels)` of 0 and 255, and of int32 labels `(5,)`:
        the classes of `FACTORS`.

    Raises:
        ValueError: `length` is larger than the split.

    Example:
        >>> from kgen.data.rows import Request
        >>> from kgen.data.shapes import shapes
        >>> shapes(Request(split="test")).examples([0, 5]).shape
        (2, 64, 64, 1)
    """
    order = _order(request.split)
    count = len(order) if request.length is None else request.length
    if count > len(order):
        raise ValueError(
            f"length: expected at most {len(order)}, the number of images in "
            f"split={request.split!r} of 'shapes', got {count}."
        )
    height, width = request.image_size or (64, 64)
    channels = request.channels or 1

    def labels(rows):
        return np.stack(np.unravel_index(order[rows], _SIZES), axis=-1).astype(np.int32)

    def images(rows):
        masks = draw_shapes(labels(rows), (height, width))
        pixels = masks[..., None] * np.uint8(255)
        return np.repeat(pixels, channels, axis=-1) if channels > 1 else pixels

    return Rows(images, labels, count, shape=(height, width, channels), label_shape=(5,))


def draw_shapes(factors, image_size):
    """Draw shapes: a pixel is set where its centre lies in the shape.

    Args:
        factors: integer array `(k, 5)`, the classes of `FACTORS`.
        image_size: `(height, width)` in pixels.

    Returns:
        Boolean array `(k, height, width)`.
    """
    height, width = image_size
    shape, scale, rotation, x, y = np.asarray(factors).T
    largest = min(height, width) / 4  # radius of the circle that holds a shape of scale 1
    across = np.arange(width) + 0.5 - largest - _PLACES[x, None] * (width - 2 * largest)
    down = np.arange(height) + 0.5 - largest - _PLACES[y, None] * (height - 2 * largest)
    cosine = (_COSINES[rotation] / (largest * _SCALES[scale]))[:, None]
    sine = (_SINES[rotation] / (largest * _SCALES[scale]))[:, None]
    # Coordinates along the shape's own axes, in units of its circle's radius, as sums of a term of
    # the column and a term of the row; float32 halves the time.
    terms = (cosine * across, sine * down, -sine * across, cosine * down)
    u_column, u_row, v_column, v_row = (term.astype(np.float32) for term in terms)
    masks = np.empty((len(shape), height, width), bool)
    for number, inside in enumerate((_in_square, _in_ellipse, _in_heart)):
        of = np.flatnonzero(shape == number)
        u = u_column[of, None, :] + u_row[of, :, None]
        v = v_column[of, None, :] + v_row[of, :, None]
        masks[of] = inside(u, v)
    return masks


def _order(split):
    """Return the numbers of the split's images, in its order."""
    count = int(np.prod(_SIZES))
    # RandomState and not default_rng: NumPy promises that its stream never changes.
    order = np.random.RandomState(0).permutation(count)
    part = np.zeros(count, np.int8)
    part[order[9::10]] = PARTS.index("test")
    part[order[8::10]] = PARTS.index("validation")
    by_factor = part.reshape(_SIZES)
    by_factor[:, :, 39] = by_factor[:, :, 0]
    return order[np.isin(part[order], [PARTS.index(name) for name in parts_of(split)])]


def _in_square(u, v):
    """Say which points lie in the square with its corners on the unit circle."""
    return np.maximum(np.abs(u), np.abs(v)) <= np.sqrt(np.float32(0.5))


def _in_ellipse(u, v):
    """Say which points lie in the ellipse of semiaxes 1 and 1/2."""
    return np.square(u) + np.square(2.0 * v) <= 1.0


def _in_heart(u, v):
    """Say which points lie in the heart (x^2 + y^2 - 1)^3 = x^2 y^3, tip down.

    The smallest circle around that curve is centred at (0, 1/4), has the radius 5/4, and touches it
    at the tip (0, -1) and at (1, 1) and (-1, 1).
    """
    x_squared, y = np.square(1.25 * u), 0.25 - 1.25 * v  # v points down
    y_squared = np.square(y)
    disc = x_squared + y_squared - 1.0
    return disc * disc * disc <= x_squared * y_squared * y
