"""The picture of ROC curves."""

import numpy as np
import PIL.Image
import pytest

from kgen.plotting import roc


def test_draws_curves_and_a_threshold(tmp_path):
    scores, labels = np.arange(10.0), np.arange(10) > 6
    path = roc({"good": (scores, labels), "bad": (-scores, labels)}, tmp_path / "a/roc.png", 5.0)
    with PIL.Image.open(path) as picture:
        assert np.asarray(picture).std() > 5 and picture.size == (500, 500)


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({}, "at least one"),
        ({"x": ([1.0, 2.0], [0, 0])}, "positives and negatives of 'x'"),
        ({"x": ([1.0, np.nan], [0, 1])}, "finite scores"),
        ({"x": ([1.0], [0, 1])}, "shapes"),
    ],
)
def test_bad_curves(tmp_path, curves, message):
    with pytest.raises(ValueError, match=message):
        roc(curves, tmp_path / "roc.png")
    with pytest.raises(ValueError, match=".png"):
        roc({"x": ([1.0, 2.0], [0, 1])}, tmp_path / "roc.jpg")
