"""Precision, recall, density and coverage: fidelity and diversity by nearest neighbours."""

import numpy as np

from kgen.metrics.arrays import check_same_width, checked_integer, checked_rows
from kgen.metrics.bootstrap import (
    bootstrap_seeds,
    centred_interval,
    half_samples,
    resampling_generator,
)
from kgen.metrics.card import Card
from kgen.metrics.neighbours import squared_distances, squared_radii
from kgen.metrics.score import Score

# k of all four, which come from the same balls: that of Naeem et al. 2020 and their package prdc.
# Kynkaanniemi et al. 2019 take 3 for precision and recall, which `neighbours=3` gives.
NEIGHBOURS = 5

# Most parts of the larger set that coverage is the mean over.
_PARTS = 20

# Two distances are one where they differ by less of the rows' squared lengths: rounding.
_ROUNDING = 1e-12


def manifold_scores(features, reference, neighbours=NEIGHBOURS, resamples=100, seed=0):
    """Precision, recall, density and coverage at once, from one pass over the distances.

    A set's manifold is the union of balls, one around each of its rows, whose radius is the
    Euclidean distance to the row's k-th nearest neighbour in the set, itself not counted but its
    duplicates counted. A ball holds its edge, as in eq. 1 of Kynkaanniemi et al. 2019 (within
    rounding of float64, so that equal distances are equal).

    - `"precision"`: share of samples inside the reference's manifold, in [0, 1]; Kynkaanniemi et
      al. 2019, eq. 2, arXiv 1904.06991, with k = 3 there.
    - `"recall"`: share of the reference inside the samples' manifold, in [0, 1]; the same.
    - `"density"`: mean number of the reference's balls that a sample is in, over k; from 0, about 1
      for samples like the reference, and above 1 where samples crowd; Naeem et al. 2020, eq. 3,
      arXiv 2002.09797, with k = 5 there.
    - `"coverage"`: share of the reference's balls that hold a sample, in [0, 1]; eq. 4 there. Of
      samples from the reference's source it is about 1 - 2^-k.

    All depend on k, one for all four. Coverage would also depend on how many samples there are for
    a row of the reference, and is therefore of as many samples as rows: the larger set is cut at
    random into parts of the smaller one's length, of which at most 20 count, and it is their mean.

    The intervals come from random halves of both sets (see `half_samples`), as a row drawn twice
    would be its own neighbour; in simulations they are about a quarter too wide. There is none
    where half a set has no more rows than `neighbours`.

    Args:
        features: Features of the samples, array `(n, d)`, n above `neighbours`.
        reference: Features of the reference, `(m, d)`, m above `neighbours`.
        neighbours: k, from 1 on; 5 is that of Naeem et al., 3 that of Kynkaanniemi et al.
        resamples: Number of random halves; 0 for no intervals.
        seed: Integer that fixes the halves, and the parts that coverage is of.

    Returns:
        Dict of four `Score`. Distances are computed in chunks of 32 MiB.

    Raises:
        ValueError: If an argument is not as said, or not finite.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import manifold_scores
        >>> reference, features = np.array([[0.0], [1.0], [4.0]]), np.array([[0.5], [1.5]])
        >>> scores = manifold_scores(features, reference, neighbours=1)
        >>> [round(float(score), 3) for score in scores.values()]
        [1.0, 0.667, 2.0, 1.0]
    """
    return _scores(features, reference, neighbours, resamples, seed)


def precision(features, reference, neighbours=NEIGHBOURS, resamples=100, seed=0):
    """Share of samples inside the reference's manifold; as in `manifold_scores`."""
    return _scores(features, reference, neighbours, resamples, seed, ("precision",))["precision"]


def recall(features, reference, neighbours=NEIGHBOURS, resamples=100, seed=0):
    """Share of the reference inside the samples' manifold; as in `manifold_scores`."""
    return _scores(features, reference, neighbours, resamples, seed, ("recall",))["recall"]


def density(features, reference, neighbours=NEIGHBOURS, resamples=100, seed=0):
    """Mean number of the reference's balls around a sample, over k; as in `manifold_scores`."""
    return _scores(features, reference, neighbours, resamples, seed, ("density",))["density"]


def coverage(features, reference, neighbours=NEIGHBOURS, resamples=100, seed=0):
    """Share of the reference's balls that hold a sample; as in `manifold_scores`."""
    return _scores(features, reference, neighbours, resamples, seed, ("coverage",))["coverage"]


NAMES = ("precision", "recall", "density", "coverage")


