"""The shapes: their layout, their geometry against areas and circles by formula, their split."""

import functools
import itertools

import numpy as np
import pytest

from kgen.data.rows import Request
from kgen.data.shapes import FACTORS, draw_shapes, shapes

COUNTS = {"train": 589_731, "validation": 73_735, "test": 73_814}
SCALES = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


def all_labels(split):
    rows = shapes(Request(split))
    assert rows.count == COUNTS[split]
    labels = rows.labels(np.arange(rows.count))
    assert labels.dtype == np.int32
    return labels


def test_layout():
    assert FACTORS == {"shape": 3, "scale": 6, "rotation": 40, "x": 32, "y": 32}
    assert list(FACTORS) == ["shape", "scale", "rotation", "x", "y"]
    rows = shapes(Request())
    assert (rows.shape, rows.dtype, rows.label_shape) == ((64, 64, 1), "uint8", (5,))
    images = rows.examples(np.arange(100))
    assert images.shape == (100, 64, 64, 1) and images.dtype == np.uint8
    assert set(np.unique(images)) == {0, 255}


def test_splits_hold_every_combination_once_and_no_image_in_both():
    numbers = {
        split: np.ravel_multi_index(all_labels(split).T, tuple(FACTORS.values()))
        for split in COUNTS
    }
    together = np.sort(np.concatenate(list(numbers.values())))
    assert np.array_equal(together, np.arange(737_280))
    for split in ("test", "validation"):
        is_in = np.isin(np.arange(737_280), numbers[split]).reshape(tuple(FACTORS.values()))
        # Rotation 39 is the image of rotation 0.
        assert np.array_equal(is_in[:, :, 0], is_in[:, :, 39])
        for axis in range(5):
            shares = is_in.mean(axis=tuple(other for other in range(5) if other != axis))
            assert np.abs(shares - 0.1).max() < 0.01
    joined = shapes(Request("train+validation"))
    assert joined.count == COUNTS["train"] + COUNTS["validation"]


def test_the_order_is_random_and_fixed():
    labels = all_labels("train")
    assert len({tuple(label) for label in labels[:64]}) == 64
    assert set(labels[:64, 0]) == {0, 1, 2}
    numbers = np.arange(50)
    first, second = shapes(Request(seed=0)), shapes(Request(seed=-5, length=50))
    assert second.count == 50
    assert np.array_equal(first.examples(numbers), second.examples(numbers))
    assert np.array_equal(first.labels(numbers), labels[:50])


def test_a_row_is_the_same_alone_and_among_others():
    rows = shapes(Request("test"))
    numbers = np.array([73_813, 0, 17, 500, 499, 3])
    images = rows.examples(numbers)
    for index, number in enumerate(numbers):
        assert np.array_equal(rows.examples(np.array([number]))[0], images[index])
    assert np.array_equal(rows.examples(numbers[::-1]), images[::-1])
    assert np.array_equal(images[..., 0] == 255, draw_shapes(rows.labels(numbers), (64, 64)))


@functools.cache
def heart_area():
    """The area within (x^2 + y^2 - 1)^3 = x^2 y^3, by polar coordinates."""
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    radii = np.linspace(0, 2, 4000)
    x, y = radii[:, None] * np.cos(angles), radii[:, None] * np.sin(angles)
    inside = (x**2 + y**2 - 1) ** 3 <= x**2 * y**3
    return np.sum(inside * radii[:, None]) * (radii[1] - radii[0]) * 2 * np.pi / 2000


def area(shape):
    """In squares of the radius of the circle around the shape."""
    return [2.0, np.pi / 2, heart_area() / 1.25**2][shape]


@pytest.mark.parametrize("size, radius", [((64, 64), 16), ((128, 96), 24), ((40, 200), 10)])
def test_areas_are_those_of_whole_shapes_everywhere(size, radius):
    """No shape is cut off: its area is the formula's at every place, the corners included."""
    for shape, scale in itertools.product(range(3), range(6)):
        # Not along the axes, where whole rows of pixels lie on an edge.
        factors = list(itertools.product([shape], [scale], [1, 3, 17], [0, 15, 31], [0, 15, 31]))
        areas = draw_shapes(factors, size).sum(axis=(1, 2))
        expected = area(shape) * (radius * SCALES[scale]) ** 2
        # Each pixel on the border, about 6 radii long, is off by half of one, at random.
        assert np.abs(areas - expected).max() < 1.5 * np.sqrt(6 * radius)
        assert np.abs(areas.mean() / expected - 1) < 0.03


def test_shapes_lie_in_their_circle_and_touch_it():
    factors = np.array(list(itertools.product(range(3), range(6), range(40), [0, 20, 31], [5])))
    masks = draw_shapes(factors, (64, 64))
    y, x = np.mgrid[:64, :64] + 0.5
    centre_x, centre_y = (16 + 32 * factors[:, axis] / 31 for axis in (3, 4))
    distances = np.hypot(x - centre_x[:, None, None], y - centre_y[:, None, None])
    farthest = np.where(masks, distances, 0).max(axis=(1, 2))
    radius = 16 * np.array(SCALES)[factors[:, 1]]
    assert np.all(farthest <= radius + 1e-3)
    assert np.all(farthest >= radius - 1.5)


def test_rotation_and_position():
    y, x = np.mgrid[:64, :64] + 0.5
    ellipses = draw_shapes([(1, 5, rotation, 10, 20) for rotation in range(40)], (64, 64))
    for rotation, mask in enumerate(ellipses):
        away = np.stack([x[mask], y[mask]])
        np.testing.assert_allclose(away.mean(1), 16 + 32 * np.array([10, 20]) / 31, atol=0.3)
        _, axes = np.linalg.eigh(np.cov(away))
        angle = 2 * np.pi * rotation / 39
        assert abs(axes[:, 1] @ [np.cos(angle), np.sin(angle)]) > 0.995
    assert np.array_equal(ellipses[0], ellipses[39])
    upright = draw_shapes([(2, 5, 0, 15, 15)], (64, 64))[0]
    rows = np.flatnonzero(upright.any(axis=1))
    assert upright[rows[-1]].sum() <= 4  # the tip, at the bottom
    assert upright.sum(axis=1).argmax() < rows.mean()
    # Two lobes at the top with a notch between them.
    assert np.count_nonzero(np.diff(upright[rows[0]].astype(int))) == 4
    np.testing.assert_allclose(x[upright].mean(), 16 + 32 * 15 / 31, atol=0.3)


@pytest.mark.parametrize("size, channels", [((16, 16), 1), ((20, 50), 3), ((1, 1), None)])
def test_size_and_channels(size, channels):
    rows = shapes(Request(image_size=size, channels=channels))
    images = rows.examples(np.arange(7))
    assert rows.shape == (*size, channels or 1) and images.shape == (7, *rows.shape)
    assert np.array_equal(images[..., 0], images[..., -1])


def test_length():
    assert shapes(Request("test", length=73_814)).count == 73_814
    with pytest.raises(ValueError, match="length: expected at most 73814.*got 73815"):
        shapes(Request("test", length=73_815))
