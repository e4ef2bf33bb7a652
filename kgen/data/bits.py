"""Images of 0 and 1 alone, as masks are: on the scale of 0..255 these are black."""

import itertools
import warnings

import numpy as np
import tensorflow as tf

_LOOKED_AT = 100  # files at most, where all that is seen of them is black


def warn_of_bits(images):
    """Warn if an array is of bytes of 0 and 1 alone."""
    if images.dtype == np.uint8 and images.size and images.max() == 1:
        _warn("multiply them by 255, or give an array file value_range=(0, 1)")


def warn_of_bits_in_files(images, files):
    """Warn of what `warn_of_bits` cannot see: files of 16 bits, and one side of pairs.

    Of 16 bits a 1 is 0 of 8.

    Args:
        images: uint8 array `(n, height, width, channels)`, or of pairs `(n, 2, ...)`.
        files: iterable of the n files that they were read from: paths, or pairs of them.
    """
    if images.max() == 1:
        return
    files = list(itertools.islice(files, _LOOKED_AT))
    for number, side in enumerate(images.swapaxes(0, 1) if images.ndim == 5 else [images]):
        paths = (file[number] if isinstance(file, tuple) else file for file in files)
        most = side.max()
        if most == 1 or (most == 0 and max(map(_largest_of_16_bits, paths)) == 1):
            _warn("multiply them by 255, or by 65535 where they have 16 bits")


def _largest_of_16_bits(path):
    """Return the largest value of the colours of a PNG of 16 bits; 0 of any other file."""
    with open(path, "rb") as file:
        content = file.read(25)
        if content[:8] != b"\x89PNG\r\n\x1a\n" or content[24:] != b"\x10":
            return 0
        content += file.read()
    levels = tf.io.decode_png(content, dtype=tf.uint16).numpy()
    colours = levels[..., :-1] if levels.shape[-1] % 2 == 0 else levels
    return int(colours.max())


def _warn(advice):
    warnings.warn(
        "The largest value of these integer images is 1: on the scale of 0..255 they are all but "
        f"black. If 1 stands for white, {advice}.",
        stacklevel=3,
    )
