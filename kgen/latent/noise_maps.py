"""The noise maps of a StyleGAN as something to look for: Karras et al. 2020, appendix D.

Without care they come to draw the image themselves. So they are kept like noise: of mean 0 and
variance 1, and without correlation between neighbours, on all scales.
"""

import math

from keras import ops

# Maps are compared with their neighbours on all scales down to this size.
_SMALLEST = 8


def maps_in(rows, shapes):
    """Returns the maps `(count, height, width, 1)` of which rows `(count, numbers)` consist."""
    maps, first = [], 0
    for shape in shapes:
        size = math.prod(shape)
        maps.append(ops.reshape(rows[:, first : first + size], (-1, *shape)))
        first += size
    return maps


def normalised(maps):
    """Returns maps `(count, height, width, 1)`, each set to a mean of 0 and a variance of 1."""
    mean = ops.mean(maps, axis=(1, 2, 3), keepdims=True)
    centred = maps - mean
    variance = ops.mean(ops.square(centred), axis=(1, 2, 3), keepdims=True)
    return centred * ops.rsqrt(variance + 1e-8)


def correlation(maps):
    """How much the numbers of maps go with their neighbours': `(count,)`, 0 for none.

    Karras et al. 2020, appendix D, arXiv 1912.04958: of each map, and of it at half the size and so
    on down to 8 x 8, the square of the mean product of each number with its left and with its upper
    neighbour, the map's other side being the neighbour at the edge. Halves are means of four,
    doubled to keep the variance that independent numbers have.

    Args:
        maps: List of maps `(count, height, width, 1)`.
    """
    total = 0.0
    for values in maps:
        while True:
            for axis in (1, 2):
                products = values * ops.roll(values, 1, axis=axis)
                total = total + ops.square(ops.mean(products, axis=(1, 2, 3)))
            height, width = values.shape[1:3]
            if min(height, width) <= _SMALLEST or height % 2 or width % 2:
                break
            values = 2.0 * ops.average_pool(values, 2, 2)
    return total
