"""The area under the ROC curve: how well a score tells the positive from the negative."""

import numpy as np
from scipy.stats import rankdata

from kgen.metrics.arrays import checked_rows
from kgen.metrics.bootstrap import bootstrap_interval, bootstrap_seeds
from kgen.metrics.card import Card
from kgen.metrics.score import Score


def auroc(scores, labels, resamples=100, seed=0):
    """P(score of a positive > score of a negative) + P(they are equal) / 2, in [0, 1].

    Mann and Whitney 1947; Hanley and McNeil 1982: it is the area under the curve of true against
    false positive rate. 1 if every positive scores above every negative, 0.5 for chance.

    The interval resamples positives and negatives each on their own; an area of 0 or 1 has one of
    no width.

    Args:
        scores: Array `(n,)`, higher for what is thought positive, such as anomalous.
        labels: Array `(n,)` of booleans, or of 0 and 1; 1 is positive.
        resamples: Number of resamples of the bootstrap; 0 for no interval.
        seed: Integer that fixes the resamples.

    Returns:
        `Score`; its card's settings have the number of positives.

    Raises:
        ValueError: If an array is not as said or not finite, or a class has no sample.

    Example:
        >>> from kgen.metrics import auroc
        >>> float(auroc([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1]))
        0.875
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 1 or labels.shape != scores.shape:
        raise ValueError(
            "`scores` and `labels` must both have shape (n,); received arrays of shapes "
            f"{scores.shape} and {labels.shape}."
        )
    scores = checked_rows("scores", scores[:, None])[:, 0]
    if labels.dtype.kind not in "biuf" or not np.isin(labels, (0, 1)).all():
        raise ValueError(
            f"`labels` must be booleans, or 0 and 1; received {labels.dtype} with values such as "
            f"{np.unique(labels)[:5]}."
        )
    positive, negative = scores[labels == 1], scores[labels == 0]
    if not len(positive) or not len(negative):
        raise ValueError(
            f"`labels` must have samples of both classes; received {len(positive)} positive and "
            f"{len(negative)} negative."
        )
    value = _area(positive, negative)
    card = Card(
        "auroc",
        samples=len(scores),
        settings={"positives": len(positive)},
        seeds=bootstrap_seeds(resamples, seed),
    )
    interval = bootstrap_interval(
        lambda rows, other: _area(positive[rows], negative[other]),
        (len(positive), len(negative)),
        value,
        resamples,
        seed,
        lowest=0.0,
        highest=1.0,
    )
    return Score(value, card, interval)


def _area(positive, negative):
    # A positive's rank among all, less its rank among positives, is the number of negatives below
    # it, ties counting one half.
    count = len(positive)
    ranks = np.sum(rankdata(np.concatenate([positive, negative]))[:count])
    return float((ranks - count * (count + 1) / 2) / (count * len(negative)))
