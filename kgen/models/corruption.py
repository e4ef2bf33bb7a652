"""What a denoising autoencoder's images are corrupted by: Vincent et al. 2008 and 2010.

All are functions `(images, amount, noise)`, of images `(batch, height, width, channels)` in [-1,
1] or rows `(batch, d)` and random draws (`kgen.core.Noise`), that return the corrupted ones, of the
same shape. "Elements" are the channels of all pixels, each by itself. Least and largest are -1 and
1 of images, and 0 and 1 of rows, such as the codes of sigmoids.
"""

import math

from keras import ops


def gaussian(images, amount, noise):
    """Adds N(0, amount^2) to each element; the result may leave [-1, 1].

    Vincent et al. 2010, whose elements are in [0, 1]: of ours the deviation is twice theirs.
    """
    return images + amount * noise.normal(ops.shape(images))


def masking(images, amount, noise):
    """Sets the share `amount` of each image's elements to the least: Vincent et al. 2008, 2.3."""
    return ops.where(_chosen(images, amount, noise), _least(images), images)


def salt_and_pepper(images, amount, noise):
    """Sets the share `amount` of each image's elements to the least or largest, by a coin's toss.

    Vincent et al. 2010.
    """
    chosen = _chosen(images, amount, noise)
    extreme = ops.where(noise.uniform(ops.shape(images)) < 0.5, _least(images), 1.0)
    return ops.where(chosen, extreme, images)


CORRUPTIONS = {"gaussian": gaussian, "masking": masking, "salt_and_pepper": salt_and_pepper}


def _least(images):
    return -1.0 if len(images.shape) == 4 else 0.0


def _chosen(images, amount, noise):
    """Chooses the share `amount` of each image's elements, rounded to a number of them."""
    size = math.prod(images.shape[1:])
    draws = noise.uniform((ops.shape(images)[0], size))
    # The rank of each draw among its image's: a fixed number of elements, as in the paper.
    ranks = ops.argsort(ops.argsort(draws, axis=-1), axis=-1)
    return ops.reshape(ranks < round(amount * size), ops.shape(images))
