"""Degradations by a formula: edges, grey, one square, coarser pixels, noise."""

import tensorflow as tf


def edges(images, gain, key):
    """Draw dark lines on white where the brightness changes."""
    gradients = tf.image.sobel_edges((luminance(images) + 1.0) / 2.0)  # (b, h, w, 1, 2)
    magnitudes = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=-1))
    return tf.broadcast_to(1.0 - 2.0 * tf.minimum(gain * magnitudes, 1.0), images.shape)


def grey(images, share, key):
    """Take a share of the colour away."""
    return images + share * (luminance(images) - images)


def masked(images, share, key):
    """Put a square of the value 0 somewhere."""
    batch, height, width, _ = images.shape
    side = max(1, round(share * min(height, width)))
    draws = tf.random.stateless_uniform([batch, 2], key, alg="philox")
    inside = []
    for number, length in enumerate((height, width)):
        first = tf.floor(draws[:, number, None] * (length - side + 1))  # (batch, 1)
        places = tf.range(length, dtype=tf.float32)[None]
        inside.append((places >= first) & (places < first + side))  # (batch, length)
    square = inside[0][:, :, None, None] & inside[1][:, None, :, None]
    return tf.where(square, 0.0, images)


def downsampled(images, factor, key):
    """Replace blocks of pixels by their means."""
    means = tf.nn.avg_pool2d(images, factor, factor, "VALID")
    return tf.repeat(tf.repeat(means, factor, axis=1), factor, axis=2)


def low_resolution(images, factor, key):
    """Make images smaller, bicubic and antialiased: (b, h, w, c) -> (b, h / f, w / f, c)."""
    size = [side // factor for side in images.shape[1:3]]
    small = tf.image.resize(images, size, "bicubic", antialias=True)
    return tf.clip_by_value(small, -1.0, 1.0)  # Bicubic overshoots at edges.


def noise(images, std, key):
    """Add Gaussian noise."""
    draws = tf.random.stateless_normal(images.shape, key, alg="philox")
    return tf.clip_by_value(images + std * draws, -1.0, 1.0)


def luminance(images):
    """Return the brightness of images, `(..., 1)`, with the weights of ITU-R 601-2."""
    if images.shape[-1] == 1:
        return images
    return tf.reduce_sum(images * [0.299, 0.587, 0.114], axis=-1, keepdims=True)
