"""Image files of all kinds that cameras and programs write, and files that Pillow cannot write."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

SIZE = (20, 30)


def smooth(height, width, channels, seed=0):
    """Bytes that vary slowly, so that JPEG and resizing keep them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = [np.sin(6 * (a * x + b * y) + c) for a, b, c in rng.uniform(-1, 1, (channels, 3))]
    return np.rint((np.stack(waves, -1) + 1) * 127.5).astype(np.uint8)


def encoded(image, suffix, **options):
    """Returns an image's file as Pillow writes it, bytes."""
    file = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(file, suffix, **options)
    return file.getvalue()


def chunk(kind, data):
    """Returns a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(levels, depth, colour_type, clear=None, behind=b""):
    """Returns a PNG of any depth and kind, bytes.

    Args:
        levels: Whole numbers `(height, width, channels)`.
        depth: Bits a channel.
        colour_type: PNG's number: 0 grey, 2 RGB, 4 grey and alpha, 6 RGB and alpha.
        clear: The levels that are transparent.
        behind: Chunks behind the pixels.
    """
    height, width, _ = levels.shape
    rows = levels.reshape(height, -1)
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in rows]
    else:
        bits = np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        rows = [np.packbits(row).tobytes() for row in bits.reshape(height, -1)]
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    transparent = b"" if clear is None else chunk(b"tRNS", struct.pack(f">{len(clear)}H", *clear))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), transparent, pixels, behind,
         chunk(b"IEND", b"")]
    )  # fmt: skip


def exif(orientation, order=">", kind="H", count=1, entries=1):
    """Returns EXIF data, a TIFF file of one tag; the counts are what it says of them."""
    value = struct.pack(order + kind, orientation).ljust(4, b"\0")
    mark = b"MM" if order == ">" else b"II"
    number = {"B": 1, "H": 3, "L": 4, "h": 8, "f": 11}[kind]
    tag = struct.pack(order + "HHI", 0x0112, number, count) + value
    return mark + struct.pack(order + "HIH", 42, 8, entries) + tag + bytes(4)


PREFIX = b"Exif\0\0"


def turned_files(rgb):
    """Returns dicts of files whose orientation is 6, and of files whose orientation counts not."""

    def jpeg(data):
        return encoded(rgb, "JPEG", exif=PREFIX + data)

    def chunks(*data):
        return png(rgb, 8, 2, behind=b"".join(chunk(b"eXIf", each) for each in data))

    def webp(data):
        return encoded(rgb, "WEBP", lossless=True, exif=data)

    turned = {
        "prefix.png": chunks(PREFIX + exif(6)),
        "prefix twice.jpg": jpeg(PREFIX + exif(6)),
        "prefix.webp": webp(PREFIX + exif(6)),
        "prefix twice.webp": webp(PREFIX * 2 + exif(6)),
        "two chunks.png": chunks(exif(3), exif(6)),
    }
    not_turned = {
        "prefix twice.png": chunks(PREFIX * 2 + exif(6)),
        "prefix three times.jpg": jpeg(PREFIX * 2 + exif(6)),
        "two chunks, none in the last.png": chunks(exif(6), exif(1)),
        "a chunk behind the end.png": png(rgb, 8, 2) + chunk(b"eXIf", exif(6)),
        "no entries.webp": webp(exif(6, entries=0)),
        "no value.webp": webp(exif(6, count=0)),
        "two values.webp": webp(exif(6, count=2)),
        "three values.webp": webp(exif(6, count=3)),
        "signed.webp": webp(exif(6, kind="h")),
        "float.webp": webp(exif(6.0, kind="f")),
        "cut.webp": webp(exif(6)[:12]),
    }
    return turned, not_turned


def odd_files():
    """Returns a dict from names to files of images of `SIZE`, each 20 high and 30 wide."""
    grey, rgb, rgba = (smooth(*SIZE, channels) for channels in (1, 3, 4))
    palette = Image.fromarray(rgb).quantize(32)
    deep = rgba.astype(int) * 256 + 200
    steps = rgb.astype(int) // 64 * 64 * 257  # Flat areas, of which one is clear.
    files = {
        f"{mode}.png": encoded(pixels, "PNG")
        for mode, pixels in {"grey": grey[..., 0], "rgb": rgb, "rgba": rgba}.items()
    }
    files |= {
        "grey and alpha.png": encoded(np.ascontiguousarray(rgba[..., 2:]), "PNG"),
        "one bit.png": encoded(grey[..., 0] > 127, "PNG"),
        "one bit, white clear.png": png(grey // 128, 1, 0, [1]),
        "two bits.png": png(grey // 64, 2, 0),
        "two bits, a clear level.png": png(grey // 64, 2, 0, [2]),
        "four bits, a clear level.png": png(grey // 16, 4, 0, [12]),
        "a clear level.png": png(grey // 32 * 32, 8, 0, [64]),
        "a clear colour.png": png(rgb // 64 * 64, 8, 2, (rgb[5, 5] // 64 * 64).tolist()),
        "16 bits.png": png(deep[..., :1], 16, 0),
        "16 bits, a clear level.png": png(deep[..., :1] // 4096 * 4096, 16, 0, [0x7000]),
        "16 bits of colour.png": png(deep[..., :3], 16, 2),
        "16 bits, a clear colour.png": png(steps, 16, 2, steps[5, 5].tolist()),
        "16 bits, the upper byte clear.png": png(steps, 16, 2, (steps[5, 5] ^ 1).tolist()),
        "16 bits and alpha.png": png(deep, 16, 6),
        "16 bits, grey and alpha.png": png(deep[..., 2:], 16, 4),
        "palette.png": encoded(palette, "PNG"),
        "palette of two bits.png": encoded(palette.convert("RGB").quantize(4), "PNG", bits=2),
        "a clear colour of a palette.png": encoded(palette, "PNG", transparency=5),
        "alpha of a palette.png": encoded(palette, "PNG", transparency=bytes(range(0, 256, 8))),
        "grey.jpg": encoded(grey[..., 0], "JPEG"),
        "rgb.jpg": encoded(rgb, "JPEG"),
        "progressive.jpg": encoded(rgb, "JPEG", progressive=True, subsampling=2),
        "rgb in a jpeg.jpg": encoded(rgb, "JPEG", keep_rgb=True),
        "cmyk.jpg": encoded(Image.fromarray(rgb).convert("CMYK"), "JPEG"),
        "orientation of xmp.jpg": encoded(rgb, "JPEG", xmp=b'<x tiff:Orientation="6"/>'),
        "lossy.webp": encoded(rgb, "WEBP"),
        "lossless.webp": encoded(rgb, "WEBP", lossless=True),
        "alpha.webp": encoded(rgba, "WEBP"),
        "rgb.bmp": encoded(rgb, "BMP"),
        "grey.bmp": encoded(grey[..., 0], "BMP"),
        "palette.bmp": encoded(palette, "BMP"),
        "32 bits.bmp": encoded(rgba, "BMP"),
    }
    for turn in range(2, 9):
        files[f"orientation {turn}.jpg"] = encoded(rgb, "JPEG", exif=exif(turn))
    little = exif(7, "<", "L")
    files |= {
        "broken exif.jpg": encoded(rgb, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "no such orientation.jpg": encoded(rgb, "JPEG", exif=exif(9)),
        "orientation of another type.jpg": encoded(rgb, "JPEG", exif=exif(6, kind="B")),
        "orientation.webp": encoded(rgb, "WEBP", lossless=True, exif=little),
        "orientation.png": encoded(rgb, "PNG", exif=little),
        "orientation behind the pixels.png": png(rgb, 8, 2, behind=chunk(b"eXIf", little)),
    }
    return files
