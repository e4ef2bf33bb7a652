"""Rows of what images were and what became of them."""

import numpy as np
import pytest
from PIL import Image

from kgen.plotting import before_after, to_uint8


def noise(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape)


def test_by_hand():
    inputs, outputs, targets = (np.full((2, 1, 2, 1), level) for level in (-1.0, 0.0, 1.0))
    outputs[1] = [[[-1.0], [1.0]]]
    picture = before_after(inputs, outputs, targets)
    assert picture.dtype == np.uint8
    assert np.array_equal(picture[..., 0], picture[..., 1])
    assert picture[..., 2].tolist() == [
        [255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
        [255, 0, 0, 255, 128, 128, 255, 255, 255, 255],
        [255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
        [255, 0, 0, 255, 0, 255, 255, 255, 255, 255],
        [255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
    ]


def test_the_first_examples_and_no_targets():
    inputs = noise(20, 4, 5, 3)
    picture = before_after(inputs, -inputs)
    assert picture.shape == (8 * 5 + 1, 2 * 6 + 1, 3)
    for row in range(8):
        assert np.array_equal(picture[5 * row + 1 :][:4, 1:6], to_uint8(inputs[row]))
        assert np.array_equal(picture[5 * row + 1 :][:4, 7:12], to_uint8(-inputs[row]))
    assert before_after(inputs, inputs, count=3).shape == (16, 13, 3)
    assert before_after(inputs[:2], inputs[:2], count=3).shape == (11, 13, 3)


@pytest.mark.parametrize("factor", [2, 3])
def test_the_small_are_enlarged(factor):
    small, large = noise(2, 4, 6, 3), noise(2, 4 * factor, 6 * factor, 3)
    picture = before_after(small, large)
    blocks = to_uint8(small[0]).repeat(factor, 0).repeat(factor, 1)
    assert np.array_equal(picture[1 : 4 * factor + 1, 1 : 6 * factor + 1], blocks)
    again = before_after(large, small)
    assert np.array_equal(again[1 : 4 * factor + 1, 6 * factor + 2 : -1], blocks)


def test_sizes_that_are_no_multiple():
    small, large = noise(1, 4, 4, 1), noise(1, 6, 6, 1)
    rows = [0, 1, 1, 2, 3, 3]  # the nearest centre
    picture = before_after(small, large)
    assert np.array_equal(picture[1:7, 1:7, :1], to_uint8(small[0])[rows][:, rows])


def test_grey_colour_and_masks():
    grey, mask, colour = noise(2, 4, 4, 1), noise(2, 4, 4, 2), noise(2, 4, 4, 4)
    picture = before_after(grey, mask, colour)
    assert np.array_equal(picture[1:5, 1:5], np.repeat(to_uint8(grey[0]), 3, -1))
    assert np.array_equal(picture[1:5, 6:10], np.repeat(to_uint8(mask[0, ..., :1]), 3, -1))
    assert np.array_equal(picture[1:5, 11:15], to_uint8(colour[0, ..., :3]))


def test_the_file_is_the_picture_enlarged(tmp_path):
    images = noise(3, 16, 16, 3)
    path = tmp_path / "new" / "pairs.png"
    picture = before_after(images, -images, path=path)
    with Image.open(path) as file:
        written = np.asarray(file)
    scale = -(-512 // max(picture.shape))
    assert np.array_equal(written, picture.repeat(scale, 0).repeat(scale, 1))
    assert max(written.shape) >= 512


@pytest.mark.parametrize("name", ["inputs", "outputs", "targets"])
def test_another_range_is_refused_or_warned_of(name, tmp_path):
    images = noise(3, 4, 4, 1)
    sides = dict.fromkeys(("inputs", "outputs", "targets"), images)
    bright = 127.5 * (images + 1.0)
    path = tmp_path / "a.png"
    with pytest.raises(ValueError, match=rf"`{name}` must be in \[-1, 1\], received values in \["):
        before_after(**{**sides, name: bright}, path=path)
    assert not path.exists()
    with pytest.warns(UserWarning, match=rf"`{name}` should be in \[-1, 1\]"):
        before_after(**{**sides, name: bright / 255})
    clipped = before_after(**{**sides, name: 1.5 * images}, clip=True)
    assert np.array_equal(clipped, before_after(**{**sides, name: np.clip(1.5 * images, -1, 1)}))


def test_a_mask_has_a_range_of_its_own():
    image, mask = noise(2, 4, 4, 3), np.full((2, 4, 4, 1), 255.0)
    before_after(np.concatenate([image, mask], axis=-1), image)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"outputs": noise(2, 4, 4, 1)}, "outputs: expected 3 images, as many as inputs, got 2"),
        ({"targets": noise(4, 4, 4, 1)}, "targets: expected 3 images, as many as inputs, got 4"),
        ({"inputs": noise(3, 4, 4)}, r"inputs: expected the shape \(n, .* got \(3, 4, 4\)"),
        ({"targets": noise(3, 4, 4, 5)}, r"targets: expected .* 1 to 4 channels.* 5\)"),
        ({"outputs": np.zeros((0, 4, 4, 1))}, "outputs: expected .* at least one image"),
        ({"outputs": np.zeros((3, 4, 4, 1), np.uint8)}, r"outputs: expected floats in \[-1, 1\]"),
        ({"targets": np.full((3, 4, 4, 1), np.nan)}, "targets: .* got 48 NaN among 48"),
        ({"path": "picture.jpg"}, r"path: expected a file name that ends in \.png"),
        ({"count": 0}, "count: expected an integer of at least 1, got 0"),
        ({"count": True}, "count: expected an integer of at least 1, got True"),
    ],
)
def test_refused(arguments, message):
    images = noise(3, 4, 4, 1)
    with pytest.raises(ValueError, match=message):
        before_after(**{"inputs": images, "outputs": images, **arguments})
