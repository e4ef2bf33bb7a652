"""Files to images and back in a graph, against what Pillow and `kgen.data` make of them."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen.data.decoding import common_shape, decode_file
from kgen.serving.image_bytes import decode_image, decode_images, encode_images
from tests.serving.odd_files import SIZE, chunk, encoded, odd_files, png, smooth, turned_files

FILES = odd_files()
MAX_PIXELS = 10_000


def decode(contents, shape):
    images = decode_image(tf.constant(contents), shape, MAX_PIXELS).numpy()
    assert images.dtype == np.float32 and images.min() >= -1 and images.max() <= 1
    return images


def levels_of(contents, shape):
    """A file's whole numbers 0..255 when served."""
    levels = (decode(contents, shape) + 1) * 127.5
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-3)
    return np.rint(levels).astype(int)


def trained_on(contents, shape):
    """A file's whole numbers 0..255 in training."""
    return decode_file(io.BytesIO(contents), shape).astype(int)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_served_as_it_is_trained_on(name):
    contents = FILES[name]
    height, width, _ = shape = common_shape([io.BytesIO(contents)], None, 3)
    assert sorted((height, width)) == sorted(SIZE)
    near = 1 if name == "cmyk.jpg" else 0
    expected = trained_on(contents, shape)
    assert np.ptp(expected) > 50
    assert np.abs(levels_of(contents, (None, None, 3)) - expected).max() <= near
    grey = levels_of(contents, (None, None, 1))
    assert np.abs(grey - trained_on(contents, (*shape[:2], 1))).max() <= near


@pytest.mark.parametrize("size", [(10, 10), (33, 48), (1, 1)])
@pytest.mark.parametrize("name", ["rgb.jpg", "a clear colour.png", "orientation 6.jpg"])
def test_a_file_is_scaled_as_in_training(name, size):
    shape = (*size, 3)
    found, expected = levels_of(FILES[name], shape), trained_on(FILES[name], shape)
    assert np.abs(found - expected).max() <= 1


def test_thin_and_noisy_files_are_scaled_as_in_training():
    for size in ((1, 97), (200, 3), (53, 2), (64, 64)):
        noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
        contents = encoded(noise, "PNG")
        found, expected = levels_of(contents, (9, 7, 3)), trained_on(contents, (9, 7, 3))
        # Pillow rounds after the first direction; which that is differs.
        assert np.abs(found - expected).mean() <= 1


@pytest.mark.parametrize(
    "read",
    [lambda file: levels_of(file, (None, None, 3)), lambda file: trained_on(file, (2, 3, 3))],
)
def test_what_is_clear_is_white_and_what_is_deep_is_rounded(read):
    level = np.arange(6).reshape(2, 3, 1)
    white = np.where(level == 4, 255, level)
    same = np.repeat(white, 3, -1)
    assert np.array_equal(read(png(level, 8, 0, [4])), same)
    scaled = np.where(level == 4, 255, level * 17)
    assert np.array_equal(read(png(level, 4, 0, [4])), np.repeat(scaled, 3, -1))
    deep = 257 * level + [[[0], [128], [129]], [[-128], [0], [-129]]]
    rounded = [[[0], [1], [3]], [[3], [255], [4]]]
    assert np.array_equal(read(png(deep, 16, 0, [4 * 257])), np.repeat(rounded, 3, -1))
    colour = np.concatenate([level, level, 255 - level], -1)
    clear = np.where(level == 4, 255, colour)
    assert np.array_equal(read(png(colour, 8, 2, [4, 4, 251])), clear)
    assert np.array_equal(read(png(colour * 257, 16, 2, [4 * 257, 4 * 257, 251 * 257])), clear)
    assert np.array_equal(read(png(colour * 257, 16, 2, [1024, 1029, 64511])), clear)
    half = np.concatenate([colour, np.full_like(level, 51)], -1)  # A fifth of it.
    assert np.array_equal(read(png(half, 8, 6)), np.rint(204 + colour / 5))


