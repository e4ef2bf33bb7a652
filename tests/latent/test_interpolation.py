"""Ways and grids of latents: ends, lengths, symmetry, and worked by hand."""

import numpy as np
import pytest

from kgen.latent import corner_grid, interpolate, label_width
from tests.latent.styled import styled
from tests.systems import CLASSES, SYSTEMS


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("path", ["spherical", "linear"])
@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 4, 5)])
def test_ends_are_exact_and_the_way_back_is_the_same(path, shape):
    start, end = normal(2, *shape)
    way = interpolate(start, end, steps=6, path=path)
    assert way.shape == (6, *shape) and way.dtype == np.float32
    np.testing.assert_array_equal(way[0], start)
    np.testing.assert_array_equal(way[-1], end)
    np.testing.assert_allclose(way[::-1], interpolate(end, start, 6, path), atol=1e-6)


def test_lengths_go_evenly_on_an_arc_and_shrink_on_a_line():
    start, end = normal(2, 3, 50)
    lengths = np.linalg.norm(interpolate(start, end, steps=5), axis=-1)
    np.testing.assert_allclose(np.diff(lengths, axis=0, n=2), 0.0, atol=1e-5)
    on_line = np.linalg.norm(interpolate(start, end, steps=5, path="linear"), axis=-1)
    assert (on_line[2] < 0.85 * lengths[2]).all()


def test_by_hand():
    way = interpolate([1.0, 0.0], [0.0, 2.0], [0.0, 1 / 3, 2 / 3, 1.5])
    expected = [
        [1.0, 0.0],
        [4 / 3 * np.cos(np.pi / 6), 4 / 3 * np.sin(np.pi / 6)],
        [5 / 3 * np.cos(np.pi / 3), 5 / 3 * np.sin(np.pi / 3)],
        [2.5 * np.cos(0.75 * np.pi), 2.5 * np.sin(0.75 * np.pi)],
    ]
    np.testing.assert_allclose(way, expected, atol=1e-6)
    line = interpolate([1.0, 0.0], [0.0, 2.0], [0.25, 1.5], path="linear")
    np.testing.assert_allclose(line, [[0.75, 0.5], [-0.5, 3.0]])


def test_batches_are_rows_and_styles_are_rows_of_each_layer():
    start, end = normal(2, 3, 4, 5)
    way = interpolate(start, end, steps=7)
    for i in range(3):
        for j in range(4):
            np.testing.assert_allclose(way[:, i, j], interpolate(start[i, j], end[i, j], 7), 1e-6)


@pytest.mark.parametrize("path", ["spherical", "linear"])
def test_labels_go_straight_and_stay_within_a_class(path):
    start, end = normal(2, 4)
    threes = [np.concatenate([row, [0.0, 1.0, 0.0]]) for row in (start, end)]
    way = interpolate(*threes, steps=5, path=path, labels=3)
    np.testing.assert_array_equal(way[:, 4:], np.tile([0.0, 1.0, 0.0], (5, 1)))
    np.testing.assert_allclose(way[:, :4], interpolate(start, end, 5, path), atol=1e-6)
    other = np.concatenate([end, [1.0, 0.0, 0.0]])
    way = interpolate(threes[0], other, steps=5, path=path, labels=3)
    np.testing.assert_allclose(way[1, 4:], [0.25, 0.75, 0.0])
    np.testing.assert_allclose(way[:, 4:].sum(axis=1), 1.0)


@pytest.mark.parametrize("path", ["spherical", "linear"])
def test_a_grids_corners_and_edges(path):
    corners = normal(4, 2, 5)
    grid = corner_grid(corners, rows=3, columns=6, path=path)
    assert grid.shape == (3, 6, 2, 5) and grid.dtype == np.float32
    for corner, place in zip(corners, [(0, 0), (0, -1), (-1, 0), (-1, -1)], strict=True):
        np.testing.assert_array_equal(grid[place], corner)
    np.testing.assert_array_equal(grid[0], interpolate(*corners[:2], 6, path))
    np.testing.assert_array_equal(grid[-1], interpolate(*corners[2:], 6, path))
    np.testing.assert_array_equal(grid[:, 0], interpolate(*corners[::2], 3, path))
    np.testing.assert_array_equal(grid[:, -1], interpolate(*corners[1::2], 3, path))


