"""Crops of photographs: from the right halves, all alike likely, exact where not scaled."""

import numpy as np
import pytest
import scipy.stats
from PIL import Image
from sklearn.datasets import load_sample_image

from kgen.data import photos as module
from kgen.data.photos import CUT_AXES, photos
from kgen.data.rows import Request
from tests.data.pure_rows import assert_rows_are_pure

WHOLE = "train+validation"  # Halves of the photographs, whose sizes are known.
SIDE = 640


@pytest.mark.parametrize("split, count", [("train", 10_000), ("test", 1_000)])
def test_form(split, count):
    rows = photos(Request(split))
    assert (rows.count, rows.shape, rows.dtype, rows.label_shape) == (
        count,
        (64, 64, 3),
        "uint8",
        (),
    )
    images, labels = rows.examples(np.arange(300)), rows.labels(np.arange(300))
    assert images.shape == (300, 64, 64, 3) and images.dtype == np.uint8
    assert labels.dtype == np.int32 and set(labels) == {0, 1, 2}
    assert images.std() > 40 and np.any(images[..., 0] != images[..., 1])


@pytest.fixture
def coded(monkeypatch):
    """Photographs whose red tells the half, green the photograph and blue the column."""

    def picture(name):
        pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
        half = (slice(SIDE // 2, None), slice(None))
        pixels[half if CUT_AXES[name] == 0 else half[::-1]] = 255
        pixels[..., 1] = 50 * list(CUT_AXES).index(name)
        pixels[..., 2] = np.linspace(0, 255, SIDE)
        return Image.fromarray(pixels)

    monkeypatch.setattr(module, "_picture", picture)


@pytest.mark.parametrize(
    "split, red", [("train", 0), ("validation", 0), ("train+validation", 0), ("test", 255)]
)
def test_splits_share_no_pixel(coded, split, red):
    """Not even by scaling, which would mix the halves where they meet."""
    rows = photos(Request(split))
    images = rows.examples(np.arange(1000))
    assert np.all(images[..., 0] == red)
    assert np.array_equal(images[:, 0, 0, 1], 50 * rows.labels(np.arange(1000)))


def test_train_and_validation_share_no_pixel(monkeypatch):
    """What they have of a photograph that is coded by its longer side lies on either side."""

    def picture(name):
        height, width = 2 * SIDE, SIDE // 2
        if CUT_AXES[name] == 1:
            height, width = SIDE, 3 * SIDE
        half = (height // 2, width) if CUT_AXES[name] == 0 else (height, width // 2)
        along = np.linspace(0, 255, max(half)).astype(np.uint8)
        pixels = np.zeros((height, width, 3), np.uint8)
        code = along[: half[0], None] if half[0] >= half[1] else along[None, : half[1]]
        pixels[: half[0], : half[1]] = np.broadcast_to(code, half)[..., None]
        return Image.fromarray(pixels)

    monkeypatch.setattr(module, "_picture", picture)
    train, validation, both = (
        photos(Request(split, length=1000)).examples(np.arange(1000))
        for split in ("train", "validation", WHOLE)
    )
    border = 255 * 3 / 4
    assert train.max() <= border + 1 and validation.min() >= border - 1
    assert both.min() < 10 and both.max() > 245


def test_scales_and_places_have_equal_shares(coded):
    rows = photos(Request("train+validation"))
    images, labels = rows.examples(np.arange(4000)), rows.labels(np.arange(4000))
    blue = images[:, 0, :, 2].astype(float)
    # 255 / 640 a pixel of the photograph, and 63 pixels of a crop.
    scales = 63 * 255 / SIDE / (blue[:, -1] - blue[:, 0])
    level = np.abs(np.log2(scales[:, None]) + np.arange(5) / 2).argmin(axis=1)
    assert scipy.stats.chisquare(np.bincount(level, minlength=5)).pvalue > 1e-3
    # Equally large photographs have the same number of crops at scale 1: 577 x 257.
    assert scipy.stats.chisquare(np.bincount(labels[level == 0])).pvalue > 1e-3
    place = blue[(level == 0) & (labels == 0), 0] / 255 * SIDE / (SIDE - 63)
    assert scipy.stats.kstest(place, "uniform").pvalue > 1e-3


def test_photographs_are_drawn_in_proportion_to_their_crops():
    # Of this size only at scale 1: none in the temple, 128 in the flower, none in the portrait.
    assert np.all(photos(Request(WHOLE, image_size=(300, 320))).labels(np.arange(200)) == 1)
    # At scale 1 1 x 441 in the temple, 215 x 121 in the flower and 388 x 57 in the portrait; at
    # scale 0.71, as likely, only in the flower.
    labels = photos(Request(WHOLE, image_size=(213, 200))).labels(np.arange(4000))
    crops = np.array([1 * 441, 215 * 121, 388 * 57])
    expected = 2000 * crops / crops.sum() + [0, 2000, 0]
    assert scipy.stats.chisquare(np.bincount(labels), expected).pvalue > 1e-3


@pytest.mark.parametrize("split, left", [("train", 0), ("test", 320)])
def test_crops_at_scale_1_are_the_photographs_own_pixels(split, left):
    flower = load_sample_image("flower.jpg")[:, left : left + 320]
    windows = {flower[top : top + 300].tobytes() for top in range(427 - 299)}
    images = photos(Request(split, image_size=(300, 320))).examples(np.arange(10))
    assert {image.tobytes() for image in images} <= windows


def test_the_portrait_is_there():
    # Taller than the two others.
    rows = photos(Request("test", image_size=(500, 200)))
    assert np.all(rows.labels(np.arange(20)) == 2)
    from matplotlib.cbook import get_sample_data

    portrait = np.asarray(Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)))
    places = [portrait[y : y + 500, x : x + 200] for y in range(101) for x in range(256, 313)]
    first = rows.examples(np.array([0]))[0]
    assert any(np.array_equal(first, place) for place in places)


def test_a_row_is_the_same_alone_and_among_others():
    assert_rows_are_pure(photos(Request(length=10**9)))


def test_seeds_differ():
    numbers = np.arange(100)
    images = [photos(Request(seed=seed)).examples(numbers) for seed in (0, 1, -1)]
    for first in range(3):
        for second in range(first):
            same = np.all(images[first] == images[second], axis=(1, 2, 3))
            assert same.mean() < 0.05


def test_luminance():
    colour = photos(Request(WHOLE, image_size=(300, 320))).examples(np.arange(5))
    rows = photos(Request(WHOLE, image_size=(300, 320), channels=1))
    assert rows.shape == (300, 320, 1)
    expected = colour @ [0.299, 0.587, 0.114]
    assert np.abs(rows.examples(np.arange(5))[..., 0] - expected).max() <= 1.0


@pytest.mark.parametrize("size", [(8, 8), (20, 50), (213, 213)])
def test_sizes(size):
    assert photos(Request(image_size=size)).examples(np.arange(5)).shape == (5, *size, 3)


def test_a_size_too_large():
    message = "image_size: expected .*213x640, 427x320, 600x256, got .601, 64"
    with pytest.raises(ValueError, match=message):
        photos(Request(WHOLE, image_size=(601, 64)))
