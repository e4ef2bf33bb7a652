"""Thickness and slant of strokes: of bars that are as thick and as slanted as one knows."""

import doctest
import importlib

import numpy as np
import pytest

import kgen.data
from kgen.metrics import stroke_slant, stroke_thickness

SIZE = 28


def bar(thickness, degrees=0.0):
    """A bar through the middle, its edges grey by how much of a pixel is in it."""
    fine = (np.arange(8 * SIZE) + 0.5) / 8 - SIZE / 2
    y, x = np.meshgrid(fine, fine, indexing="ij")
    # A shear: as thick across, seen at a right angle, as it says.
    across = x + y * np.tan(np.radians(degrees))
    inside = (np.abs(across) * np.cos(np.radians(degrees)) <= thickness / 2) & (np.abs(y) <= 12)
    grey = inside.reshape(SIZE, 8, SIZE, 8).mean(axis=(1, 3))
    return 2.0 * grey[None, :, :, None] - 1.0


@pytest.mark.parametrize("thickness", [2.0, 3.0, 4.5])
@pytest.mark.parametrize("degrees", [0.0, 20.0, -35.0])
def test_bars(thickness, degrees):
    image = bar(thickness, degrees)
    # Its ends are nearer to an edge.
    assert stroke_thickness(image)[0] == pytest.approx(thickness, rel=0.13)
    assert stroke_slant(image)[0] == pytest.approx(degrees, abs=0.8)


def test_symmetries():
    images = kgen.data.load("digits", batch_size=16, seed=0)
    images = next(iter(images)).numpy()
    thickness, slant = stroke_thickness(images), stroke_slant(images)
    np.testing.assert_allclose(stroke_thickness(images[:, :, ::-1]), thickness, atol=1e-9)
    np.testing.assert_allclose(stroke_thickness(images[:, ::-1]), thickness, atol=1e-9)
    np.testing.assert_allclose(stroke_slant(images[:, :, ::-1]), -slant, atol=1e-9)
    np.testing.assert_allclose(stroke_slant(images[:, ::-1, ::-1]), slant, atol=1e-9)
    moved = np.pad(images, ((0, 0), (3, 1), (0, 5), (0, 0)), constant_values=-1.0)
    np.testing.assert_allclose(stroke_slant(moved), slant, atol=1e-9)
    colour = np.repeat(images, 3, axis=-1)
    np.testing.assert_allclose(stroke_thickness(colour), thickness, atol=1e-9)


def test_slant_by_hand():
    """Two points one above the other and one to the right at the top: m11 = -1/3, m02 = 2/3 ..."""
    image = np.full((1, 3, 3, 1), -1.0)
    image[0, [0, 1, 2], [2, 1, 1], 0] = 1.0
    # x less its mean 4/3: 2/3, -1/3, -1/3; y: -1, 0, 1: m11 = -1/3, m02 = 2/3.
    assert stroke_slant(image)[0] == pytest.approx(np.degrees(np.arctan(0.5)))


def test_no_stroke():
    dark = np.full((2, 8, 8, 1), -1.0)
    dark[0, 2:6, 3:5] = 1.0
    assert stroke_thickness(dark)[1] == 0.0 < stroke_thickness(dark)[0]
    with pytest.raises(ValueError, match="`images` must have a stroke .* none in image 1"):
        stroke_slant(dark)
    flat = np.full((1, 8, 8, 1), -1.0)
    flat[0, 3, 2:6] = 1.0
    with pytest.raises(ValueError, match="none in image 0"):
        stroke_slant(flat)


@pytest.mark.parametrize("measure", [stroke_thickness, stroke_slant])
@pytest.mark.parametrize("images", [np.zeros((8, 8)), np.zeros((1, 8, 8, 1), int)])
def test_refused(measure, images):
    with pytest.raises(ValueError, match="`images` must"):
        measure(images)


def test_examples():
    assert doctest.testmod(importlib.import_module("kgen.metrics.strokes")).failed == 0
