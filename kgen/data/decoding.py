"""Reading image files with Pillow: one 8-bit image of a given size and number of channels."""

import concurrent.futures
import os

import numpy as np

from kgen.data.resizing import fit_image

GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
_EXIF_ORIENTATION = 0x0112


def decode_file(path, shape):
    """Read one image file, bring it upright, and scale and crop it to a shape.

    EXIF orientation is honoured, transparency is laid on white, 16-bit grey is scaled to 8 bits,
    palettes and CMYK become RGB, and of an animation the first frame counts.

    Args:
        path: a file that Pillow can read.
        shape: `(height, width, channels)`, channels 1 or 3.

    Returns:
        uint8 array of that shape in 0..255.

    Raises:
        ValueError: the file is missing, truncated or no image.
    """
    from PIL import Image, ImageOps

    height, width, channels = shape
    # Pillow's readers raise OSError, SyntaxError, ValueError, EOFError, struct.error and more on
    # broken files; whichever it is, the user needs to know which file it was.
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            image = _eight_bit(upright).convert("L" if channels == 1 else "RGB")
        fitted = fit_image(image, (height, width))
    except Exception as error:
        raise ValueError(f"{path}: cannot be read as an image ({error}).") from error
    return np.asarray(fitted).reshape(shape)


def decode_files(paths, shape):
    """Read image files in parallel into one uint8 array `(n, height, width, channels)`.

    Args:
        paths: list of n image files.
        shape: `(height, width, channels)` as for `decode_file`.

    Raises:
        ValueError: the first file that cannot be read.
    """
    images = np.empty((len(paths), *shape), np.uint8)

    def decode_row(row):
        images[row] = decode_file(paths[row], shape)

    _in_threads(decode_row, range(len(paths)))
    return images


def common_shape(paths, image_size, channels):
    """Fill in what the user left open from the headers of the files.

    Args:
        paths: list of image files, at least one.
        image_size: `(height, width)`, or None for the size that all files share.
        channels: 1, 3, or None for 3 unless every file is grey.

    Returns:
        `(height, width, channels)`.

    Raises:
        ValueError: the sizes differ and `image_size` is None, or a file is no image.
    """
    if image_size is not None and channels is not None:
        return (*image_size, channels)
    headers = _in_threads(lambda path: _read_header(path, image_size is None), paths)
    if channels is None:
        channels = 1 if all(mode in GREY_MODES for _, mode in headers) else 3
    if image_size is None:
        image_size = headers[0][0]
        for path, (size, _) in zip(paths, headers, strict=True):
            if size != image_size:
                raise ValueError(
                    "image_size: expected a size because the images differ in theirs "
                    f"({paths[0]} is {image_size}, {path} is {size}; height, width), got None."
                )
    return (*image_size, channels)


def _read_header(path, upright):
    """Return `((height, width), mode)` of a file, the size after EXIF orientation if `upright`."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
            # A PNG is read to its end for this, so square images are spared it.
            if upright and width != height and image.getexif().get(_EXIF_ORIENTATION, 1) >= 5:
                width, height = height, width
            return (height, width), image.mode
    except Exception as error:  # as in decode_file
        raise ValueError(f"{path}: cannot be read as an image ({error}).") from error


def _eight_bit(image):
    """Return the image with 8 bits a channel and without transparency."""
    from PIL import Image

    if image.mode.startswith("I"):
        # convert("L") would clip everything above 255 to white.
        sixteen_bits = np.asarray(image).astype(np.float32)
        return Image.fromarray(np.clip(np.rint(sixteen_bits / 257.0), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image


def _in_threads(function, items):
    """Map a function over items in threads, for Pillow lets other threads run while it works."""
    # In chunks, because a future an item weighs more than the header of an image.
    chunks = [items[start : start + 64] for start in range(0, len(items), 64)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        mapped = pool.map(lambda chunk: [function(item) for item in chunk], chunks)
        return [result for chunk in mapped for result in chunk]