UPRIGHT = {  # EXIF 2.32: which side of the stored image is the top, and which the left.
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: np.rot90(image),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_orientation(orientation):
    stored = smooth(4, 6, 3)
    tag = Image.Exif()
    tag[0x010F], tag[0x0112] = "a camera", orientation
    for suffix, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        found = levels_of(encoded(stored, suffix, exif=tag, **options), (None, None, 3))
        assert np.array_equal(found, UPRIGHT[orientation](stored))


def test_which_orientations_count():
    stored = smooth(*SIZE, 3)
    for files, turn in zip(turned_files(stored), (6, 1), strict=True):
        expected = UPRIGHT[turn](stored).astype(int)
        for name, contents in files.items():
            near = 10 if name.endswith("jpg") else 0  # On average; another turn is off by 60.
            served = levels_of(contents, (None, None, 3))
            assert served.shape == expected.shape, name
            assert np.abs(served - expected).mean() <= near, name
            shape = common_shape([io.BytesIO(contents)], None, 3)
            assert shape == expected.shape, name
            assert np.abs(trained_on(contents, shape) - expected).mean() <= near, name


def test_whole_bytes_are_exact():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    contents = encoded(pixels, "PNG")
    np.testing.assert_allclose(decode(contents, (7, 9, 3)), pixels / 127.5 - 1.0, atol=1e-6)
    batch = decode_images(tf.constant([contents, contents]), (7, 9, 3), MAX_PIXELS)
    assert batch.shape == (2, 7, 9, 3)
    (file, _) = encode_images(batch).numpy()
    with Image.open(io.BytesIO(file)) as image:
        assert image.format == "PNG" and image.mode == "RGB"
        assert np.array_equal(np.asarray(image), pixels)


def test_encoding_clips_and_rounds():
    levels = np.array([-3.0, -1.0, -0.5, 0.0, 0.999, 7.0], np.float32).reshape(1, 1, 6, 1)
    (file,) = encode_images(tf.constant(levels)).numpy()
    with Image.open(io.BytesIO(file)) as image:
        assert image.mode == "L"
        assert np.asarray(image).tolist() == [[0, 0, 64, 128, 255, 255]]


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_the_mask(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[2:5, 3:7, 3] = 100  # Its colour is not to be seen.
    pixels[0, 0, 3] = 128
    image = Image.fromarray(pixels)
    found = decode(encoded(image, "PNG"), (8, 8, channels))
    mask = np.ones((8, 8), np.float32)
    mask[2:5, 3:7] = -1
    assert np.array_equal(found[..., -1], mask)
    grey = np.asarray(image.convert("RGB").convert("L"))[..., None]
    expected = (grey if channels == 2 else pixels[..., :3]) / 127.5 - 1.0
    expected = np.where(mask[..., None] > 0, expected, 0.0)
    np.testing.assert_allclose(found[..., :-1], expected, atol=1.001 / 127.5)


def test_what_is_missing_does_not_mix_into_its_surroundings():
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[..., :3] = 200
    pixels[..., 3] = 255
    pixels[4:12, 4:12] = [0, 255, 0, 0]
    found = decode(encoded(Image.fromarray(pixels), "PNG"), (8, 8, 4))
    mask = np.ones((8, 8), np.float32)
    mask[2:6, 2:6] = -1
    assert np.array_equal(found[..., -1], mask)
    np.testing.assert_allclose(found[mask > 0][:, :3], 200 / 127.5 - 1, atol=1e-5)
    assert np.all(found[mask < 0][:, :3] == 0)


def refused(contents, message, shape=(8, 8, 3)):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        decode(contents, shape)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"hello", "expected files of PNG, JPEG, WebP, BMP, got one that is none"),
        (b"", "expected files of PNG"),
        (b"GIF89a", "expected files of PNG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "at least 1 and .* got 0 x 0"),
        (b"\xff\xd8\xff and then nothing", "JPEG"),
        (b"RIFF\0\0\0\0WEBP", "WebP"),
        (b"BM and then nothing", "at least 1 and .* got 0 x"),
        (FILES["rgb.jpg"][:-100], "JPEG"),
        (FILES["rgb.png"][:-100], "PNG"),
    ],
)
def test_what_is_no_image(contents, message):
    refused(contents, message)


