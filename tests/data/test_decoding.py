"""What Pillow reads, brought to 8 bits and a shape."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen.data import decoding
from kgen.data.decoding import common_shape, decode_file, open_image
from kgen.data.folder import image_names
from kgen.plotting.gif import save_gif
from kgen.serving.image_bytes import decode_image


@pytest.fixture
def colours():
    """Smooth 8x12 RGB pixels that lossy formats keep."""
    rows, columns = np.mgrid[0:8, 0:12]
    return np.stack([rows * 30, columns * 20, 255 - columns * 20], -1).astype(np.uint8)


@pytest.mark.parametrize(
    ("suffix", "options", "tolerance"),
    [
        (".png", {}, 0),
        (".bmp", {}, 0),
        (".webp", {"lossless": True}, 0),
        (".jpg", {"quality": 100, "subsampling": 0}, 4),
    ],
)
def test_rgb(tmp_path, colours, suffix, options, tolerance):
    path = tmp_path / f"image{suffix}"
    Image.fromarray(colours).save(path, **options)
    decoded = decode_file(path, (8, 12, 3))
    assert decoded.dtype == np.uint8
    assert np.abs(decoded.astype(int) - colours).max() <= tolerance
    luminance = colours @ np.array([0.299, 0.587, 0.114])
    assert np.abs(decode_file(path, (8, 12, 1))[..., 0] - luminance).max() <= tolerance + 0.51


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_exif_orientation(tmp_path, colours, orientation, suffix):
    turn_back = {  # from the upright picture to what a camera held that way stores
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"image{suffix}"
    options = {"lossless": True} if suffix == ".webp" else {}
    options = {"quality": 100, "subsampling": 0} if suffix == ".jpg" else options
    turn_back(Image.fromarray(colours)).save(path, exif=exif, **options)
    assert common_shape([path], None, None) == (8, 12, 3)
    decoded = decode_file(path, (8, 12, 3))
    assert np.abs(decoded.astype(int) - colours).max() <= 4


def test_sixteen_bit_grey(tmp_path):
    levels = np.array([[0, 128, 257, 32896], [65535, 65278, 256, 40000]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    assert common_shape([tmp_path / "deep.png"], None, None) == (2, 4, 1)
    grey = decode_file(tmp_path / "deep.png", (2, 4, 1))[..., 0]
    assert grey.tolist() == np.rint(levels / 257).astype(int).tolist()
    rgb = decode_file(tmp_path / "deep.png", (2, 4, 3))
    assert np.array_equal(rgb, np.repeat(grey[..., None], 3, -1))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_on_white(tmp_path, mode):
    clear, half, solid = (
        (0, 0, 0, alpha) if mode == "RGBA" else (0, alpha) for alpha in (0, 128, 255)
    )
    image = Image.new(mode, (3, 1))
    image.putdata([clear, half, solid])
    image.save(tmp_path / "image.png")
    channels = 3 if mode == "RGBA" else 1
    assert common_shape([tmp_path / "image.png"], None, None) == (1, 3, channels)
    decoded = decode_file(tmp_path / "image.png", (1, 3, channels))
    assert decoded[0, :, 0].tolist() == [255, 127, 0]


def test_clear_pixels_leave_no_halo_when_made_smaller(tmp_path):
    pixels = np.zeros((16, 16, 4), np.uint8)  # clear black around opaque white
    pixels[4:12, 4:12] = 255
    Image.fromarray(pixels).save(tmp_path / "image.png")
    assert (decode_file(tmp_path / "image.png", (5, 5, 3)) == 255).all()


def test_palettes(tmp_path):
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    image.save(tmp_path / "solid.png")
    expected = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert common_shape([tmp_path / "solid.png"], None, None) == (1, 3, 3)
    assert decode_file(tmp_path / "solid.png", (1, 3, 3))[0].tolist() == expected
    image.save(tmp_path / "clear.png", transparency=1)
    expected[1] = [255, 255, 255]
    assert decode_file(tmp_path / "clear.png", (1, 3, 3))[0].tolist() == expected


def test_a_clear_grey_level(tmp_path):
    image = Image.fromarray(np.array([[5, 6]], np.uint8))
    image.save(tmp_path / "image.png", transparency=5)
    assert decode_file(tmp_path / "image.png", (1, 2, 1)).ravel().tolist() == [255, 6]


def test_one_bit(tmp_path):
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "image.png")
    assert common_shape([tmp_path / "image.png"], None, None) == (1, 2, 1)
    assert decode_file(tmp_path / "image.png", (1, 2, 1)).ravel().tolist() == [255, 0]


def test_cmyk(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "image.jpg", quality=100)
    assert common_shape([tmp_path / "image.jpg"], None, None) == (8, 8, 3)
    red = decode_file(tmp_path / "image.jpg", (8, 8, 3))
    assert np.abs(red.astype(int) - [255, 0, 0]).max() <= 4


@pytest.mark.parametrize("size", [(1, 1), (1, 97), (53, 2), (31, 17), (200, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_odd_sizes(tmp_path, size, channels):
    Image.new("RGB", size, (90, 90, 90)).save(tmp_path / "image.png")
    decoded = decode_file(tmp_path / "image.png", (7, 5, channels))
    assert decoded.shape == (7, 5, channels)
    assert (decoded == 90).all()


def test_cover_and_centre(tmp_path):
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 255  # the centre square of a wide image
    Image.fromarray(pixels).save(tmp_path / "image.png")
    assert (decode_file(tmp_path / "image.png", (10, 10, 3)) == 255).all()


def test_antialiasing(tmp_path):
    board = np.indices((64, 64)).sum(0) % 2 * 255
    Image.fromarray(board.astype(np.uint8)).save(tmp_path / "image.png")
    small = decode_file(tmp_path / "image.png", (16, 16, 1))
    assert np.abs(small.astype(int) - 127).max() <= 3  # grey, not single squares picked out


@pytest.mark.parametrize("image_size", [None, (2, 2)])
def test_headers_are_read_until_a_colour_is_found(tmp_path, monkeypatch, image_size):
    paths = []
    for index in range(40):
        paths.append(str(tmp_path / f"{index}.png"))
        Image.new("RGB" if index == 9 else "L", (2, 2)).save(paths[-1])
    read, read_header = [], decoding._read_header
    monkeypatch.setattr(decoding, "HEADERS", 4)
    monkeypatch.setattr(
        decoding, "_read_header", lambda path, upright: read.append(path) or read_header(path, True)
    )
    assert common_shape(paths, image_size, None) == (2, 2, 3)
    assert sorted(read) == sorted(paths if image_size is None else paths[:12])


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.png: cannot be read as an image"):
        decode_file(tmp_path / "gone.png", (2, 2, 1))
    with pytest.raises(ValueError, match=r"gone\.png: cannot be read as an image"):
        common_shape([tmp_path / "gone.png"], None, None)


@pytest.mark.parametrize("form", ["GIF", "TIFF", "PPM", "EPS"])
def test_only_four_formats_are_opened_whatever_a_file_is_called(tmp_path, form):
    path = tmp_path / "image.png"
    Image.new("RGB", (2, 2)).save(path, form)
    with pytest.raises(ValueError, match=r"image\.png: cannot be read as an image"):
        decode_file(path, (2, 2, 3))
    with pytest.raises(ValueError, match=r"image\.png: cannot be read as an image"):
        common_shape([path], None, None)
    with pytest.raises(ValueError, match=r"image\.png: cannot be read as an image"):
        save_gif([path], tmp_path / "film.gif")


def saved(image, path, **options):
    Image.fromarray(image).save(path, **options)
    return path


def refusals(tmp_path):
    """Files that training and serving refuse, and what is said of each."""
    levels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    frames = [Image.fromarray(levels + k).convert("RGB") for k in (0, 99)]
    frames[0].save(tmp_path / "moving.webp", save_all=True, append_images=frames[1:])
    yield tmp_path / "moving.webp", "expected a WebP of one image, (found|got) an animated one"
    bmp = "expected a BMP of 8, 24 or 32 bits a pixel, not compressed, (found|got) one of "
    yield saved(levels > 9, tmp_path / "one.bmp"), bmp + "1 bits"
    eight = saved(levels, tmp_path / "eight.bmp").read_bytes()
    for bits, compression in ((4, 0), (16, 0), (8, 1)):
        path = tmp_path / f"{bits}-{compression}.bmp"
        path.write_bytes(eight[:28] + struct.pack("<HI", bits, compression) + eight[34:])
        yield path, f"{bmp}{bits} bits and the compression {compression}"
    gif = saved(levels, tmp_path / "named.png", format="GIF")
    yield gif, "expected (a|files of) PNG, JPEG, WebP.*BMP.*none"


def test_what_an_export_refuses_training_refuses_in_the_same_words(tmp_path):
    for path, sentence in refusals(tmp_path):
        told = rf"{path.name}: cannot be read as an image \({sentence}"
        with pytest.raises(ValueError, match=told):
            decode_file(path, (8, 8, 1))
        with pytest.raises(ValueError, match=sentence):
            common_shape([path], None, None)
        with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
            decode_image(tf.constant(path.read_bytes()), (8, 8, 1), 10**6)
    decode_file(tmp_path / "eight.bmp", (8, 8, 1))
    saved(np.zeros((8, 8, 3), np.uint8), tmp_path / "one.webp")
    with (tmp_path / "one.webp").open("rb") as file:
        assert open_image(file, 3).size == (8, 8)


def test_images_of_other_formats_in_a_folder_are_told(tmp_path):
    levels = np.zeros((8, 8), np.uint8)
    saved(levels, tmp_path / "b.tif")
    saved(levels, tmp_path / "a.GIF")
    (tmp_path / "notes.txt").write_text("")
    told = "2 images of other formats than PNG, JPEG, WebP and BMP are not read, the first a.GIF"
    with pytest.raises(ValueError, match=rf"expected images \(\.png.*, found none \({told}\)"):
        image_names(tmp_path)
    saved(levels, tmp_path / "c.png")
    with pytest.warns(UserWarning, match=told):
        assert image_names(tmp_path) == ["c.png"]
