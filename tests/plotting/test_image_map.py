"""Images at their places: which cell they are in, which are left out, and their frames."""

import doctest
import importlib

import numpy as np
import pytest
from PIL import Image

from kgen.plotting import image_map, to_uint8
from kgen.plotting.image_map import COLOURS


def noise(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape)


def test_places_and_what_is_left_out():
    images = noise(4, 3, 5, 1)
    # Two in the lower left cell, of which the second is nearer to its centre.
    places = [[0.0, 0.0], [1.0, 1.0], [4.0, 1.0], [2.5, 4.0]]
    picture = image_map(images, places, cells=2)
    assert picture.shape == (2 * 3, 2 * 5, 3) and picture.dtype == np.uint8
    grey = np.broadcast_to(to_uint8(images), (4, 3, 5, 3))
    assert np.array_equal(picture[3:, :5], grey[1])
    assert np.array_equal(picture[3:, 5:], grey[2])
    assert np.array_equal(picture[:3, 5:], grey[3])
    assert (picture[:3, :5] == 255).all()


def test_all_are_shown_where_there_is_room():
    images = noise(25, 4, 4, 3)
    x, y = np.meshgrid(np.arange(5.0), np.arange(5.0))
    picture = image_map(images, np.stack([x.ravel(), y.ravel()], axis=1), cells=5)
    for index in range(25):
        row, column = 4 - index // 5, index % 5
        cell = picture[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        assert np.array_equal(cell, to_uint8(images[index]))


def test_one_image_and_images_on_a_line():
    images = noise(3, 4, 4, 1)
    assert image_map(images[:1], [[7.0, 7.0]]).shape == (4, 4, 3)
    assert image_map(images, [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]], cells=3).shape == (4, 12, 3)
    assert image_map(images, [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], cells=3).shape == (12, 4, 3)


def test_frames_are_of_the_classes_colours():
    images = noise(2, 28, 28, 1)
    picture = image_map(images, [[0.0, 0.0], [1.0, 0.0]], labels=[3, 10], cells=2)
    for left, colour in ((0, COLOURS[3]), (28, COLOURS[0])):
        cell = picture[:, left : left + 28]
        assert (cell[[0, 1, -2, -1]] == colour).all() and (cell[:, [0, 1, -2, -1]] == colour).all()
    assert np.array_equal(picture[2:26, 2:26, :1], to_uint8(images[0, 2:26, 2:26]))


def test_the_file_is_the_picture_enlarged(tmp_path):
    images, path = noise(4, 8, 8, 3), tmp_path / "new" / "map.png"
    picture = image_map(images, noise(4, 2), path, cells=4)
    with Image.open(path) as file:
        written = np.asarray(file)
    scale = -(-512 // max(picture.shape))
    assert np.array_equal(written, picture.repeat(scale, 0).repeat(scale, 1))


def test_values_beyond_the_range_are_cut_where_asked_for():
    images, places = 1.5 * noise(4, 8, 8, 3), noise(4, 2)
    expected = image_map(np.clip(images, -1, 1), places)
    assert np.array_equal(image_map(images, places, clip=True), expected)


def test_examples():
    assert doctest.testmod(importlib.import_module("kgen.plotting.image_map")).failed == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": noise(3, 4, 4)}, r"images: expected the shape \(n, .* got \(3, 4, 4\)"),
        ({"images": np.full((3, 4, 4, 1), np.nan)}, "images: .* got 48 NaN"),
        ({"images": np.full((3, 4, 4, 1), 2.0)}, r"images` must be in \[-1, 1\], received values"),
        ({"places": noise(2, 2)}, r"places: expected .* shape \(3, 2\), got .* \(2, 2\)"),
        ({"places": np.full((3, 2), np.inf)}, "places: expected finite numbers"),
        ({"labels": [0, 1]}, r"labels: expected integers from 0 of the shape \(3,\)"),
        ({"labels": [0, 1, -1]}, "labels: expected integers from 0"),
        ({"labels": [0.0, 1.0, 2.0]}, "labels: expected integers from 0"),
        ({"path": "map.jpg"}, r"path: expected a file name that ends in \.png"),
        ({"cells": 0}, "cells: expected an integer of at least 1, got 0"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        image_map(**{"images": noise(3, 4, 4, 1), "places": noise(3, 2), **arguments})
