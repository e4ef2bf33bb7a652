"""Reading image files with Pillow: one 8-bit image of a given size and number of channels.

`kgen.serving.image_bytes` reads files by the same rules, in the graph of an export.
"""

import concurrent.futures
import os
import struct

import numpy as np

from kgen.data.orientation import orientation_of
from kgen.data.resizing import fit_image
from kgen.data.skipping import UnreadableFileError

# What a file may be, whatever its name says: Pillow knows some sixty formats, of programs, too.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
HEADERS = 1024  # files whose headers are read before the next look at what is known


def decode_file(path, shape):
    """Read one image file, bring it upright, and scale and crop it to a shape.

    EXIF orientation is honoured (XMP's is not), transparency and transparent colours are laid on
    white, 16 bits become 8 (of grey rounded, else the upper byte), palettes and CMYK become RGB. A
    WebP that is animated is refused, as is a BMP of other than 8, 24 or 32 bits or compressed.

    Args:
        path: a PNG, JPEG, WebP or BMP file.
        shape: `(height, width, channels)`, channels 1 or 3.

    Returns:
        uint8 array of that shape in 0..255.

    Raises:
        UnreadableFileError: a ValueError; the file is missing, truncated or no such image.
    """
    height, width, channels = shape
    return np.asarray(open_image(path, channels, (height, width))).reshape(shape)


def open_image(path, channels, image_size=None):
    """Read one image file as `decode_file` does, but for the size if `image_size` is None.

    Args:
        path: a PNG, JPEG, WebP or BMP file, or such an open binary file.
        channels: 1 or 3.
        image_size: `(height, width)` in pixels, or None for that of the upright image.

    Returns:
        `PIL.Image.Image` of mode L or RGB.

    Raises:
        UnreadableFileError: a ValueError; the file is missing, truncated or no such image.
    """
    # Pillow's readers raise OSError, SyntaxError, ValueError, EOFError, struct.error and more on
    # broken files; whichever it is, the user needs to know which file it was.
    try:
        with _opened(path) as opened:
            stored_as = str(opened.tile[0][3]) if opened.tile else ""
            upright = _upright(opened)
            image = _eight_bit(upright, stored_as).convert("L" if channels == 1 else "RGB")
        return image if image_size is None else fit_image(image, image_size)
    except Exception as error:
        raise UnreadableFileError(path, error) from error


def common_shape(paths, image_size, channels, skipped=None):
    """Fill in what the user left open from the headers of the files.

    Headers are read only until the answer is known: all of them for the size, and up to the first
    file in colour for the channels alone.

    Args:
        paths: sequence of image files, at least one.
        image_size: `(height, width)`, or None for the size that all files share.
        channels: 1, 3, or None for 3 unless every file is grey.
        skipped: `SkippedFiles` to note files in that are no images, or None to refuse them.

    Returns:
        `(height, width, channels)`.

    Raises:
        ValueError: the sizes differ and `image_size` is None, or a file is no image, or all are.
    """
    if image_size is not None and channels is not None:
        return (*image_size, channels)
    sized, size, coloured = None, image_size, False

    def read(path):
        try:
            return path, _read_header(path, image_size is None)
        except UnreadableFileError:
            if skipped is None:
                raise
            return path, None

    for start in range(0, len(paths), HEADERS):
        block = [paths[row] for row in range(start, min(start + HEADERS, len(paths)))]
        for path, header in in_threads(read, block):
            if header is None:
                skipped.add(path)
                continue
            found, mode = header
            coloured = coloured or mode not in GREY_MODES
            if sized is None:
                sized, size = path, image_size or found
            elif image_size is None and found != size:
                raise ValueError(
                    "image_size: expected a size because the images differ in theirs "
                    f"({sized} is {size}, {path} is {found}; height, width), got None."
                )
        if image_size is not None and coloured:
            break
    if sized is None:
        raise ValueError(f"{paths[0]}: none of {len(paths)} files can be read as an image.")
    return (*size, channels or (3 if coloured else 1))


