"""Random walks through latents, for animations."""

import numpy as np

from kgen.latent.arguments import finite_rows, free_width
from kgen.metrics.arrays import checked_integer, checked_number


def random_walk(start, steps=60, smoothness=8.0, closed=True, seed=0, labels=0):
    """Returns latents on a smooth random walk from `start`, each of which is one of N(0, 1).

    A Gaussian process over the steps, as Karras et al. 2018, arXiv 1710.10196, made the latents of
    their videos: noise, smoothed by a Gaussian along the steps and scaled back to a variance of 1.
    It is conditioned on its first step being `start`: if that is a draw from N(0, 1), so is each
    step, and none is less likely than another. Two steps k apart have the correlation
    exp(-k^2 / (4 smoothness^2)); on a walk that comes back sooner than in some ten times
    `smoothness` it is larger, as each of two steps is near the other both ways.

    Styles are walked by the latents that are mapped to them.

    Args:
        start: Array `(..., d)`: a row, or a batch, each row with its own walk.
        steps: How many latents, `start` being the first.
        smoothness: Standard deviation of the Gaussian, in steps: after four times as many little of
            the start is left.
        closed: Whether the walk comes back, so that its animation has no seam: after the last step
            `start` would be next.
        seed: Integer of at least 0 that decides the walk.
        labels: How many of the last numbers of a row are its label, which stays.

    Returns:
        float32 array `(steps, ..., d)`.

    Raises:
        ValueError: If an argument is not of this form.

    Example:
        >>> import numpy as np
        >>> from kgen.latent import random_walk
        >>> walk = random_walk(np.ones(3), steps=24, smoothness=3.0)
        >>> walk.shape, walk[0].tolist()
        ((24, 3), [1.0, 1.0, 1.0])
    """
    start = finite_rows("start", start)
    steps = checked_integer("steps", steps, 1)
    smoothness = checked_number("smoothness", smoothness, above=0.0)
    if not isinstance(closed, bool):
        raise ValueError(f"`closed` must be True or False, received {closed!r}.")
    width = free_width(labels, start)
    seed = checked_integer("seed", seed, 0)
    generator = np.random.default_rng([seed, 1])  # Not what a user draws from the seed alone.

    # A walk that does not come back is a part of a longer one that does.
    reach = int(np.ceil(5.0 * smoothness))
    period = steps if closed else steps + 2 * reach
    offsets = np.arange(-reach, reach + 1)
    kernel = np.zeros(period)
    np.add.at(kernel, offsets % period, np.exp(-0.5 * (offsets / smoothness) ** 2))
    kernel /= np.linalg.norm(kernel)
    spectrum = np.fft.rfft(kernel)
    noise = generator.normal(size=(period, *start.shape[:-1], width))
    column = (-1, *(1,) * start.ndim)
    process = np.fft.irfft(np.fft.rfft(noise, axis=0) * spectrum.reshape(column), period, axis=0)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, period)[:steps].reshape(column)
    walk = np.repeat(start[None], steps, axis=0)
    walk[..., :width] = process[:steps] + correlation * (start[..., :width] - process[0])
    walk[0] = start
    return walk.astype("float32")
