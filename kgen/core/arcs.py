"""Arcs between rows of numbers: the way of spherical interpolation."""

import numpy as np

# Below this sine of their angle two ends are taken for parallel or opposite.
_ROUNDING = 1e-9


def on_arc(starts, ends, places):
    """Returns the rows on arcs from `starts` to `ends` at `places`.

    Shoemake 1985, "Animating rotation with quaternion curves"; of latents White 2016, section 2,
    arXiv 1609.04468. Of parallel ends the arc is the straight line. Opposite ends are joined by
    many arcs, of which this takes the one through the axis of the start's smallest number; of one
    number a row there is none, and the way goes through 0. An end of length 0 has no direction and
    takes that of the other: a straight line, too.

    Args:
        starts, ends: Arrays `(..., d)`.
        places: Array that broadcasts with `(...)`: 0 is the start, 1 the end, and beyond the arc
            goes on. At 0 and 1 the ends are exact.

    Returns:
        float64 array `(..., d)`.
    """
    # Differs from the papers: in the first all lengths are 1, in the second they bulge between two
    # ends; here the length goes evenly from one end's to the other's.
    starts, ends = np.float64(starts), np.float64(ends)
    places = np.asarray(places, "float64")[..., None]
    lengths = [np.linalg.norm(rows, axis=-1, keepdims=True) for rows in (starts, ends)]
    here, there = (
        rows / np.where(length > 0.0, length, 1.0)
        for rows, length in zip((starts, ends), lengths, strict=True)
    )
    here, there = np.where(lengths[0] > 0.0, here, there), np.where(lengths[1] > 0.0, there, here)
    cosine = np.sum(here * there, axis=-1, keepdims=True)
    across = there - cosine * here
    sine = np.linalg.norm(across, axis=-1, keepdims=True)
    opposite = (sine < _ROUNDING) & (cosine < 0.0)
    across = np.where(opposite, _perpendicular(here), across / np.maximum(sine, _ROUNDING))
    angle = places * np.arctan2(sine, cosine)
    rows = here * np.cos(angle) + across * np.sin(angle)
    rows = rows * ((1.0 - places) * lengths[0] + places * lengths[1])
    return np.where(places == 0.0, starts, np.where(places == 1.0, ends, rows))


def _perpendicular(rows):
    """Rows of length 1 at a right angle to rows of length 1; 0 where there is none."""
    axis = np.eye(rows.shape[-1])[np.argmin(np.abs(rows), axis=-1)]
    across = axis - np.sum(axis * rows, axis=-1, keepdims=True) * rows
    return across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), _ROUNDING)
