"""Images with a part missing, and the mask that says which: for inpainting.

Pathak, Krahenbuhl, Donahue, Darrell and Efros (2016), "Context encoders: feature learning by
inpainting", arXiv 1604.07379, section 3.3: a central square, random blocks, random regions.

All give images with one channel more, the mask: 1 where a pixel is known and -1 where it is
missing, as the opacity of a PNG file. Missing pixels are 0 in the other channels.
"""

import tensorflow as tf

_BLOCKS = 16  # tried for an image


def hole_centre(images, share, key):
    """Cut the middle out: a share of the area, of the image's own proportions."""
    batch, height, width, _ = images.shape
    sides = _sides((height, width), share)
    firsts = [tf.fill([batch], float((length - side) // 2)) for length, side in
              zip((height, width), sides, strict=True)]  # fmt: skip
    return _without(images, _rectangles((height, width), firsts, sides))


def hole_square(images, share, key):
    """Cut out what `hole_centre` does, at a random place."""
    batch, height, width, _ = images.shape
    sides = _sides((height, width), share)
    draws = tf.random.stateless_uniform([batch, 2], key, alg="philox")
    firsts = [
        tf.floor(draws[:, axis] * (length - side + 1))
        for axis, (length, side) in enumerate(zip((height, width), sides, strict=True))
    ]
    return _without(images, _rectangles((height, width), firsts, sides))


def hole_blocks(images, share, key):
    """Cut out smaller rectangles, which may overlap, as many as fit into a share of the area.

    Each has sides of a quarter to a half of those of `hole_centre`.
    """
    batch, height, width, _ = images.shape
    draws = tf.random.stateless_uniform([2, 2, batch, _BLOCKS], key, alg="philox")
    inside = []
    for axis, (length, largest) in enumerate(
        zip((height, width), _sides((height, width), share), strict=True)
    ):
        sides = tf.maximum(1.0, tf.round((1.0 + draws[0, axis]) / 4.0 * largest))
        firsts = tf.floor(draws[1, axis] * (length - sides + 1.0))
        inside.append(tf.cast(_span(length, firsts, sides), tf.float32))  # (b, blocks, length)
    # Each block adds its power of two, the first the highest: what a pixel has is at least that of
    # the first block it lies in, and less than that of the one before.
    powers = 2.0 ** tf.range(_BLOCKS - 1.0, -1.0, -1.0)
    sums = tf.matmul(inside[0] * powers[:, None], inside[1], transpose_a=True)  # (b, h, w)
    # `_BLOCKS` in the first block, 1 in the last alone, 0 in none.
    levels = tf.raw_ops.Bucketize(input=sums, boundaries=[2.0**n for n in range(_BLOCKS)])
    counts = tf.math.bincount(tf.reshape(levels, [batch, -1]), None, _BLOCKS + 1, axis=-1)
    areas = tf.cumsum(counts, axis=1, reverse=True)  # of all levels from each on
    lowest = 1 + tf.math.count_nonzero(
        areas[:, 1:] > round(share * height * width), axis=1, dtype=tf.int32
    )
    # The smallest block may be larger than the share of a tiny image.
    lowest = tf.minimum(lowest, _BLOCKS)
    return _without(images, (levels >= lowest[:, None, None])[..., None])


def hole_region(images, share, key):
    """Cut out a region of random shape, exactly a share of the area.

    It is where Gaussian noise, smoothed over an eighth of the shorter side, is highest.
    """
    # Differs from the paper: there shapes come from the outlines of objects in PASCAL VOC 2012.
    batch, height, width, _ = images.shape
    noise = tf.random.stateless_normal([batch, height, width], key, alg="philox")
    deviation = min(height, width) / 8.0
    rows, columns = (_smoothing(length, deviation) for length in (height, width))
    # (h, h) (b, h, w) (w, w) -> (b, h, w)
    smooth = tf.matmul(tf.matmul(rows, noise), columns, transpose_b=True)
    count = max(1, round(share * height * width))
    highest = tf.math.top_k(tf.reshape(smooth, [batch, -1]), count).values
    return _without(images, (smooth >= highest[:, -1, None, None])[..., None])


def _sides(lengths, share):
    """Return the sides of a rectangle of a share of the area, in whole pixels."""
    return [max(1, round(share**0.5 * length)) for length in lengths]


def _rectangles(lengths, firsts, sides):
    """Return where rectangles are, booleans `(batch, height, width, 1)`.

    Args:
        lengths: height and width.
        firsts: where the rectangles begin along each, floats `(batch,)`.
        sides: how long they are.
    """
    rows, columns = map(_span, lengths, firsts, sides)
    return rows[:, :, None, None] & columns[:, None, :, None]


def _span(length, firsts, sides):
    """Return which places lie within spans, (...) -> booleans `(..., length)`."""
    places = tf.range(length, dtype=tf.float32)
    return (places >= firsts[..., None]) & (places < (firsts + sides)[..., None])


def _smoothing(length, deviation):
    """Return the matrix `(length, length)` of Gaussian weights, by rows of one sum of squares."""
    places = tf.range(length, dtype=tf.float32)
    weights = tf.exp(-tf.square((places[:, None] - places) / deviation) / 2.0)
    # So that smoothed noise varies as much at the border as in the middle.
    return weights / tf.norm(weights, axis=1, keepdims=True)


def _without(images, hole):
    """Return images with 0 in a hole and the mask as one more channel."""
    known = tf.where(hole, -1.0, tf.ones_like(images[..., :1]))
    return tf.concat([tf.where(hole, 0.0, images), known], axis=-1)
