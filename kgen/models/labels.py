"""Labels of conditional systems: their checks, and rows of latents that end with them."""

import numpy as np
from keras import ops

from kgen.core import engine


def check_labels(labels, classes):
    """Raises a ValueError unless labels are integers from 0 to `classes` - 1, one an image.

    Args:
        labels: An array; or the spec of a dataset's labels, of which only type and shape are known.
        classes: How many there are.
    """
    if not hasattr(labels, "dtype"):
        labels = np.asarray(labels)
    name = getattr(labels.dtype, "name", str(labels.dtype))
    if not name.startswith(("int", "uint")) or len(labels.shape) != 1:
        raise ValueError(
            f"Labels must be integers from 0 to {classes - 1}, one an image, received {name} of "
            f"the shape {labels.shape}."
        )
    if isinstance(labels, np.ndarray) and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"Labels must be integers from 0 to {classes - 1}, received some from {labels.min()} "
            f"to {labels.max()}."
        )


def of_known_labels(rows, labels, classes):
    """Returns rows `(batch, d)` as they are; ends a training of which a label is not known.

    Weights stay as they were before that round.

    XLA knows no such end: there the rows of such labels become NaN, for the losses to show it. The
    weights are NaN with them; arrays of labels are checked before a training begins.
    """
    known = ops.logical_and(labels >= 0, labels < classes)
    # The labels of a dataset are seen here only.
    message = f"Labels must be integers from 0 to {classes - 1}."
    return engine.require(ops.all(known), message, ops.where(known[:, None], rows, float("nan")))


def with_labels(latents, labels, classes, noise):
    """Appends one-hot labels to rows of latents: (count, d) -> (count, d + classes).

    Args:
        latents: The rows.
        labels: Integers, one for all or one a row; `None` draws them evenly.
        classes: How many there are.
        noise: What draws them.
    """
    count = ops.shape(latents)[0]
    if labels is None:
        labels = ops.floor(classes * noise.uniform((count,)))
    labels = ops.broadcast_to(ops.cast(labels, "int32"), (count,))
    return ops.concatenate([latents, ops.one_hot(labels, classes)], axis=-1)
