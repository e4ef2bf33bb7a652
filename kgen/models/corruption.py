"""What a denoising autoencoder's images are corrupted by: Vincent et al. 2008 and 2010.

All are functions `(images, amount, noise)`, of images `(batch, ...)` in [-1, 1] and random draws
(`kgen.core.Noise`), that return the corrupted images, of the same shape. "Elements" are the
channels of all pixels, each by itself.
"""

import math

from keras import ops


def gaussian(images, amount, noise):
    """Adds N(0, amount^2) to each element; the result may leave [-1, 1].

    Vincent et al. 2010, section 3.5, whose elements are in [0, 1]: half of their deviation.
    """
    return images + amount * noise.normal(ops.shape(images))


def masking(images, amount, noise):
    """Sets the share `amount` of each image's elements to -1, black: Vincent et al. 2008, 2.3."""
    return ops.where(_chosen(images, amount, noise), -1.0, images)


def salt_and_pepper(images, amount, noise):
    """Sets the share `amount` of each image's elements to -1 or 1, by the toss of a coin.

    Vincent et al. 2010, section 3.5.
    """
    chosen = _chosen(images, amount, noise)
    extreme = ops.where(noise.uniform(ops.shape(images)) < 0.5, -1.0, 1.0)
    return ops.where(chosen, extreme, images)


CORRUPTIONS = {"gaussian": gaussian, "masking": masking, "salt_and_pepper": salt_and_pepper}


def _chosen(images, amount, noise):
    """Chooses the share `amount` of each image's elements, rounded to a number of them."""
    size = math.prod(images.shape[1:])
    draws = noise.uniform((ops.shape(images)[0], size))
    # The rank of each draw among its image's: a fixed number of elements, as in the paper.
    ranks = ops.argsort(ops.argsort(draws, axis=-1), axis=-1)
    return ops.reshape(ranks < round(amount * size), ops.shape(images))
