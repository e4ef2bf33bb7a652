"""One number of a latent after the other, the rest as they are."""

import numpy as np

from kgen.core.numbers import is_count
from kgen.latent.arguments import finite_numbers, finite_rows


def traverse(latents, coordinates, values=(-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)):
    """Returns latents of which one coordinate takes one value after the other.

    As of figure 7 of Higgins et al. 2017, beta-VAE: what a row of images has in it is what the
    coordinate stands for.

    Args:
        latents: Array `(..., d)`: a row, a batch, or styles, of which the coordinate changes in all
            layers.
        coordinates: Number of the coordinate, from 0, or a list of them, each traversed by itself.
        values: List of the values it takes; of latents from N(0, 1) in standard deviations.

    Returns:
        float32 array `(values, ..., d)`; of a list `(coordinates, values, ..., d)`.

    Raises:
        ValueError: If an argument is not of this form.

    Example:
        >>> from kgen.latent import traverse
        >>> traverse([5.0, 6.0, 7.0], 1, values=[-1.0, 1.0]).tolist()
        [[5.0, -1.0, 7.0], [5.0, 1.0, 7.0]]
        >>> traverse([5.0, 6.0, 7.0], [0, 2], values=[0.0]).tolist()
        [[[0.0, 6.0, 7.0]], [[5.0, 6.0, 0.0]]]
    """
    latents, values = finite_rows("latents", latents), finite_numbers("values", values)
    chosen = list(coordinates) if np.ndim(coordinates) == 1 else [coordinates]
    width = latents.shape[-1]
    are_coordinates = all(is_count(i, 0) and i < width for i in chosen)
    if not chosen or not are_coordinates:
        raise ValueError(
            f"`coordinates` must be an integer from 0 to {width - 1}, or a list of them, received "
            f"{coordinates!r}."
        )
    moved = np.empty((len(chosen), len(values), *latents.shape), "float32")
    moved[:] = latents
    for row, coordinate in zip(moved, chosen, strict=True):
        row[..., coordinate] = values.reshape(-1, *(1,) * (latents.ndim - 1))
    return moved if np.ndim(coordinates) else moved[0]
