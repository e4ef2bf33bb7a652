"""Two dimensions of latents: the plane of a model that has two, and maps of those with more."""

import numpy as np
import threadpoolctl
from scipy import special

from kgen.latent.arguments import check_choice, finite_rows
from kgen.metrics.arrays import checked_integer, checked_number


def quantile_plane(rows=20, columns=20, outermost=0.05):
    """Returns latents of two numbers that cover N(0, 1) evenly, by its inverse distribution.

    Kingma and Welling 2014, appendix A and figure 4, arXiv 1312.6114: the images of a grid of
    evenly spaced probabilities show a model of two latents as a whole.

    Args:
        rows, columns: How many latents each way, at least 1; one alone is in the middle.
        outermost: Probability of what lies beyond the first and the last, in (0, 0.5).

    Returns:
        float32 array `(rows, columns, 2)`: the first number grows to the right, the second upwards.

    Raises:
        ValueError: If an argument is not of this form.

    Example:
        >>> from kgen.latent import quantile_plane
        >>> plane = quantile_plane(rows=3, columns=3, outermost=0.1587)
        >>> plane[0].round(2).tolist()
        [[-1.0, 1.0], [0.0, 1.0], [1.0, 1.0]]
    """
    rows, columns = checked_integer("rows", rows, 1), checked_integer("columns", columns, 1)
    outermost = checked_number("outermost", outermost, above=0.0)
    if outermost >= 0.5:
        raise ValueError(f"`outermost` must lie in (0, 0.5), received {outermost}.")
    up, right = _quantiles(rows, outermost), _quantiles(columns, outermost)
    grid = np.meshgrid(right, up[::-1])
    return np.stack(grid, axis=-1).astype("float32")


def _quantiles(count, outermost):
    if count == 1:
        return np.zeros(1)
    quantiles = special.ndtri(np.linspace(outermost, 1.0 - outermost, count))
    return 0.5 * (quantiles - quantiles[::-1])  # Symmetric to the last digit.


def code_map(codes, method="pca", perplexity=30.0, seed=0):
    """Returns a place in the plane for each code, near to those that it is like.

    By PCA the two directions in which codes vary most, their variances as they are; or by t-SNE
    (van der Maaten and Hinton 2008), scikit-learn's, which keeps neighbours together and no
    distances.

    Args:
        codes: Array `(n, ..., d)` of at least 3 latents or styles, of at least 2 numbers.
        method: `"pca"` or `"tsne"`.
        perplexity: Of t-SNE, about how many neighbours a code has; fewer than n.
        seed: Integer of at least 0 of t-SNE's random steps.

    Returns:
        float64 array `(n, 2)`. Each axis of PCA points to where its largest weight is positive.

    Raises:
        ValueError: If an argument is not of this form.

    Example:
        >>> from kgen.latent import code_map
        >>> code_map([[0.0, 0.0, 1.0], [3.0, 0.0, 1.0], [0.0, 1.0, 1.0], [3.0, 1.0, 1.0]]).tolist()
        [[-1.5, -0.5], [1.5, -0.5], [-1.5, 0.5], [1.5, 0.5]]
    """
    codes = finite_rows("codes", codes, axes=2)
    rows = codes.reshape(len(codes), -1)
    if len(rows) < 3 or rows.shape[1] < 2:
        raise ValueError(
            "`codes` must be at least 3 rows of at least 2 numbers, received the shape "
            f"{codes.shape}."
        )
    check_choice("method", method, ("pca", "tsne"))
    seed = checked_integer("seed", seed, 0)
    if method == "pca":
        return _principal(rows)
    perplexity = checked_number("perplexity", perplexity, above=0.0)
    if not np.ptp(rows, axis=0).any():
        return np.zeros((len(rows), 2))  # As of PCA; t-SNE would divide by their deviation.
    if perplexity >= len(rows):
        raise ValueError(
            f"`perplexity` must be less than the number of codes, {len(rows)}, received "
            f"{perplexity}."
        )
    from sklearn.manifold import TSNE

    # On one core: several would add up in another order each time, and wait for each other.
    with threadpoolctl.threadpool_limits(1):
        embedding = TSNE(perplexity=perplexity, init="pca", random_state=seed % 2**32)
        return embedding.fit_transform(rows).astype("float64")


def _principal(rows):
    centred = rows - rows.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    largest = np.argmax(np.abs(axes), axis=1)
    axes = axes * np.sign(np.take_along_axis(axes, largest[:, None], axis=1))
    return centred @ axes.T
