"""Bright figures laid over photographs: the input of figure-ground segmentation."""

import tensorflow as tf

from kgen.data import examples
from kgen.data.photos import photos
from kgen.data.pixel_degradations import luminance
from kgen.data.rows import Request

CROPS = 2**52  # to draw from: as many as a draw can tell apart
LEAST_CONTRAST = 0.5  # of a figure against the mean of its background, in the units of pixels


def backgrounds(shape, seed, split):
    """Return the crops of photographs that images of a shape are laid over.

    They are `kgen.data.photos`, of the split's own parts of the photographs: what is behind
    held-out figures was never behind those of the training.

    Args:
        shape: `(height, width, channels)`.
        seed: integer of 64 bits.
        split: one of `kgen.data.splitting.SPLITS`.

    Returns:
        `Examples`, `CROPS` of them.

    Raises:
        ValueError: the images are larger than the parts of the photographs.
    """
    request = Request(split, tuple(shape[:2]), shape[2], seed, CROPS)
    return examples.of_function(photos(request)).without_labels()


def clutter(images, contrast, key, prepared):
    """Lay figures over crops of photographs.

    An image's luminance is the figure's opacity: black is none, white is all. The figure has one
    grey for each image, drawn uniformly from all in [-1, 1] that differ by at least
    `LEAST_CONTRAST` from the mean of the background: it may be the darker or the brighter of the
    two, so that no threshold tells them apart.

    Args:
        images: float32 `(batch, height, width, channels)` in [-1, 1].
        contrast: share of the background's contrast, in (0, 1]; at 0 it would be a medium grey.
        key: int64 `(2,)` that the draws come from.
        prepared: `Examples` as of `backgrounds`.

    Returns:
        float32 images of the same shape in [-1, 1].
    """
    draws = tf.random.stateless_uniform([images.shape[0], 2], key, dtype=tf.float64, alg="philox")
    rows = tf.cast(draws[:, 0] * prepared.count, tf.int64)
    (ground,) = prepared.fetch(rows)
    ground *= contrast
    mean = tf.reduce_mean(ground, axis=(1, 2, 3), keepdims=True)  # (batch, 1, 1, 1)
    darker = tf.maximum(mean - LEAST_CONTRAST + 1.0, 0.0)  # how many greys there are below it
    brighter = tf.maximum(1.0 - mean - LEAST_CONTRAST, 0.0)
    place = tf.cast(draws[:, 1], tf.float32)[:, None, None, None] * (darker + brighter)
    figure = tf.where(place < darker, place - 1.0, mean + LEAST_CONTRAST + place - darker)
    opacity = (luminance(images) + 1.0) / 2.0
    # Rounding may leave [-1, 1].
    return tf.clip_by_value((1.0 - opacity) * ground + opacity * figure, -1.0, 1.0)
