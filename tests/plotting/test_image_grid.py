"""Bytes, grids of images and their files."""

import numpy as np
import pytest
from PIL import Image

from kgen.plotting import image_grid, save_grid, to_uint8


def test_to_uint8_by_hand():
    values = [-np.inf, -2.0, -1.0, -0.9961, -0.5, 0.0, 0.5, 1.0, 1.001, np.inf]
    assert to_uint8(values).tolist() == [0, 0, 0, 0, 64, 128, 191, 255, 255, 255]
    assert to_uint8(values).dtype == np.uint8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_to_uint8_undoes_the_scaling_of_kgen_data(dtype):
    levels = np.arange(256)
    assert np.array_equal(to_uint8((levels / 127.5 - 1).astype(dtype)), levels)


def test_to_uint8_leaves_its_input_alone():
    images = np.array([-3.0, 3.0], np.float32)
    to_uint8(images)
    assert images.tolist() == [-3.0, 3.0]


def test_to_uint8_of_bfloat16():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    assert to_uint8(np.array([-1, 0, 1], bfloat16)).tolist() == [0, 128, 255]


@pytest.mark.parametrize("dtype", [np.uint8, int, bool, complex, object, str])
def test_to_uint8_refuses_other_types(dtype):
    with pytest.raises(ValueError, match=r"images: expected floats in \[-1, 1\], got"):
        to_uint8(np.zeros(3, dtype))


def test_to_uint8_refuses_nan():
    with pytest.raises(ValueError, match=r"images: .* got 2 NaN among 3 values"):
        to_uint8([np.nan, 0.0, np.nan])


def test_grid_by_hand():
    images = np.full((3, 1, 2, 1), -1.0)
    images[1] = 0.0
    images[2, 0, 1] = 1.0
    grid = image_grid(images, columns=2)
    assert grid.dtype == np.uint8
    assert np.array_equal(grid[..., 0], grid[..., 1])
    assert grid[..., 2].tolist() == [
        [255, 255, 255, 255, 255, 255, 255],
        [255, 0, 0, 255, 128, 128, 255],
        [255, 255, 255, 255, 255, 255, 255],
        [255, 0, 255, 255, 255, 255, 255],
        [255, 255, 255, 255, 255, 255, 255],
    ]


def test_values_out_of_the_range_are_refused_or_cut_when_asked(tmp_path):
    images = np.random.default_rng(0).uniform(-1, 1, (6, 4, 5, 3))
    for wrong in ((images + 1) * 127.5, images * 1.1):
        with pytest.raises(ValueError, match=r"`images` must be in \[-1, 1\], received values in"):
            save_grid(wrong, tmp_path / "grid.png")
    assert not (tmp_path / "grid.png").exists()
    cut = image_grid(images * 1.1, clip=True)
    assert np.array_equal(cut, image_grid(np.clip(images * 1.1, -1, 1)))
    with pytest.warns(UserWarning, match="images \\* 2 - 1"):
        image_grid((images + 1) / 2)


def test_grid_without_padding_keeps_colours():
    images = np.random.default_rng(0).uniform(-1, 1, (6, 4, 5, 3))
    grid = image_grid(images, columns=3, padding=0)
    assert grid.shape == (8, 15, 3)
    assert np.array_equal(grid[4:8, 5:10], to_uint8(images[4]))


@pytest.mark.parametrize(
    ("count", "columns", "shape"),
    [
        (1, None, (6, 7)),
        (2, None, (6, 13)),
        (10, None, (16, 25)),
        (16, None, (21, 25)),
        (3, 5, (6, 31)),
        (4, 1, (21, 7)),
    ],
)
def test_grid_shape(count, columns, shape):
    assert image_grid(np.zeros((count, 4, 5, 1)), columns).shape == (*shape, 3)


@pytest.mark.parametrize(
    "shape", [(4, 8, 8), (8, 8), (2, 8, 8, 2), (2, 8, 8, 4), (0, 8, 8, 1), (1, 2, 8, 8, 3)]
)
def test_grid_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match="images: expected the shape .* got .*" + str(shape)[1:-1]):
        image_grid(np.zeros(shape))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"columns": 0}, "columns: .* at least 1, got 0"),
        ({"columns": 1.5}, "columns: .* got 1.5"),
        ({"columns": True}, "columns: .* got True"),
        ({"padding": -1}, "padding: .* at least 0, got -1"),
    ],
)
def test_grid_refuses_other_numbers(arguments, message):
    with pytest.raises(ValueError, match=message):
        image_grid(np.zeros((2, 4, 4, 1)), **arguments)


def test_grid_takes_tensors():
    import tensorflow as tf

    assert image_grid(tf.zeros((4, 4, 4, 1))).shape == (11, 11, 3)


@pytest.mark.parametrize("shape", [(16, 28, 28, 1), (1, 8, 8, 3), (3, 600, 20, 3), (1, 512, 2, 1)])
def test_saved_grid_is_legible(tmp_path, shape):
    images = np.random.default_rng(0).uniform(-1, 1, shape)
    path = save_grid(images, tmp_path / "new" / "grid.png")
    assert path == tmp_path / "new" / "grid.png"
    grid = image_grid(images)
    with Image.open(path) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        pixels = np.asarray(picture)
    scale = pixels.shape[0] // grid.shape[0]
    assert max(pixels.shape) >= 512
    assert scale == 1 or (scale - 1) * max(grid.shape) < 512
    assert np.array_equal(pixels, grid.repeat(scale, 0).repeat(scale, 1))  # nearest neighbour


def test_a_grid_of_large_images_is_scaled_down(tmp_path):
    """To means of squares, the smallest that make it no larger than 4,096 pixels."""
    images = np.random.default_rng(0).uniform(-1, 1, (6, 100, 1500, 1))
    path = save_grid(images, tmp_path / "grid.png", columns=6)
    grid = image_grid(images, columns=6)
    assert grid.shape == (102, 9007, 3)
    with Image.open(path) as picture:
        pixels = np.asarray(picture).astype(float)
    assert pixels.shape == (34, 3003, 3)
    means = grid[:, :9006].reshape(34, 3, 3002, 3, 3).mean(axis=(1, 3))
    assert np.abs(pixels[:, :3002] - means).max() < 1  # Of 256 levels: Pillow rounds in integers.
    save_grid(images, path, columns=6, scale=1)  # What is asked for is what there is.
    with Image.open(path) as picture:
        assert picture.size == (9007, 102)


def test_saved_grid_with_arguments(tmp_path):
    path = save_grid(np.zeros((6, 4, 4, 1)), str(tmp_path / "grid.PNG"), columns=6, scale=2)
    with Image.open(path) as picture:
        assert picture.size == (62, 12)


def test_saved_grid_refuses(tmp_path):
    images = np.zeros((2, 4, 4, 1))
    with pytest.raises(ValueError, match=r"path: .* \.png, got .*grid\.jpg"):
        save_grid(images, tmp_path / "grid.jpg")
    for scale in (0, 1.5):
        with pytest.raises(ValueError, match=f"scale: .* got {scale}"):
            save_grid(images, tmp_path / "grid.png", scale=scale)
    with pytest.raises(ValueError, match="NaN"):
        save_grid(images * np.nan, tmp_path / "grid.png")
    assert not list(tmp_path.iterdir())
