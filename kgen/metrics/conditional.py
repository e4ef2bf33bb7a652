"""How well samples are what they were asked to be: classes, class by class, and clusters."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from kgen.metrics.arrays import check_same_width, checked_rows
from kgen.metrics.bootstrap import (
    bootstrap_seeds,
    counts_interval,
    mean_interval,
    shares_without_noise,
)
from kgen.metrics.card import Card
from kgen.metrics.frechet import frechet_distance
from kgen.metrics.score import Score


def label_agreement(predictions, labels, resamples=100, seed=0):
    """Share of samples that a classifier takes for the class that was asked for, in [0, 1].

    Args:
        predictions: What the classifier says of each sample: probabilities `(n, classes)`, of which
            the largest counts, or classes, integers `(n,)`.
        labels: The classes asked for, integers `(n,)` from 0.
        resamples: Number of resamples of the bootstrap over samples; 0 for no interval.
        seed: Integer that fixes the resamples.

    Returns:
        `Score`. A share of 0 or 1 has an interval of no width.

    Raises:
        ValueError: If an argument is not as said.

    Example:
        >>> from kgen.metrics import label_agreement
        >>> float(label_agreement([3, 1, 1, 0], [3, 1, 2, 0], resamples=0))
        0.75
    """
    predicted, labels = _checked_pair("predictions", predictions, labels)
    return _share("label_agreement", predicted == labels, resamples, seed)


def class_label_agreements(predictions, labels, resamples=100, seed=0):
    """The same for each class on its own: which classes a model finds hard.

    Args:
        predictions, labels, resamples, seed: As of `label_agreement`.

    Returns:
        Dict of `Score`: `"label_agreement_0"` of the samples that were asked to be of class 0, and
        so on for every class among the labels.

    Raises:
        ValueError: If an argument is not as said.
    """
    predicted, labels = _checked_pair("predictions", predictions, labels)
    names = {label: f"label_agreement_{label}" for label in np.unique(labels).tolist()}
    return {
        name: _share(name, predicted[labels == label] == label, resamples, seed)
        for label, name in names.items()
    }


def class_frechet_distances(
    features, labels, reference_features, reference_labels, shrinkage=None, resamples=100, seed=0
):
    """Frechet distance within each class, and their mean.

    Miyato and Koyama 2018, section 4.1, arXiv 1802.05637, there called intra FID. A model that
    makes one good picture of each class agrees with every label; this distance sees that its
    classes lack variety.

    Args:
        features: Features of the samples, array `(n, d)`.
        labels: The classes that were asked for, integers `(n,)` from 0.
        reference_features: The same of real images, `(m, d)`.
        reference_labels: Their classes, integers `(m,)`: the same classes as of the samples.
        shrinkage: As of `frechet_distance`; needed if a class has at most d rows.
        resamples: Number of resamples of the bootstrap for each class; 0 for no intervals.
        seed: Integer that fixes the resamples.

    Returns:
        Dict of `Score`: `"class_frechet"`, the mean over classes, then `"class_frechet_0"` of class
        0 and so on. Classes are drawn each on its own, so the half of the mean's interval on either
        side is the root of the sum of the squares of theirs, divided by their number.

    Raises:
        ValueError: If an argument is not as said.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import class_frechet_distances
        >>> reference = np.array([[0.0], [1.0], [2.0], [0.0], [1.0], [2.0]])
        >>> labels = np.array([0, 0, 0, 1, 1, 1])
        >>> samples = reference + np.array([[1.0], [1.0], [1.0], [3.0], [3.0], [3.0]])
        >>> scores = class_frechet_distances(samples, labels, reference, labels)
        >>> {name: round(float(score), 6) for name, score in scores.items()}
        {'class_frechet': 5.0, 'class_frechet_0': 1.0, 'class_frechet_1': 9.0}
    """
    sides = []
    for of_labels, rows, of_rows, given in (
        ("labels", features, "features", labels),
        ("reference_labels", reference_features, "reference_features", reference_labels),
    ):
        rows = checked_rows(of_rows, rows)
        sides.append((rows, _checked_classes(of_labels, given, len(rows))))
    (features, labels), (reference, reference_labels) = sides
    check_same_width("features", features, "reference_features", reference)
    classes = np.unique(labels).tolist()
    if classes != np.unique(reference_labels).tolist():
        raise ValueError(
            f"`labels` and `reference_labels` must be of the same classes; received {classes} and "
            f"{np.unique(reference_labels).tolist()}."
        )
    distances = {}
    for label in classes:
        name = f"class_frechet_{label}"
        rows, others = features[labels == label], reference[reference_labels == label]
        try:
            score = frechet_distance(rows, others, shrinkage, resamples, seed)
        except ValueError as error:
            raise ValueError(f"Class {label}: {error}") from error
        distances[name] = score.described(metric=name)
    shrunk = {} if shrinkage is None else {"shrinkage": float(shrinkage)}
    card = Card(
        "class_frechet",
        samples=len(features),
        reference_samples=len(reference),
        settings={"classes": len(classes), **shrunk},
        seeds=bootstrap_seeds(resamples, seed),
    )
    mean = Score(np.mean([*distances.values()]), card, _mean_of_intervals([*distances.values()]))
    return {"class_frechet": mean, **distances}


def cluster_agreement(codes, labels, resamples=100, seed=0):
    """Accuracy of clusters as classes under the best one-to-one matching of the two, in [0, 1].

    How InfoGAN's categorical code is scored (Chen et al. 2016, section 7.2, arXiv 1606.03657); the
    matching is that of Kuhn 1955, "The Hungarian method for the assignment problem". Samples of a
    cluster that is matched with no class count as wrong. The matching is the best for these very
    samples: of few it flatters, of none that mean anything it is above 1 / classes.

    Args:
        codes: The cluster of each sample, integers `(n,)` from 0, or probabilities `(n, clusters)`,
            of which the largest counts.
        labels: Their classes, integers `(n,)` from 0.
        resamples: Number of resamples of the bootstrap over samples, each with the matching that is
            its best; 0 for no interval. They are no more uneven than the samples (see
            `kgen.metrics.bootstrap.shares_without_noise`), as a best matching finds all there is.
        seed: Integer that fixes the resamples.

    Returns:
        `Score`.

    Raises:
        ValueError: If an argument is not as said.

    Example:
        >>> from kgen.metrics import cluster_agreement
        >>> float(cluster_agreement([1, 1, 0, 0, 0], [0, 0, 1, 1, 0], resamples=0))
        0.8
    """
    counts = _table("codes", codes, labels)
    value = _matched_share(counts)
    # Clusters that say nothing of the classes would have these shares.
    apart = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum() ** 2
    margins = sum(np.count_nonzero(counts.sum(axis=axis)) for axis in (0, 1))
    # Cells that no sample is in, as of clusters that are classes, have no noise.
    freedom = max(0, np.count_nonzero(counts) - margins + 1)
    interval = counts_interval(
        _matched_share,
        counts,
        value,
        resamples,
        seed,
        lowest=0.0,
        highest=1.0,
        shares=shares_without_noise(counts, apart, freedom),
    )
    card = Card(
        "cluster_agreement",
        samples=int(counts.sum()),
        settings={"clusters": counts.shape[0], "classes": counts.shape[1]},
        seeds=bootstrap_seeds(resamples, seed),
    )
    return Score(value, card, interval)


def matched_classes(codes, labels):
    """Returns the class that `cluster_agreement` matches each cluster with.

    Args:
        codes, labels: As of `cluster_agreement`.

    Returns:
        Integers `(clusters,)`, -1 for a cluster that is matched with none.
    """
    counts = _table("codes", codes, labels)
    matched = np.full(len(counts), -1)
    clusters, classes = linear_sum_assignment(counts, maximize=True)
    matched[clusters] = classes
    return matched


def _table(name, codes, labels):
    """Returns how many samples each cluster has of each class, integers `(clusters, classes)`."""
    width = np.shape(codes)[1] if np.ndim(codes) == 2 else 0
    codes, labels = _checked_pair(name, codes, labels)
    counts = np.zeros((max(width, codes.max() + 1), labels.max() + 1), int)
    np.add.at(counts, (codes, labels), 1)
    return counts


def _matched_share(counts):
    rows, columns = linear_sum_assignment(counts, maximize=True)
    return counts[rows, columns].sum() / counts.sum()


def _share(metric, agrees, resamples, seed):
    card = Card(metric, samples=len(agrees), seeds=bootstrap_seeds(resamples, seed))
    return Score(np.mean(agrees), card, mean_interval(agrees, resamples, seed, 0.0, 1.0))


def _mean_of_intervals(scores):
    """Returns the interval of the mean of scores that are drawn each on its own, or `None`."""
    if any(score.interval is None for score in scores):
        return None
    values = np.array([float(score) for score in scores])
    ends = np.array([score.interval for score in scores])  # (scores, 2)
    low, high = np.sqrt(np.sum((ends - values[:, None]) ** 2, axis=0)) / len(scores)
    return max(values.mean() - low, 0.0), values.mean() + high


def _checked_pair(name, predictions, labels):
    """Returns predicted classes and labels, both integers `(n,)`."""
    predictions = np.asarray(predictions)
    if predictions.ndim == 2:
        predictions = np.argmax(checked_rows(name, predictions, minimum=1), axis=1)
    predictions = _checked_classes(name, predictions)
    return predictions, _checked_classes("labels", labels, len(predictions))


def _checked_classes(name, labels, count=None):
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels) or labels.min() < 0:
        raise ValueError(
            f"`{name}` must be integers from 0 of shape (n,), at least one; received {labels.dtype}"
            f" of shape {labels.shape}."
        )
    if count is not None and len(labels) != count:
        raise ValueError(f"`{name}` must be {count}, one a sample; received {len(labels)}.")
    return labels.astype("int64")
