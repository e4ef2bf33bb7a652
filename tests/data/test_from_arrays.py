"""Arrays in memory as streams."""

import numpy as np
import pytest

import kgen.data


def one_batch(*arguments, **more):
    return next(iter(kgen.data.from_arrays(*arguments, **more)))


@pytest.mark.parametrize("shape", [(6,), (6, 2), (6, 4, 4, 1), (6, 3, 4, 4, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
def test_values_and_shapes(shape, dtype):
    images = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    images = (images * (255 if dtype == np.uint8 else 1)).astype(dtype)
    batch = one_batch(images, batch_size=6, shuffle=False)
    assert batch.dtype == "float32" and batch.shape == shape
    expected = images / 127.5 - 1 if dtype == np.uint8 else images
    np.testing.assert_allclose(batch, expected, atol=2e-7)


def test_labels_go_with_their_rows():
    points = np.arange(50, dtype=np.float32)[:, None] * [3.0, -2.0]  # in their own units
    labels = np.stack([np.arange(50), -np.arange(50)], axis=1)
    rows, classes = one_batch(points, labels, batch_size=50, seed=4)
    assert classes.dtype == "int32" and classes.shape == (50, 2)
    assert np.array_equal(rows, classes.numpy() * np.array([3.0, 2.0]))
    assert not np.array_equal(rows, points)  # shuffled
    ordered, _ = one_batch(points, labels, batch_size=50, shuffle=False)
    assert np.array_equal(ordered, points)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((4, 2, 2), np.int32)}, "images: .* got int32"),
        ({"images": np.zeros((4, 2, 2), np.uint16)}, "images: .* got uint16"),
        ({"images": np.zeros((0, 2, 2))}, r"images: .* \(0, 2, 2\)"),
        ({"images": np.float32(3)}, "images: "),
        (
            {"images": np.full((4, 2, 2), 2.0)},
            r"images: .*\[-1, 1\].* found floats in \[2.0, 2.0\]",
        ),
        ({"images": np.full((4, 2), np.nan)}, "images: expected finite values"),
        ({"labels": np.zeros(3, int)}, r"labels: .* \(4, ...\).* got int64 of the shape \(3,\)"),
        ({"labels": np.zeros(4)}, "labels: .* got float64"),
        ({"batch_size": 5}, "batch_size: expected at most 4, .* got 5"),
        ({"batch_size": 0}, "batch_size: .* got 0"),
        ({"seed": 0.5}, "seed: .* got 0.5"),
        ({"shuffle": 1}, "shuffle: expected True or False, got 1"),
        ({"augmentations": ["flip"], "images": np.zeros((4, 2))}, "augmentations: expected None"),
    ],
)
def test_bad_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        kgen.data.from_arrays(**{"images": np.zeros((4, 2, 2, 1)), "batch_size": 2, **arguments})
