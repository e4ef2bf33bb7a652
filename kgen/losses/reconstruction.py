"""How far images are from their targets, in units of the images' [-1, 1].

The errors of image translation map images and targets of the same shape `(batch, height, width,
channels)`, or features of them, to a float32 scalar, the mean over the batch. Means over pixels and
channels, and not sums, as in the papers on image translation: an image's size leaves their weights
alone. Those of autoencoders are sums, as in theirs; `RECONSTRUCTIONS` has them by name.
"""

import dataclasses
from collections.abc import Callable

from keras import ops

from kgen.losses.likelihood import LIKELIHOODS, bernoulli_log_prob


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


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """What an autoencoder's decoder is trained by.

    Attributes:
        error: Function of a decoder's outputs and the targets, both `(batch, ...)`, to `(batch,)`.
        mean: Function of a decoder's outputs to what they stand for, in the targets' range.
    """

    error: Callable
    mean: Callable


def _sum_of(difference):
    return ops.sum(difference, axis=tuple(range(1, len(difference.shape))))


RECONSTRUCTIONS = {
    # Rumelhart, Hinton and Williams 1986, without their factor of 1/2.
    "l2": Reconstruction(
        lambda outputs, targets: _sum_of(ops.square(_difference(outputs, targets))),
        lambda outputs: ops.cast(outputs, "float32"),
    ),
    "l1": Reconstruction(
        lambda outputs, targets: _sum_of(ops.abs(_difference(outputs, targets))),
        lambda outputs: ops.cast(outputs, "float32"),
    ),
    # The cross-entropy of Vincent et al. 2008, eq. 2, in nats; outputs are logits.
    "bernoulli": Reconstruction(
        lambda outputs, targets: -bernoulli_log_prob(targets, outputs),
        LIKELIHOODS["bernoulli"].mean,
    ),
}
