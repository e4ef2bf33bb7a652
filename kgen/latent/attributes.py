"""Directions in which an attribute of images changes, found from labelled examples."""

import dataclasses

import numpy as np

from kgen.latent.arguments import check_choice, finite_numbers, finite_rows, free_width

METHODS = ("mean_difference", "logistic", "svm")

# Of the largest principal component: what varies less is no direction to move along.
_LEAST_VARIATION = 0.25


@dataclasses.dataclass(frozen=True)
class AttributeVector:
    """A direction of latents, and how far the examples spread along it.

    Attributes:
        vector: float32 array of the shape of a row, of length 1; towards images that have the
            attribute.
        deviation: Standard deviation of the examples along the vector: the unit of the amounts that
            `move` takes.
        accuracy: Share of the examples that lie on their own side of the place along the vector
            where both kinds are told apart best, in [0.5, 1]. These are the examples that the
            vector is made of: of few examples of many numbers it is high whatever they are.
    """

    vector: np.ndarray
    deviation: float
    accuracy: float


def attribute_vector(codes, present, method="mean_difference", labels=0):
    """Returns the direction along which codes come to have an attribute.

    The difference of the means of those with and without it (Larsen et al. 2016, section 3.3, arXiv
    1512.09300); or the normal of the plane that a linear classifier puts between them (Shen et al.
    2020, section 3.1, arXiv 1907.10786), which leaves out what only goes along with the attribute.

    Args:
        codes: Array `(n, ..., d)` of the examples' latents or styles, such as `encode` gives or
            those that `decode` made images of.
        present: Whether each example has the attribute, `(n,)` booleans or 0 and 1. A measured
            number becomes such by `values > np.median(values)`.
        method: `"mean_difference"`; `"logistic"`, scikit-learn's `LogisticRegression`; or `"svm"`,
            its `LinearSVC`. The classifiers are told the principal components along which codes
            vary at least a quarter as much as along the first: the others, such as the unused
            latents of a VAE, tell kinds apart by chance, and steps along them lead astray.
        labels: How many of the last numbers of a row are its label, in which the vector is 0.

    Returns:
        `AttributeVector`.

    Raises:
        ValueError: If an argument is not of this form, or the examples are all of one kind or have
            no direction that tells them apart.

    Example:
        >>> from kgen.latent import attribute_vector, move
        >>> found = attribute_vector([[0.0, 5.0], [0.0, 7.0], [4.0, 5.0], [4.0, 7.0]], [0, 0, 1, 1])
        >>> found.vector.tolist(), found.deviation, found.accuracy
        ([1.0, 0.0], 2.0, 1.0)
        >>> move([1.0, 1.0], found, [-1.0, 0.0, 2.0]).tolist()
        [[-1.0, 1.0], [1.0, 1.0], [5.0, 1.0]]
    """
    codes = finite_rows("codes", codes, axes=2)
    present = _checked_present(present, len(codes))
    check_choice("method", method, METHODS)
    free = np.arange(codes.shape[-1]) < free_width(labels, codes)
    rows = (codes * free).reshape(len(codes), -1)
    vector = _classifier_normal if method != "mean_difference" else _mean_difference
    vector = vector(rows, present, method)
    length = np.linalg.norm(vector)
    if not length > 1e-12 * max(1.0, np.abs(rows).max()):
        raise ValueError(
            "`codes` must differ between examples with the attribute and without it, received such "
            f"with a difference of {length:.3g}."
        )
    vector = vector / length
    along = rows @ vector
    return AttributeVector(
        vector.reshape(codes.shape[1:]).astype("float32"),
        float(np.std(along)),
        _accuracy(along, present),
    )


def move(latents, attribute, amounts):
    """Returns latents moved along an attribute's vector: latents + amount * deviation * vector.

    Args:
        latents: Array `(..., d)` whose last axes are those of the vector: a row, or a batch.
        attribute: `AttributeVector`.
        amounts: List of how far to move, in standard deviations of the examples along the vector;
            negative ones take the attribute away.

    Returns:
        float32 array `(amounts, ..., d)`.

    Raises:
        ValueError: If an argument is not of this form.
    """
    if not isinstance(attribute, AttributeVector):
        raise ValueError(f"`attribute` must be an AttributeVector, received {attribute!r}.")
    latents, amounts = finite_rows("latents", latents), finite_numbers("amounts", amounts)
    shape = attribute.vector.shape
    if latents.shape[latents.ndim - len(shape) :] != shape:
        raise ValueError(
            f"`latents` must be rows of the attribute's shape {shape}, received {latents.shape}."
        )
    steps = attribute.deviation * amounts.reshape(-1, *(1,) * latents.ndim)
    return (latents + steps * attribute.vector).astype("float32")


def _checked_present(present, count):
    values = np.asarray(present)
    if values.shape != (count,) or values.dtype.kind not in "biuf":
        raise ValueError(
            f"`present` must be a boolean for each of the {count} codes, received "
            f"{values.dtype} of the shape {values.shape}."
        )
    if not np.isin(values, (0, 1)).all() or len(np.unique(values)) != 2:
        raise ValueError(
            "`present` must be true (1) for some codes and false (0) for others, received the "
            f"values {np.unique(values)[:5].tolist()}."
        )
    return values.astype(bool)


def _mean_difference(rows, present, method):
    return rows[present].mean(axis=0) - rows[~present].mean(axis=0)


def _classifier_normal(rows, present, method):
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    centred = rows - rows.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[sizes >= _LEAST_VARIATION * sizes[0]]  # (components, d)
    deviation = max(sizes[0] / len(rows) ** 0.5, 1e-300)
    if method == "logistic":
        classifier = LogisticRegression(max_iter=1000)
    else:
        classifier = LinearSVC(dual=False, max_iter=10_000)
    return classifier.fit(centred @ axes.T / deviation, present).coef_[0] @ axes


def _accuracy(along, present):
    """Share on the right side of the best threshold."""
    order = np.argsort(along, kind="stable")
    values, ordered = along[order], present[order]
    below = np.concatenate([[0], np.cumsum(~ordered)])  # Without it below each threshold ...
    above = ordered.sum() - np.concatenate([[0], np.cumsum(ordered)])  # ... and with it above.
    # No threshold tells equal values apart.
    possible = np.concatenate([[True], np.diff(values) > 0.0, [True]])
    return float(np.max((below + above)[possible]) / len(along))
