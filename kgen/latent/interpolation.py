"""Ways from one row of latents to another."""

import numbers

import numpy as np

from kgen.core.arcs import on_arc
from kgen.latent.arguments import (
    check_choice,
    check_same_shape,
    finite_numbers,
    finite_rows,
    free_width,
)

PATHS = ("spherical", "linear")


def interpolate(start, end, steps=9, path="spherical", labels=0):
    """Returns the latents on the way from `start` to `end`, the ends included as they are.

    Spherical interpolation: Shoemake 1985, "Animating rotation with quaternion curves"; of latents
    White 2016, section 2, arXiv 1609.04468. Latents drawn from N(0, 1) lie near a sphere, which a
    straight line leaves and an arc does not; between ends of two lengths the length goes evenly
    from one to the other. Parallel ends, and an end of length 0, have a straight line for an arc;
    opposite ends one of the arcs that join them. Styles w (`StyleGAN.map`) and codes of no such
    distribution are for `path="linear"`.

    Args:
        start, end: Arrays `(..., d)` of one shape: a row, a batch of rows, each with its own way,
            or styles. An arc is one of the last axis.
        steps: How many latents, from `start` to `end`, at least 2; or their places on the way, a
            list of numbers of which 0 is the start and 1 the end.
        path: `"spherical"` or `"linear"`.
        labels: How many of the last numbers of a row are its label (`label_width(model)`). They go
            straight: from one class to another through their mixtures, and not at all between two
            rows of one class.

    Returns:
        float32 array `(steps, ..., d)`.

    Raises:
        ValueError: If an argument is not of this form.

    Example:
        >>> from kgen.latent import interpolate
        >>> interpolate([5.0, 0.0], [0.0, 5.0], steps=3)[1].round(1).tolist()
        [3.5, 3.5]
        >>> interpolate([5.0, 0.0], [0.0, 5.0], steps=3, path="linear").tolist()
        [[5.0, 0.0], [2.5, 2.5], [0.0, 5.0]]
    """
    start, end = finite_rows("start", start), finite_rows("end", end)
    check_same_shape("start", start, "end", end)
    check_choice("path", path, PATHS)
    places = _places("steps", steps).reshape(-1, *(1,) * (start.ndim - 1))
    return _on_way(start, end, places, path, free_width(labels, start)).astype("float32")


def corner_grid(corners, rows=7, columns=7, path="spherical", labels=0):
    """Returns the latents between four corners, those of a grid's corners being exact.

    The first and last column are the ways between the corners above each other, and each row is the
    way between its two ends: with `path="linear"` the bilinear interpolation, in which rows and
    columns can be exchanged; arcs of arcs cannot.

    Args:
        corners: Array `(4, ..., d)`: top left, top right, bottom left, bottom right.
        rows, columns: How many latents each way, at least 2.
        path, labels: As of `interpolate`.

    Returns:
        float32 array `(rows, columns, ..., d)`.

    Raises:
        ValueError: If an argument is not of this form.

    Example:
        >>> from kgen.latent import corner_grid
        >>> corners = [[1.0, 1.0], [3.0, 1.0], [1.0, 5.0], [3.0, 5.0]]
        >>> corner_grid(corners, rows=3, columns=3, path="linear")[1].tolist()
        [[1.0, 3.0], [2.0, 3.0], [3.0, 3.0]]
    """
    corners = finite_rows("corners", corners, axes=2)
    if len(corners) != 4:
        raise ValueError(f"`corners` must be 4 latents, received {len(corners)}.")
    check_choice("path", path, PATHS)
    width = free_width(labels, corners)
    top_left, top_right, bottom_left, bottom_right = corners
    down, across = _places("rows", rows, True), _places("columns", columns, True)
    down = down.reshape(-1, *(1,) * (corners.ndim - 2))
    left = _on_way(top_left, bottom_left, down, path, width)  # (rows, ...)
    right = _on_way(top_right, bottom_right, down, path, width)
    across = across.reshape(-1, *(1,) * (corners.ndim - 1))
    grid = _on_way(left, right, across, path, width)  # (columns, rows, ...)
    return np.swapaxes(grid, 0, 1).astype("float32")


def _on_way(start, end, places, path, width):
    """Latents at places that broadcast with the leading axes; all but the first `width` straight"""
    straight = (1.0 - places)[..., None] * start + places[..., None] * end
    if path == "linear":
        return straight
    arc = on_arc(start[..., :width], end[..., :width], places)
    return np.concatenate([arc, straight[..., width:]], axis=-1)


def _places(name, steps, is_count=False):
    if isinstance(steps, numbers.Integral) and not isinstance(steps, bool) and steps >= 2:
        return np.linspace(0.0, 1.0, steps)
    if is_count or not np.ndim(steps):
        others = "" if is_count else ", or a list of places"
        raise ValueError(f"`{name}` must be an integer of at least 2{others}, received {steps!r}.")
    return finite_numbers(name, steps)
