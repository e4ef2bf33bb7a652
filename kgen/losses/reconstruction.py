"""How far images are from their targets, in units of the images' [-1, 1].

All map images and targets of the same shape `(batch, height, width, channels)`, or features of
them, to a float32 scalar, the mean over the batch. Means over pixels and channels, and not sums,
as in the papers on image translation: an image's size leaves their weights alone.
"""

from keras import ops


def absolute_error(outputs, targets):
    """E[|target - output|], the L1 loss. Isola et al. 2017, eq. 3, arXiv 1611.07004."""
    return ops.mean(ops.abs(_difference(outputs, targets)))


def squared_error(outputs, targets):
    """E[(target - output)^2], the L2 loss. Ledig et al. 2017, eqs. 4 and 5, arXiv 1609.04802."""
    return ops.mean(ops.square(_difference(outputs, targets)))


def weighted_squared_error(outputs, targets, weights):
    """E[sum(weights * (target - output)^2) / count], count the number of weights above 0.

    Pathak et al. 2016, eq. 1, arXiv 1604.07379, divided by the size of the region that counts, so
    that an image's loss does not depend on how much of it is missing. Weights do not divide: a
    region twice as heavy makes the loss larger. An image without any weight has a loss of 0.

    Args:
        outputs, targets: Images `(batch, height, width, channels)`.
        weights: At least 0, of the same shape or with one channel that stands for all.
    """
    weights = ops.broadcast_to(ops.cast(weights, "float32"), ops.shape(targets))
    axes = tuple(range(1, len(weights.shape)))
    errors = ops.sum(weights * ops.square(_difference(outputs, targets)), axis=axes)  # (batch,)
    count = ops.sum(ops.cast(weights > 0.0, "float32"), axis=axes)
    return ops.mean(errors / ops.maximum(count, 1.0))


def _difference(outputs, targets):
    return ops.cast(targets, "float32") - ops.cast(outputs, "float32")
