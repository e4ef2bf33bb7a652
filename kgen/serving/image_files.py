"""Image files inside a graph: what their headers say, and their pixels.

A header is read before a file is decoded, so that a small one cannot ask for much memory. What is
read has to be where the decoder reads it: a file whose first piece is not the one that holds the
size is of no format here. Bytes that are missing count as 0: it is the decoders that refuse a
broken file.
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from kgen.serving.refusals import required

# The most pieces of a file that are looked through for one: a server is not to be kept busy so.
_PIECES = 10_000


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of image file. Its functions take a file, a scalar string.

    Attributes:
        signature: What such a file begins with: tuples of a place and the texts that may be there.
        size: Returns the `(height, width)` in its header, int64.
        pixels: Returns uint8 `(height, width, 4)`, red, green, blue and alpha, and whether the file
            has an alpha channel or a transparent colour.
        exif: Returns where its EXIF data begin, int64; 0 if it has none.
    """

    signature: tuple
    size: Callable
    pixels: Callable
    exif: Callable

    def is_of(self, contents):
        """Whether a file begins as one of this format does."""
        starts = [
            tf.reduce_any(text(contents, at, len(texts[0])) == list(texts))
            for at, *texts in self.signature
        ]
        return tf.reduce_all(starts)


def number(contents, at, count, little=False):
    """Returns the whole number in some bytes of a file, int64.

    Args:
        contents: The file, a scalar string.
        at: Where the bytes begin.
        count: How many they are.
        little: Whether the first of them is the lowest, and not the highest.
    """
    digits = bytes_of(contents, at, count)
    digits = tf.where(little, digits, digits[::-1])
    return tf.reduce_sum(digits * 256 ** tf.range(tf.size(digits, tf.int64)))


def bytes_of(contents, at, count):
    """Returns bytes of a file, int64 `(count,)`; those beyond its end are 0."""
    length = tf.cast(count, "int32")
    found = tf.io.decode_raw(text(contents, at, count), "uint8", fixed_length=length)
    return tf.cast(found, "int64")


def text(contents, at, count):
    """Returns bytes of a file, a string; shorter where the file ends before."""
    at, count = tf.cast(at, "int64"), tf.cast(count, "int64")
    return tf.strings.substr(contents, tf.minimum(at, _end(contents)), count)


# ---------------------------------------------------------------- PNG


def _png_size(contents):
    return tf.stack([number(contents, 20, 4), number(contents, 16, 4)])


