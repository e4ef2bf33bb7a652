"""Degradations, against values worked by hand; those with holes are in test_holes.py."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen.data.degradation import degrader


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (6, 8, 12, 3)).astype(np.float32)


def apply(degradation, images, step=0, seed=0, split="train"):
    return degrader(degradation, images.shape[1:], seed, split)(tf.constant(images), step).numpy()


def test_edges():
    image = np.full((1, 8, 8, 3), -1.0, np.float32)
    image[:, :, 4:] = -0.8  # a step of 0.1 in [0, 1]: Sobel's 1 2 1 makes it 0.4
    lines = apply("edges", image)
    assert lines.shape == image.shape
    np.testing.assert_allclose(lines[0, :, [3, 4]], 1 - 2 * 0.4, atol=1e-5)
    np.testing.assert_allclose(lines[0, :, [0, 1, 2, 5, 6, 7]], 1, atol=1e-5)
    np.testing.assert_allclose(apply({"edges": 0.5}, image)[0, :, 3], 1 - 2 * 0.2, atol=1e-5)
    image[:, :, 4:] = 1.0
    assert apply("edges", image).min() == -1  # black at most


def test_grey(images):
    luminance = (images @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]
    np.testing.assert_allclose(
        apply("grey", images), np.broadcast_to(luminance, images.shape), atol=1e-6
    )
    half = apply({"grey": 0.5}, images)
    np.testing.assert_allclose(half, (images + luminance) / 2, atol=1e-6)
    assert np.array_equal(apply("grey", images[..., :1]), images[..., :1])


def test_masked(images):
    places, many = set(), np.tile(images, (10, 1, 1, 1))
    for step in range(6):
        changed = apply("masked", many, step)
        hidden = (changed == 0).all(-1)
        assert np.array_equal(changed[~hidden], many[~hidden])
        for mask in hidden:
            rows, columns = np.nonzero(mask)
            assert len(rows) == 16  # 4 x 4: half of the shorter side
            assert np.ptp(rows) == 3 and np.ptp(columns) == 3
            places.add((rows.min(), columns.min()))
    assert places == {(row, column) for row in range(5) for column in range(9)}
    assert (apply({"masked": 0.25}, images) == 0).all(-1).sum() == 6 * 4


def test_downsampled(images):
    means = images.reshape(6, 2, 4, 3, 4, 3).mean((2, 4))
    expected = means.repeat(4, axis=1).repeat(4, axis=2)
    np.testing.assert_allclose(apply("downsampled", images), expected, atol=1e-6)
    assert apply({"downsampled": 2}, images).shape == images.shape


def test_noise(images):
    grey = np.zeros((64, 16, 16, 1), np.float32)
    added = apply("noise", grey)
    assert abs(added.std() - 0.2) < 0.005 and abs(added.mean()) < 0.01
    assert abs(apply({"noise": 0.1}, grey).std() - 0.1) < 0.005
    assert np.abs(apply({"noise": 5.0}, images)).max() == 1


def test_low_resolution(images):
    small = apply("low_resolution", images)
    assert small.shape == (6, 4, 6, 3)
    assert np.abs(small).max() <= 1
    assert apply({"low_resolution": 4}, images).shape == (6, 2, 3, 3)
    # What varies slowly is kept, what alternates is gone.
    ramp = np.broadcast_to(np.linspace(-0.9, 0.9, 24, dtype=np.float32), (1, 24, 24))[..., None]
    means = ramp.reshape(1, 12, 2, 12, 2, 1).mean((2, 4))
    np.testing.assert_allclose(
        apply("low_resolution", ramp)[:, :, 2:-2], means[:, :, 2:-2], atol=1e-5
    )
    stripes = np.tile([-1.0, 1.0], 12).astype(np.float32)
    stripes = np.broadcast_to(stripes, (1, 24, 24))[..., None]
    assert np.abs(apply("low_resolution", stripes)[:, :, 2:-2]).max() < 0.3
    # Without antialiasing it would be every other pixel's surroundings: this is Pillow's own.
    picture = Image.fromarray(images[0, ..., 0])
    expected = np.asarray(picture.resize((6, 4), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(small[0, ..., 0], np.clip(expected, -1, 1), atol=1e-5)


@pytest.mark.parametrize("name", ["masked", "noise", "clutter", "hole_square"])
def test_draws_depend_on_seed_split_step_and_place(images, name):
    same = np.repeat(images[:1], 6, axis=0)
    first = apply(name, same, step=5)
    assert np.array_equal(first, apply(name, same, step=5))
    assert not np.array_equal(first, apply(name, same, step=6))
    assert not np.array_equal(first, apply(name, same, step=5, seed=1))
    assert not np.array_equal(first, apply(name, same, step=5, split="test"))
    assert len({image.tobytes() for image in first}) > 1


def test_a_function(images):
    assert np.array_equal(apply(lambda batch: -batch[..., :1], images), -images[..., :1])
    assert np.array_equal(apply(lambda batch: batch[:, ::2], images), images[:, ::2])
    for wrong in (
        lambda batch: batch[::2],
        lambda batch: tf.cast(batch, tf.float16),
        lambda batch: None,
        lambda batch: batch[..., 0],
    ):
        with pytest.raises(ValueError, match=r"degradation: expected a function to .* \(6, height"):
            apply(wrong, images)


@pytest.mark.parametrize(
    ("degradation", "message"),
    [
        ("blur", "degradation: expected one of .*'edges'.* got 'blur'"),
        ({"noise": 0.1, "grey": 1}, "degradation: expected one of"),
        ({}, "degradation: expected one of"),
        (3, "degradation: expected one of"),
        ({"noise": 0}, r"degradation\['noise'\]: expected a positive number, got 0"),
        ({"noise": "much"}, r"degradation\['noise'\]: .* got 'much'"),
        ({"noise": True}, r"degradation\['noise'\]: .* got True"),
        ({"masked": 1.5}, r"degradation\['masked'\]: expected a number in \(0, 1\], got 1.5"),
        ({"downsampled": 1}, r"degradation\['downsampled'\]: expected an integer of at least 2"),
        ({"downsampled": 2.0}, r"degradation\['downsampled'\]: .* got 2.0"),
        ({"downsampled": 3}, r"degradation\['downsampled'\]: .* divides .* 8 and 12 pixels, got 3"),
        ({"low_resolution": 8}, r"\['low_resolution'\]: .* divides .* 8 and 12 pixels, got 8"),
        ({"low_resolution": 1}, r"\['low_resolution'\]: expected an integer of at least 2"),
        ({"hole_centre": 1}, r"\['hole_centre'\]: expected a number in \(0, 1\), the share"),
        ({"hole_region": 0.0}, r"\['hole_region'\]: expected a number in \(0, 1\), .* got 0.0"),
        ({"clutter": 2}, r"degradation\['clutter'\]: expected a number in \(0, 1\], got 2"),
    ],
)
def test_refused(degradation, message):
    with pytest.raises(ValueError, match=message):
        degrader(degradation, (8, 12, 3), 0)
