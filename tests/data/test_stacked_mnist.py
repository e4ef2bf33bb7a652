"""Stacked digits: every channel a digit of the split, every class reached."""

import numpy as np
import pytest
import scipy.stats

from kgen.data.mnist5k import mnist5k
from kgen.data.rows import Request
from kgen.data.stacked_mnist import stacked_mnist
from tests.data.pure_rows import assert_rows_are_pure


@pytest.mark.parametrize("split, count", [("train", 128_000), ("test", 26_000)])
def test_all_thousand_classes_have_equal_shares(split, count):
    rows = stacked_mnist(Request(split))
    assert (rows.count, rows.shape, rows.dtype, rows.label_shape) == (
        count,
        (28, 28, 3),
        "uint8",
        (),
    )
    labels = rows.labels(np.arange(count))
    assert labels.dtype == np.int32 and labels.shape == (count,)
    counts = np.bincount(labels)
    assert len(counts) == 1000 and counts.min() > 0
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("split", ["train", "test"])
def test_channels_are_the_digits_of_the_label(split):
    rows = stacked_mnist(Request(split))
    images, labels = rows.examples(np.arange(300)), rows.labels(np.arange(300))
    assert images.shape == (300, 28, 28, 3) and images.dtype == np.uint8
    digits, classes = mnist5k(split)
    known = {digit.tobytes(): label for digit, label in zip(digits, classes, strict=True)}
    for image, label in zip(images, labels, strict=True):
        red, green, blue = (known[image[..., c : c + 1].tobytes()] for c in range(3))
        assert label == 100 * red + 10 * green + blue


def test_digits_are_drawn_independently():
    labels = stacked_mnist(Request()).labels(np.arange(20_000))
    digits = np.stack([labels // 100, labels // 10 % 10, labels % 10])
    for first, second in ((0, 1), (0, 2), (1, 2)):
        counts, _, _ = np.histogram2d(digits[first], digits[second], bins=10)
        assert scipy.stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_a_row_is_the_same_alone_and_among_others():
    assert_rows_are_pure(stacked_mnist(Request(length=10**9)))


def test_seeds_and_splits_differ():
    numbers = np.arange(500)
    labels = [
        stacked_mnist(request).labels(numbers)
        for request in (Request(), Request(seed=1), Request(seed=-1), Request("test"))
    ]
    for first in range(4):
        for second in range(first):
            assert np.mean(labels[first] == labels[second]) < 0.02


def test_size_and_channels():
    rows = stacked_mnist(Request("test", image_size=(16, 20), channels=3))
    assert rows.shape == (16, 20, 3)
    assert rows.examples(np.arange(4)).shape == (4, 16, 20, 3)
    with pytest.raises(ValueError, match="channels: expected 3 or None.*got 1"):
        stacked_mnist(Request(channels=1))