def test_animations_and_packed_bitmaps_are_refused():
    frames = [Image.fromarray(smooth(8, 8, 3, seed)) for seed in (0, 1)]
    refused(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]), "an animated one")
    refused(encoded(smooth(8, 8, 1)[..., 0] > 9, "BMP"), "a BMP of 8, 24 or 32 bits.*one of 1 bits")


def promising(name, place, size, form):
    """A file whose header promises another size than it has."""
    contents = FILES[name]
    at = contents.index(place) + len(place)
    packed = struct.pack(form, *size)
    return contents[:at] + packed + contents[at + len(packed) :]


@pytest.mark.parametrize(
    "contents",
    [
        promising("rgb.png", b"IHDR", (60000, 50000), ">II"),
        promising("rgb.jpg", b"\xff\xc0\0\x11\x08", (50000, 60000), ">HH"),
        promising("progressive.jpg", b"\xff\xc2\0\x11\x08", (50000, 60000), ">HH"),
        promising("rgb.bmp", b"(\0\0\0", (60000, 50000), "<ii"),
        promising("rgb.bmp", b"(\0\0\0", (60000, -50000), "<ii"),
        promising("lossy.webp", b"\x9d\x01\x2a", (6000, 5000), "<HH"),
        promising("lossless.webp", b"\x2f", (5999 + (4999 << 14),), "<I"),
        promising("alpha.webp", b"VP8X\x0a\0\0\0\x10\0\0\0", (0x6F, 0x17, 0, 0x87, 0x13, 0), "6B"),
    ],
)
def test_a_header_that_promises_too_much_is_refused_before_decoding(contents):
    refused(contents, "at most 10000 pixels in a file, got 50+ x 60+[.]")


def bare(contents):
    """A WebP without the name of its one piece, which libwebp decodes, too."""
    size = struct.unpack("<I", contents[16:20])[0]
    body = b"WEBP" + contents[20 : 20 + size + size % 2]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_a_size_is_read_where_the_decoder_reads_it():
    # Each would be decoded, and what stands where the size should is small.
    large = smooth(200, 200, 3)
    first = chunk(b"abCd", struct.pack(">IIB", 1, 1, 8))
    contents = encoded(large, "PNG")
    refused(contents[:8] + first + contents[8:], "files of PNG, .*, got one that is none")
    for options in ({}, {"lossless": True}):
        contents = bare(encoded(large, "WEBP", **options))
        assert tf.io.decode_webp(contents).shape[1:3] == (200, 200)
        refused(contents, "files of .*WebP, .*, got one that is none")
        nothing = contents[:26] + bytes(4) + contents[30:]  # Where a lossy one has its size.
        refused(nothing, "files of .*WebP, .*, got one that is none")
    empty = promising("lossless.webp", b"WEBP", (b"VP8 ",), "4s")
    refused(empty[:26] + bytes(2) + empty[28:], "at least 1 and .*, got .* x 0[.]")


def test_the_most_pixels_are_taken():
    assert decode(encoded(smooth(100, 100, 1)[..., 0], "PNG"), (8, 8, 1)).shape == (8, 8, 1)
    refused(encoded(smooth(100, 101, 1)[..., 0], "PNG"), "got 100 x 101")


def test_a_mask_needs_alpha():
    for name in ("rgb.png", "rgb.jpg", "lossless.webp"):
        refused(FILES[name], "a PNG with an alpha channel", (8, 8, 4))
    for name in ("rgba.png", "a clear colour.png", "alpha of a palette.png", "alpha.webp"):
        assert set(np.unique(decode(FILES[name], (*SIZE, 4))[..., 3])) == {-1.0, 1.0}
