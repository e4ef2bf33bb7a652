"""Distances between rows in bounded memory, and radii of balls to the nearest neighbours."""

import numpy as np

# Distances held at once: 32 MiB of them.
_CHUNK = 2**22


def squared_distances(rows, others, slack=0.0):
    """Yields chunks of the squared Euclidean distances between two sets of rows.

    Args:
        rows: Array `(n, d)`, best about the origin: the rounding grows with the squared lengths.
        others: Array `(m, d)`.
        slack: Share of the two squared lengths by which each is made shorter, so that rounding
            makes none longer.

    Yields:
        A slice of rows and their squared distances to all others, `(rows, m)`, from 0.
    """
    lengths, other_lengths = (np.einsum("ij,ij->i", side, side) for side in (rows, others))
    step = max(1, _CHUNK // len(others))
    for start in range(0, len(rows), step):
        chosen = slice(start, min(start + step, len(rows)))
        squared = rows[chosen] @ others.T
        squared *= -2.0
        squared += (1.0 - slack) * lengths[chosen, None]
        squared += (1.0 - slack) * other_lengths
        yield chosen, np.maximum(squared, 0.0, out=squared)


def nearest(rows, count):
    """Returns the nearest neighbours of every row in its own set, nearest first.

    A row is none of its own neighbours, and is told from its duplicates, which are, by its index.

    Args:
        rows: Array `(n, d)`.
        count: Number of neighbours, at most n - 1.

    Returns:
        Indices `(n, count)` and squared distances `(n, count)`.
    """
    indices = np.empty((len(rows), count), int)
    distances = np.empty((len(rows), count))
    for chosen, squared in squared_distances(rows, rows):
        squared[np.arange(len(squared)), np.arange(chosen.start, chosen.stop)] = np.inf
        found = np.argpartition(squared, count - 1, axis=1)[:, :count]
        found_distances = np.take_along_axis(squared, found, axis=1)
        order = np.argsort(found_distances, axis=1)
        indices[chosen] = np.take_along_axis(found, order, axis=1)
        distances[chosen] = np.take_along_axis(found_distances, order, axis=1)
    return indices, distances


def squared_radii(rows, neighbours, subsets):
    """Returns each row's squared distance to its k-th nearest neighbour within subsets of a set.

    Args:
        rows: Array `(n, d)`.
        neighbours: k; every subset has more rows.
        subsets: Booleans `(subsets, n)`: the rows of each subset, of at least about half of all.

    Returns:
        float64 `(subsets, n)`; -1 for rows that are not in the subset, which hold nothing.
    """
    # Of so many neighbours, half have fewer than k in one of ten million rows, which is then given
    # the farthest of these.
    count = min(len(rows) - 1, 4 * neighbours + 20)
    indices, distances = nearest(rows, count)
    radii = np.full(subsets.shape, -1.0)
    for radius, subset in zip(radii, subsets, strict=True):
        reached = np.cumsum(subset[indices], axis=1) >= neighbours  # (n, count)
        place = np.where(reached[:, -1], np.argmax(reached, axis=1), count - 1)
        found = np.take_along_axis(distances, place[:, None], axis=1)[:, 0]
        radius[subset] = found[subset]
    return radii