def _read_header(path, upright):
    """Return `((height, width), mode)` of a file, the size after EXIF orientation if `upright`."""
    try:
        with _opened(path) as image:
            width, height = image.size
            # A PNG is read to its end for this, so square images are spared it.
            if upright and width != height and _orientation(image) >= 5:
                width, height = height, width
            return (height, width), image.mode
    except Exception as error:  # as in open_image
        raise UnreadableFileError(path, error) from error


def _opened(path):
    """Return Pillow's image of a file, or refuse one that the graph of an export does not take."""
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ValueError("expected a PNG, JPEG, WebP or BMP file, found none of these") from error
    if image.format not in ("BMP", "WEBP"):
        return image
    header = _header(path)
    if image.format == "WEBP" and header[12:16] == b"VP8X" and header[20] & 2:
        image.close()
        raise ValueError("expected a WebP of one image, found an animated one")
    size, bits, compression = struct.unpack("<14xI10xHI", header)
    if image.format == "BMP" and (size < 40 or compression or bits not in (8, 24, 32)):
        image.close()
        raise ValueError(
            "expected a BMP of 8, 24 or 32 bits a pixel, not compressed, found one of "
            f"{bits} bits and the compression {compression}"
        )
    return image


def _header(path):
    """Return the first bytes of a file, or of an open one, which stays where it is read."""
    if hasattr(path, "read"):
        place = path.tell()
        path.seek(0)
        header = path.read(34)
        path.seek(place)
        return header.ljust(34, b"\0")
    with open(path, "rb") as file:
        return file.read(34).ljust(34, b"\0")


def _orientation(image):
    """Return the orientation that an image's EXIF data say, 1 to 8; 1 where they say none."""
    if image.format == "PNG":
        image.load()  # They may stand behind the pixels.
    return orientation_of(image.info.get("exif", b""))


def _upright(image):
    """Return the image as its EXIF orientation wants it to be shown."""
    from PIL.Image import Transpose

    turns = (
        Transpose.FLIP_LEFT_RIGHT,
        Transpose.ROTATE_180,
        Transpose.FLIP_TOP_BOTTOM,
        Transpose.TRANSPOSE,
        Transpose.ROTATE_270,
        Transpose.TRANSVERSE,
        Transpose.ROTATE_90,
    )
    orientation = _orientation(image)
    return image if orientation == 1 else image.transpose(turns[orientation - 2])


def _eight_bit(image, stored_as):
    """Return the image with 8 bits a channel and without transparency.

    Args:
        image: `PIL.Image.Image`.
        stored_as: Pillow's name of how the file held the pixels, such as `"L;4"`.
    """
    from PIL import Image

    clear = image.info.get("transparency")
    if image.mode.startswith("I"):
        # convert("L") would clip everything above 255 to white.
        levels = np.asarray(image).astype(np.float32)
        if clear is not None:
            levels[levels == clear] = 65535
        return Image.fromarray(np.clip(np.rint(levels / 257.0), 0, 255).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    if image.mode == "L" and stored_as in ("L;2", "L;4"):
        # Pillow scales the pixels to 8 bits, and not the clear level.
        image.info["transparency"] = clear * (255 // (2 ** int(stored_as[2:]) - 1))
    elif image.mode == "RGB" and stored_as.startswith("RGB;16"):
        image.info["transparency"] = tuple(level >> 8 for level in clear)
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def in_threads(function, items):
    """Map a function over items in threads, for Pillow lets other threads run while it works."""
    # In chunks, because a future an item weighs more than the header of an image.
    chunks = [items[start : start + 64] for start in range(0, len(items), 64)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        mapped = pool.map(lambda chunk: [function(item) for item in chunk], chunks)
        return [result for chunk in mapped for result in chunk]