def test_a_linear_grid_is_bilinear():
    corners = np.float64(normal(4, 5))
    grid = corner_grid(corners, rows=4, columns=5, path="linear")
    for i, down in enumerate(np.linspace(0, 1, 4)):
        for j, right in enumerate(np.linspace(0, 1, 5)):
            weights = [(1 - down) * (1 - right), (1 - down) * right, down * (1 - right)]
            expected = np.dot([*weights, down * right], corners)
            np.testing.assert_allclose(grid[i, j], expected, atol=1e-6)
    turned = corner_grid(corners[[0, 2, 1, 3]], rows=5, columns=4, path="linear")
    np.testing.assert_allclose(grid, np.swapaxes(turned, 0, 1), atol=1e-6)


def test_a_grid_keeps_the_class_of_its_corners():
    corners = np.concatenate([normal(4, 3), np.tile([0.0, 1.0], (4, 1))], axis=1)
    grid = corner_grid(corners, rows=3, columns=3, labels=2)
    np.testing.assert_array_equal(grid[..., 3:], np.broadcast_to([0.0, 1.0], (3, 3, 2)))


@pytest.mark.parametrize(
    ("name", "width"),
    [("vae", 0), ("dcgan", 0), ("conditional_gan", 3), ("stylegan", 3), ("infogan", None)],
)
def test_label_width(name, width):
    model = styled(CLASSES) if name == "stylegan" else SYSTEMS[name].make()
    if name == "infogan":
        width = model.code_width
    assert label_width(model) == width
    rows = model.latents(4, seed=0)
    if width:
        way = interpolate(rows[0], rows[1], steps=3, labels=width)
        np.testing.assert_allclose(way[1, -width:], (rows[0] + rows[1])[-width:] / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 3.0}, r"`start` must be an array of numbers .* received float64 of the shape"),
        ({"start": ["a"]}, "`start` must be an array of numbers"),
        ({"end": np.zeros((0, 4))}, "`end` must be an array of numbers"),
        ({"end": [0.0, np.nan, 0.0, np.inf]}, "`end` must be finite, received 2 values"),
        ({"end": normal(5)}, r"`start` and `end` must have one shape, received \(4,\) and \(5,\)"),
        ({"steps": 1}, "`steps` must be an integer of at least 2, or a list .* received 1"),
        ({"steps": True}, "`steps` must be an integer of at least 2"),
        ({"steps": []}, r"`steps` must be a list of finite numbers, received \[\]"),
        ({"steps": [0.0, np.nan]}, "`steps` must be a list of finite numbers"),
        ({"path": "arc"}, "`path` must be one of .*spherical.*linear.* received 'arc'"),
        ({"labels": 4}, "`labels` must be an integer from 0 to 3, .* received 4"),
        ({"labels": -1}, "`labels` must be an integer from 0 to 3"),
        ({"labels": 1.0}, "`labels` must be an integer from 0 to 3"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        interpolate(**{"start": normal(4), "end": -normal(4), **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"corners": normal(3, 4)}, "`corners` must be 4 latents, received 3"),
        ({"corners": normal(4)}, "`corners` must be an array of numbers"),
        ({"rows": 1}, "`rows` must be an integer of at least 2, received 1"),
        ({"columns": [0.0, 1.0]}, "`columns` must be an integer of at least 2"),
        ({"path": None}, "`path` must be one of"),
        ({"labels": 9}, "`labels` must be an integer from 0 to 3"),
    ],
)
def test_refused_grids(arguments, message):
    with pytest.raises(ValueError, match=message):
        corner_grid(**{"corners": normal(4, 4), **arguments})
