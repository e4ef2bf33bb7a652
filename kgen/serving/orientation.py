"""The orientation in EXIF data, and what it does to pixels, inside a graph."""

import tensorflow as tf

from kgen.serving.image_files import bytes_of, number, text

_TAG = 0x0112  # EXIF 2.32, section 4.6.4.
_SHORT, _LONG = 3, 4  # Types of TIFF, of 2 and 4 bytes; no other counts, as in training.


def orientation_of(contents, exif):
    """Returns the orientation in a file's EXIF data, int64, 1 to 8; 1 where they say none.

    Args:
        contents: The file, a scalar string.
        exif: Where the data begin; 0 for none.
    """
    kind = text(contents, exif, 4)
    little = kind == b"II*\0"

    def at(place, count):
        return number(contents, place, count, little)

    first = exif + at(exif + 4, 4)
    count = at(first, 2)
    entries = tf.reshape(bytes_of(contents, first + 2, 12 * tf.maximum(count, 1)), (-1, 12))
    tags = tf.where(little, entries[:, 1], entries[:, 0]) * 256
    tags += tf.where(little, entries[:, 0], entries[:, 1])
    rows = tf.where((tags == _TAG) & (count > 0))[:, 0]

    def value():
        entry = first + 2 + 12 * rows[0]
        number_type, count = at(entry + 2, 2), at(entry + 4, 4)
        found = at(entry + 8, tf.where(number_type == _SHORT, 2, 4))
        is_one = (count == 1) & ((number_type == _SHORT) | (number_type == _LONG))
        return tf.where(is_one, found, 1)

    is_there = (exif > 0) & (little | (kind == b"MM\0*")) & (tf.size(rows) > 0)
    found = tf.cond(is_there, value, lambda: tf.constant(1, "int64"))
    return tf.where((found >= 1) & (found <= 8), found, 1)


def upright(pixels, orientation):
    """Returns pixels `(height, width, channels)` as the orientation wants them to be shown."""
    pixels = tf.cond(orientation >= 5, lambda: tf.transpose(pixels, (1, 0, 2)), lambda: pixels)
    rows, columns = (
        tf.where(tf.reduce_any(orientation == turned), -1, 1)
        for turned in (tf.constant(turned, "int64") for turned in ([3, 4, 7, 8], [2, 3, 6, 7]))
    )
    return pixels[::rows, ::columns]
