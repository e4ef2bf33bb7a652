"""Log likelihoods of images in [-1, 1] under a decoder's outputs, in nats per image.

All map images `(batch, height, width, channels)` and a decoder's outputs to `(batch,)` float32.
`LIKELIHOODS` says by name how many outputs a channel each one needs and which image is its mean.
"""

import dataclasses
import math
from collections.abc import Callable

from keras import ops


def bernoulli_log_prob(images, logits):
    """sum(x log p + (1 - x) log(1 - p)), x the images moved to [0, 1], p = sigmoid(logits).

    Kingma and Welling 2014, appendix C.1, arXiv 1312.6114. A probability only where the images are
    binary; on grey ones the customary stand-in for one.
    """
    x, logits = 0.5 * (_float32(images) + 1.0), _float32(logits)
    return _sum(x * logits - ops.softplus(logits))


def gaussian_log_prob(images, outputs):
    """sum(log N(x; mean, exp(log_scale)^2)), a density of pixel values in [-1, 1].

    Kingma and Welling 2014, appendix C.2. `outputs` holds mean and log_scale, the logarithm of the
    standard deviation, one after the other along the channels; log_scale is kept in [-5, 10].
    """
    mean, log_scale = _mean_and_log_scale(outputs, lowest=-5.0)
    x = (_float32(images) - mean) * ops.exp(-log_scale)
    return _sum(-0.5 * ops.square(x) - log_scale - 0.5 * math.log(2.0 * math.pi))


def discretized_logistic_log_prob(images, outputs, levels=256):
    """sum(log(CDF(x + 1/255) - CDF(x - 1/255))), CDF of a logistic distribution.

    Salimans et al. 2017 (PixelCNN++), eq. 2 with one component, arXiv 1701.05517: the probability
    of each of the 256 grey levels k / 127.5 - 1, the lowest and the highest taking the tails.
    `outputs` holds mean and log_scale one after the other along the channels; log_scale is kept
    in [-7, 10].
    """
    mean, log_scale = _mean_and_log_scale(outputs, lowest=-7.0)
    x, half_step = _float32(images), 1.0 / (levels - 1)
    inverse_scale = ops.exp(-log_scale)
    above = inverse_scale * (x - mean + half_step)
    below = inverse_scale * (x - mean - half_step)
    # log(sigmoid(above) - sigmoid(below)), without the difference of two near ones: the width of
    # the bin is the same for all x, so that log(1 - exp(-width)) is all that is left to take.
    width = 2.0 * half_step * inverse_scale
    middle = ops.log_sigmoid(above) + ops.log_sigmoid(-below) + ops.log(-ops.expm1(-width))
    lowest, highest = ops.log_sigmoid(above), ops.log_sigmoid(-below)
    edge = 1.0 - half_step
    return _sum(ops.where(x < -edge, lowest, ops.where(x > edge, highest, middle)))


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """A likelihood as a VAE uses it.

    Attributes:
        log_prob: Function of images and a decoder's outputs, `(batch,)` in nats.
        mean: Function of a decoder's outputs, the mean image in [-1, 1].
        outputs: Numbers that the decoder gives for each channel of a pixel.
    """

    log_prob: Callable
    mean: Callable
    outputs: int


def _bernoulli_mean(logits):
    return 2.0 * ops.sigmoid(_float32(logits)) - 1.0


def _location(outputs):
    return ops.clip(ops.split(_float32(outputs), 2, axis=-1)[0], -1.0, 1.0)


LIKELIHOODS = {
    "bernoulli": Likelihood(bernoulli_log_prob, _bernoulli_mean, outputs=1),
    "gaussian": Likelihood(gaussian_log_prob, _location, outputs=2),
    "discretized_logistic": Likelihood(discretized_logistic_log_prob, _location, outputs=2),
}


def _mean_and_log_scale(outputs, lowest):
    mean, log_scale = ops.split(_float32(outputs), 2, axis=-1)
    return mean, ops.clip(log_scale, lowest, 10.0)


def _sum(values):
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))


def _float32(x):
    return ops.cast(x, "float32")
