"""Tests of the range of images."""

import warnings

import ml_dtypes
import numpy as np
import pytest

from kgen.core.ranges import check_image_range

IMAGES = np.random.default_rng(0).uniform(-1.0, 1.0, (3, 4, 4, 1))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ml_dtypes.bfloat16])
def test_images_in_the_range_pass_in_silence(dtype):
    check_image_range(IMAGES.astype(dtype))
    check_image_range(np.array([-1.0, 1.0], dtype))


@pytest.mark.parametrize("value", [-1.0, 0.0, 0.5, 1.0])
def test_images_of_one_value_pass_in_silence(value):
    check_image_range(np.full((2, 4, 4, 1), value))


def test_rounding_at_the_ends_is_no_error():
    check_image_range(np.array([-1.0001, 1.0005]))
    with pytest.raises(ValueError, match="must be in"):
        check_image_range(np.array([-1.002, 1.0]))


@pytest.mark.parametrize("images", [(IMAGES + 1.0) * 127.5, IMAGES * 1.01 + 0.1, [0.0, np.inf]])
def test_images_out_of_the_range_are_refused_with_the_way_back(images):
    with pytest.raises(ValueError, match=r"`inputs` must be in \[-1, 1\], received values in"):
        check_image_range(images, "inputs")
    with pytest.raises(ValueError, match=r"images / 127.5 - 1"):
        check_image_range(images)


@pytest.mark.parametrize("row", [0, 1, 2])
def test_nan_is_refused_wherever_it_is(row):
    images = IMAGES.copy()
    images[row, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="received NaN"):
        check_image_range(images)


def test_images_that_are_never_negative_are_warned_of_once():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_image_range((IMAGES + 1.0) / 2.0)
    assert len(caught) == 1
    assert "`images * 2 - 1`" in str(caught[0].message)


def test_no_images_have_no_range():
    check_image_range(np.zeros((0, 4, 4, 1)))
