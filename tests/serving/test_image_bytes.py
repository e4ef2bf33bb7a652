"""Files to images and back in a graph, against what Pillow and `kgen.data` make of them."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen.data.decoding import decode_file
from kgen.serving.image_bytes import decode_image, decode_images, encode_images


def smooth(height, width, channels, seed=0):
    """Bytes that vary slowly, so that JPEG and resizing keep them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = [np.sin(6 * (a * x + b * y) + c) for a, b, c in rng.uniform(-1, 1, (channels, 3))]
    return np.rint((np.stack(waves, -1) + 1) * 127.5).astype(np.uint8)


def picture(mode, size=(20, 30)):
    if mode == "1":
        return Image.fromarray(smooth(*size, 1)[..., 0] > 127)
    if mode == "I;16":
        levels = smooth(*size, 1)[..., 0].astype(np.uint16) * 257
        return Image.fromarray(np.minimum(levels, 65000) + 100)
    if mode in ("P", "P with transparency"):
        palette = Image.fromarray(smooth(*size, 3)).quantize(32)
        if mode != "P":
            palette.info["transparency"] = 5
        return palette
    channels = len(mode)
    pixels = smooth(*size, channels)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode)


def encoded(image, suffix, **options):
    file = io.BytesIO()
    image.save(file, suffix, **options)
    return file.getvalue()


def decode(contents, shape):
    images = decode_image(tf.constant(contents), shape).numpy()
    assert images.dtype == np.float32 and images.min() >= -1 and images.max() <= 1
    return images


FILES = [(mode, "PNG") for mode in ("L", "RGB", "RGBA", "LA", "P", "P with transparency", "1")]
FILES += [("I;16", "PNG"), ("L", "JPEG"), ("RGB", "JPEG"), ("RGB", "BMP"), ("RGB", "WEBP")]


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("mode", "suffix"), FILES)
def test_files_are_read_as_kgen_data_reads_them(mode, suffix, channels):
    sizes = 3 if mode in ("L", "RGB", "RGBA") else 1  # Pillow scales the others' edges otherwise.
    options = {"lossless": True} if suffix == "WEBP" else {}
    contents = encoded(picture(mode), suffix, **options)
    for size, most in (((20, 30), 1), ((10, 10), 2), ((33, 48), 2))[:sizes]:
        shape = (*size, channels)
        expected = decode_file(io.BytesIO(contents), shape)
        found = (decode(contents, shape) + 1) * 127.5
        np.testing.assert_allclose(found, np.rint(found), atol=1e-3)  # Whole levels.
        assert np.abs(found - expected).max() <= most
    kept = decode(contents, (None, None, channels))
    np.testing.assert_array_equal(kept, decode(contents, (20, 30, channels)))


def test_whole_bytes_are_exact():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    contents = encoded(Image.fromarray(pixels), "PNG")
    np.testing.assert_allclose(decode(contents, (7, 9, 3)), pixels / 127.5 - 1.0, atol=1e-6)
    batch = decode_images(tf.constant([contents, contents]), (7, 9, 3))
    assert batch.shape == (2, 7, 9, 3)
    (file, _) = encode_images(batch).numpy()
    with Image.open(io.BytesIO(file)) as image:
        assert image.format == "PNG" and image.mode == "RGB"
        assert np.array_equal(np.asarray(image), pixels)


def test_sixteen_bits_are_rounded_to_eight():
    contents = encoded(picture("I;16"), "PNG")
    expected = decode_file(io.BytesIO(contents), (20, 30, 1)) / 127.5 - 1.0
    np.testing.assert_allclose(decode(contents, (20, 30, 1)), expected, atol=1e-6)


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


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"hello", "Unknown image file format"),
        (b"", "Unknown image file format|empty|Input contents"),
        (b"\x89PNG\r\n\x1a\n and then nothing", "PNG"),
        (b"\xff\xd8\xff and then nothing", "JPEG"),
    ],
)
def test_what_is_no_image(contents, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        decode(contents, (8, 8, 3))


def test_a_mask_needs_alpha():
    for suffix in ("PNG", "JPEG"):
        contents = encoded(picture("RGB"), suffix)
        with pytest.raises(tf.errors.InvalidArgumentError, match="a PNG with an alpha channel"):
            decode(contents, (8, 8, 4))