def _scores(features, reference, neighbours, resamples, seed, names=NAMES):
    neighbours = checked_integer("neighbours", neighbours, 1)
    sides = {"features": features, "reference": reference}
    for name, side in sides.items():
        sides[name] = checked_rows(name, side)
        if len(side) <= neighbours:
            raise ValueError(
                f"`{name}` must have more rows than the {neighbours} `neighbours`, which a row's "
                f"ball reaches to; received {len(side)}."
            )
    check_same_width("features", sides["features"], "reference", sides["reference"])
    # Distances come from lengths and products, which are exact only near the origin.
    origin = sides["reference"].mean(axis=0)
    features, reference = (side - origin for side in sides.values())

    generator = resampling_generator(resamples, seed)
    if min(len(features), len(reference)) // 2 <= neighbours:
        resamples = 0
    values, of_parts = {}, "coverage" in names and len(features) != len(reference)
    of_all = tuple(name for name in names if not (of_parts and name == "coverage"))
    if of_all:
        halves = (_with_halves(side, generator, resamples) for side in (features, reference))
        values = _values(features, reference, *halves, neighbours, of_all)
    if of_parts:
        draws = np.random.default_rng([seed, 1])
        values["coverage"] = _coverage_of_parts(features, reference, neighbours, draws, resamples)
    scores = {}
    for name in names:
        value, replicates = values[name][0], values[name][1:]
        highest = np.inf if name == "density" else 1.0
        card = Card(
            name,
            samples=len(features),
            reference_samples=len(reference),
            settings={"neighbours": neighbours},
            seeds=bootstrap_seeds(resamples, seed) | ({} if name in of_all else {"parts": seed}),
        )
        interval = centred_interval(value, replicates, 0.0, highest) if resamples else None
        scores[name] = Score(value, card, interval)
    return scores


def _with_halves(rows, generator, resamples):
    """All rows, and then random halves of them: booleans `(1 + resamples, n)`."""
    halves = half_samples(generator, len(rows), resamples)
    return np.concatenate([np.ones((1, len(rows)), bool), halves])


def _coverage_of_parts(features, reference, neighbours, generator, resamples):
    """Coverage `(1 + resamples,)` of sets of unequal lengths: the mean over equal parts."""
    smaller, larger = sorted((features, reference), key=len)
    count = len(smaller)
    parts = generator.permutation(len(larger))[: len(larger) // count * count]  # Some are left.
    in_smaller = _with_halves(smaller, generator, resamples)  # The same for all parts.
    found = []
    for part in parts.reshape(-1, count)[:_PARTS]:
        sides = [(smaller, in_smaller), (larger[part], _with_halves(part, generator, resamples))]
        (rows, in_rows), (others, in_others) = sides if smaller is features else sides[::-1]
        values = _values(rows, others, in_rows, in_others, neighbours, ("coverage",))
        found.append(values["coverage"])
    return np.mean(found, axis=0)


def _values(features, reference, in_features, in_reference, neighbours, names):
    """The scores named, each `(halves,)`: of every pair of subsets of the two sets."""
    halves = len(in_features)
    balls = np.zeros((halves, len(features)))  # of the reference, around each sample
    covered, recalled = np.zeros((2, halves, len(reference)), bool)
    # What is not asked for is not computed: recall needs the samples' balls, all else those of the
    # reference.
    of_features = of_reference = None
    if "recall" in names:
        of_features = squared_radii(features, neighbours, in_features)
    if {*names} - {"recall"}:
        of_reference = squared_radii(reference, neighbours, in_reference)
    for rows, squared in squared_distances(features, reference, slack=_ROUNDING):
        if of_reference is not None:
            row, column = np.nonzero(squared <= np.max(of_reference, axis=0))
            distances, present = squared[row, column], in_features[:, rows]
            for half, radii in enumerate(of_reference):
                inside = (distances <= radii[column]) & present[half, row]
                balls[half, rows] = np.bincount(row[inside], minlength=len(squared))
                covered[half, column[inside]] = True
        if of_features is not None:
            row, column = np.nonzero(squared <= np.max(of_features[:, rows], axis=0)[:, None])
            distances = squared[row, column]
            for half, radii in enumerate(of_features[:, rows]):
                recalled[half, column[distances <= radii[row]]] = True
    samples, references = in_features.sum(axis=1), in_reference.sum(axis=1)
    values = {
        "precision": np.sum(balls > 0, axis=1) / samples,
        "recall": np.sum(recalled & in_reference, axis=1) / references,
        "density": np.sum(balls, axis=1) / (neighbours * samples),
        "coverage": np.sum(covered, axis=1) / references,
    }
    return {name: values[name] for name in names}
