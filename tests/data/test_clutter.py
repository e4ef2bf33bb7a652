"""Figures over photographs."""

import numpy as np
import pytest
import tensorflow as tf

import kgen.data
from kgen.data.clutter import LEAST_CONTRAST
from kgen.data.degradation import degrader
from kgen.data.photos import photos
from kgen.data.rows import Request


def apply(images, amount=1.0, **arguments):
    degrade = degrader({"clutter": amount}, images.shape[1:], 0, **arguments)
    return degrade(tf.constant(images), 3).numpy()


@pytest.mark.parametrize("channels", [1, 3])
def test_opacity(channels):
    """None shows the photograph, all the figure, and half their mean."""
    shape = (40, 8, 8, channels)
    ground, figure, both = (apply(np.full(shape, level, np.float32)) for level in (-1.0, 1.0, 0.0))
    assert np.ptp(figure, axis=(1, 2, 3)).max() == 0  # one grey an image
    assert np.ptp(ground, axis=(1, 2, 3)).min() > 0
    np.testing.assert_allclose(both, (figure + ground) / 2, atol=1e-6)
    contrast = figure[:, 0, 0, 0] - ground.mean((1, 2, 3))
    assert np.abs(contrast).min() >= LEAST_CONTRAST - 1e-6
    assert (contrast > 0).any() and (contrast < 0).any()
    assert np.abs(figure).max() <= 1 and len(np.unique(figure)) == 40


def test_less_contrast_behind():
    black = np.full((6, 8, 8, 1), -1.0, np.float32)
    np.testing.assert_allclose(apply(black, 0.5), apply(black) / 2, atol=1e-6)


@pytest.mark.parametrize("split", ["train", "test"])
def test_photographs_of_the_split(split):
    """Every crop is one of the split's, found where `photos` would look for it."""
    found = np.rint((apply(np.full((4, 60, 60, 1), -1.0, np.float32), split=split) + 1) * 127.5)
    pictures = halves(split)
    for crop in found.astype(np.uint8)[..., 0]:
        assert any(is_in(crop, picture) for picture in pictures)
        assert not any(is_in(crop, p) for p in halves("test" if split == "train" else "train"))


def halves(split):
    """All that a split's crops come from: the photographs at every scale."""
    crops = photos(Request(split, (60, 60), 1))
    levels = crops.examples.__closure__
    found = next(c.cell_contents for c in levels if isinstance(c.cell_contents, list))
    return [picture[..., 0] for level in found for picture in level]


def is_in(crop, picture):
    windows = (
        np.lib.stride_tricks.sliding_window_view(picture, (1, 60))
        if (picture.shape[0] >= 60 and picture.shape[1] >= 60)
        else None
    )
    if windows is None:
        return False
    rows, columns = np.nonzero((windows[:, :, 0] == crop[0]).all(-1))
    return any(
        np.array_equal(picture[r : r + 60, c : c + 60], crop)
        for r, c in zip(rows, columns, strict=True)
    )


def test_pairs_of_digits():
    stream = kgen.data.pairs("mnist5k", degradation="clutter", batch_size=100, split="test")
    inputs, targets = (part.numpy() for part in next(iter(stream)))
    assert np.array_equal(
        targets, next(iter(kgen.data.load("mnist5k", batch_size=100, split="test")))
    )
    made = degrader("clutter", (28, 28, 1), 0, "test")(tf.constant(targets), 0)
    np.testing.assert_allclose(inputs, made, atol=1e-5)
    # What is no ink is photograph, and no threshold tells the two apart.
    ink = targets > 0.5
    assert (inputs[ink] > 0).mean() > 0.2 and (inputs[ink] < 0).mean() > 0.2


def test_larger_than_a_photograph():
    with pytest.raises(ValueError, match="image_size: expected a crop .* part of a photograph"):
        degrader("clutter", (1000, 1000, 1), 0)