def _png_pixels(contents):
    bits, colour_type = number(contents, 24, 1), number(contents, 25, 1)
    clear = _png_chunk(contents, "tRNS")
    is_clear = clear > 0
    has_alpha = (colour_type >= 4) | is_clear

    def grey(channels):
        # TensorFlow scales to 16 bits what has fewer than 8; and kgen.data rounds what has 16.
        levels = tf.io.decode_png(contents, channels, "uint16")
        return tf.cast((tf.cast(levels, "int32") + 128) // 257, "uint8")

    def colours(channels):
        # Of 16 bits the upper 8, which Pillow, too, gives kgen.data.
        return tf.io.decode_png(contents, channels)

    def deep_colours():
        # The clear one, too, as of the others Pillow has no more.
        found = _opaque(colours(3))
        level = tf.cast(bytes_of(contents, clear, 6)[::2], "uint8")
        is_seen = tf.reduce_any(found[..., :3] != level, -1, keepdims=True)
        return tf.where(is_seen, found, found * [1, 1, 1, 0])

    # Four channels only where there is alpha: else TensorFlow makes one up, which may be wrong.
    cases = [
        ((colour_type == 0) & is_clear, lambda: grey(4)),
        (colour_type == 0, lambda: _opaque(tf.tile(grey(1), (1, 1, 3)))),
        ((colour_type == 2) & is_clear & (bits == 16), deep_colours),
        (has_alpha, lambda: colours(4)),
    ]
    return tf.case(cases, lambda: _opaque(colours(3))), has_alpha


def _png_exif(contents):
    return _tiff(contents, _png_chunk(contents, "eXIf"), 1)


def _png_chunk(contents, kind):
    """Returns where the data of the last chunk of a kind begin; 0 if there is none."""

    def walked():
        return _walk(
            contents,
            8,
            after=lambda at: at + 12 + number(contents, at, 4),
            is_found=lambda at: text(contents, at + 4, 4) == kind,
            is_last=lambda at: text(contents, at + 4, 4) == "IEND",
        )

    # Few files have one, and some have thousands of chunks.
    is_there = tf.strings.regex_full_match(contents, rf"\C*{kind}\C*")
    at = tf.cond(is_there, walked, lambda: tf.constant(0, "int64"))
    return tf.where(at > 0, at + 8, 0)


# ---------------------------------------------------------------- JPEG


def _jpeg_size(contents):
    return tf.cast(tf.io.extract_jpeg_shape(contents)[:2], "int64")


def _jpeg_pixels(contents):
    # Not TensorFlow's own choice, the fast transform, which Pillow does not take.
    colours = tf.io.decode_jpeg(contents, channels=3, dct_method="INTEGER_ACCURATE")
    return _opaque(colours), tf.constant(False)


def _jpeg_exif(contents):
    def after(at):
        size = 2 + number(contents, at + 2, 2)
        return at + tf.where(number(contents, at, 2) == 0xFFFF, tf.ones_like(size), size)

    def is_exif(at):
        return (text(contents, at, 2) == b"\xff\xe1") & (text(contents, at + 4, 6) == b"Exif\0\0")

    def is_last(at):  # What is no marker, or that of the scan or of the end.
        marker = number(contents, at, 2)
        return is_exif(at) | (marker < 0xFF00) | (marker == 0xFFDA) | (marker == 0xFFD9)

    at = _walk(contents, 2, after, is_exif, is_last)
    return _tiff(contents, tf.where(at > 0, at + 4, 0), 2)


# ---------------------------------------------------------------- BMP


def _bmp_size(contents):
    width, height = (number(contents, at, 4, little=True) for at in (18, 22))
    return tf.stack([tf.where(height < 2**31, height, 2**32 - height), width])  # May be negative.


def _bmp_pixels(contents):
    header, bits, compression = (
        number(contents, at, count, little=True) for at, count in ((14, 4), (28, 2), (30, 4))
    )
    contents = required(
        contents,
        (header >= 40) & (compression == 0) & ((bits == 8) | (bits == 24) | (bits == 32)),
        "image_bytes: expected a BMP of 8, 24 or 32 bits a pixel, not compressed, got one of ",
        bits,
        " bits and the compression ",
        compression,
        ".",
    )
    stored = tf.io.decode_bmp(contents)

    def of_palette():
        palette = tf.reshape(bytes_of(contents, 14 + header, 4 * 256), (256, 4))[:, 2::-1]
        return tf.gather(tf.cast(palette, "uint8"), tf.cast(stored[..., 0], "int32"))

    colours = tf.cond(bits == 8, of_palette, lambda: stored[..., :3])
    return _opaque(colours), tf.constant(False)


def _bmp_exif(contents):
    return tf.constant(0, "int64")


# ---------------------------------------------------------------- WebP


def _webp_size(contents):
    kind = text(contents, 12, 4)

    def of_canvas():  # Of what has transparency, EXIF data or more images than one.
        return tf.stack([1 + number(contents, at, 3, little=True) for at in (27, 24)])

    def of_lossless():
        packed = number(contents, 21, 4, little=True)
        return tf.stack([1 + packed // 2**14 % 2**14, 1 + packed % 2**14])

    def of_lossy():
        return tf.stack([number(contents, at, 2, little=True) % 2**14 for at in (28, 26)])

    return tf.case([(kind == "VP8X", of_canvas), (kind == "VP8L", of_lossless)], of_lossy)


def _webp_pixels(contents):
    is_animated = (text(contents, 12, 4) == "VP8X") & (number(contents, 20, 1) // 2 % 2 == 1)
    contents = required(
        contents, ~is_animated, "image_bytes: expected a WebP of one image, got an animated one."
    )
    stored = tf.io.decode_webp(contents)[0]
    has_alpha = tf.shape(stored)[-1] == 4
    return tf.cond(has_alpha, lambda: stored, lambda: _opaque(stored)), has_alpha


def _webp_exif(contents):
    def after(at):
        size = number(contents, at + 4, 4, little=True)
        return at + 8 + size + size % 2

    def is_exif(at):
        return text(contents, at, 4) == "EXIF"

    at = _walk(contents, 12, after, is_exif, is_exif)
    return _tiff(contents, tf.where(at > 0, at + 8, 0), 2)


FORMATS = {
    "PNG": Format(((0, b"\x89PNG\r\n\x1a\n"), (12, b"IHDR")), _png_size, _png_pixels, _png_exif),
    "JPEG": Format(((0, b"\xff\xd8\xff"),), _jpeg_size, _jpeg_pixels, _jpeg_exif),
    "WebP": Format(
        ((0, b"RIFF"), (8, b"WEBP"), (12, b"VP8 ", b"VP8L", b"VP8X")),
        _webp_size,
        _webp_pixels,
        _webp_exif,
    ),
    "BMP": Format(((0, b"BM"),), _bmp_size, _bmp_pixels, _bmp_exif),
}


def _walk(contents, start, after, is_found, is_last):
    """Returns where the last piece of a file that is looked for begins; 0 if there is none.

    Args:
        contents: The file.
        start: Where its first piece begins.
        after: Function from a piece's beginning to that of the next.
        is_found: Function from a piece's beginning to a boolean.
        is_last: The same, whether none behind that piece counts.
    """
    at, found = tf.while_loop(
        lambda at, found: (at < _end(contents)) & ~is_last(at),
        lambda at, found: [after(at), tf.where(is_found(at), at, found)],
        [tf.constant(start, "int64"), tf.constant(0, "int64")],
        maximum_iterations=_PIECES,
    )
    return tf.where(is_found(at), at, found)


def _tiff(contents, exif, most):
    """Returns where EXIF data begin behind their prefix, which may be there so many times."""
    for _ in range(most):
        is_prefix = (exif > 0) & (text(contents, exif, 6) == b"Exif\0\0")
        exif += tf.where(is_prefix, tf.constant(6, "int64"), 0)
    return exif


def _opaque(colours):
    return tf.pad(colours, [[0, 0], [0, 0], [0, 1]], constant_values=255)


def _end(contents):
    return tf.cast(tf.strings.length(contents), "int64")
