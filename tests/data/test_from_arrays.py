"""Arrays in memory as streams."""

import warnings

import numpy as np
import pytest

import kgen.data


def one_batch(*arguments, **more):
    return next(iter(kgen.data.from_arrays(*arguments, **more)))


@pytest.mark.parametrize("shape", [(6,), (6, 2), (6, 4, 4, 1), (6, 3, 4, 4, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
def test_values_and_shapes(shape, dtype):
    images = np.linspace(*((0, 255) if dtype == np.uint8 else (-1, 1)), int(np.prod(shape)))
    images = images.reshape(shape).astype(dtype)
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
            r"`images` must be in \[-1, 1\], received values in \[2, 2\].*images / 127.5 - 1",
        ),
        ({"images": np.full((4, 2), np.nan)}, "images: expected finite values"),
        ({"images": [[1.0], [1.0, 2.0]]}, "images: expected .* one shape, got a list of rows"),
        ({"labels": [[1], [1, 2], 3, 4]}, "labels: expected .* one shape, got a list of rows"),
        ({"images": {"x": np.zeros((4, 2))}}, r"under 'image' .* got a dictionary with \['x'\]"),
        (
            {"images": {"image": np.zeros((4, 2)), "label": np.arange(4)}, "labels": np.arange(4)},
            "no `labels` beside its 'label'",
        ),
        ({"labels": np.zeros(3, int)}, r"labels: .* \(4, ...\).* got int64 of the shape \(3,\)"),
        ({"labels": np.zeros(4)}, "labels: .* got float64"),
        ({"labels": np.arange(4) + 2**32}, "labels: expected .* 32 bits, found 4294967296"),
        ({"labels": np.full(4, 2**63, np.uint64)}, "labels: expected .* 32 bits"),
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


def test_of_a_dictionary_the_image_and_the_label_are_taken():
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3), np.uint8)
    given = {"id": [b"a"] * 6, "image": images, "label": np.arange(6)}
    pixels, labels = one_batch(given, batch_size=6, shuffle=False)
    np.testing.assert_allclose(pixels, images / 127.5 - 1, atol=2e-7)
    assert labels.numpy().tolist() == list(range(6))
    alone = one_batch({"image": images}, np.arange(6), batch_size=6)
    assert len(alone) == 2 and one_batch({"image": images}, batch_size=6).shape == (6, 4, 4, 3)


def test_bytes_of_0_and_1_and_floats_of_0_to_1_are_warned_of():
    bits = np.random.default_rng(0).integers(0, 2, (6, 4, 4, 1), np.uint8)
    with pytest.warns(UserWarning, match="largest value .* is 1: .*multiply them by 255"):
        kgen.data.from_arrays(bits, batch_size=2)
    with pytest.warns(UserWarning, match="`images` should be in .*images \\* 2 - 1"):
        kgen.data.from_arrays(bits.astype("float32"), batch_size=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kgen.data.from_arrays(np.zeros((6, 4, 4, 1), np.uint8), batch_size=2)
        kgen.data.from_arrays(2 * bits, batch_size=2)
        kgen.data.from_arrays(bits.reshape(6, 16).astype("float32"), batch_size=2)  # Codes.
