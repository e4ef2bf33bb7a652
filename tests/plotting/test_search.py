"""Pictures of searches."""

import numpy as np
import PIL.Image
import pytest

from kgen.plotting import search

VALUES = {
    "learning_rate": [1e-4, 1e-3, 1e-2],
    "loss": ["hinge", "minimax", "hinge"],
    "size": [None, 8, [4]],
    "noise": [True, False, True],
}


@pytest.mark.parametrize(
    ("scores", "direction", "names"),
    [
        ([3.0, None, 100.0], "max", VALUES),
        ([None, None, None], "min", ["learning_rate"]),
        ([-1.0, None, 2.0], "min", ["loss"]),
        ([2.0, 2.0, 2.0], "max", ["size"]),
    ],
)
def test_a_picture_of_any_search(tmp_path, scores, direction, names):
    values = {name: VALUES[name] for name in names}
    path = search(scores, values, tmp_path / "new" / "search.png", "val_frechet", direction)
    with PIL.Image.open(path) as picture:
        assert picture.size == (1200, 900 if len(names) > 3 else 600)
        assert np.asarray(picture).std() > 0


def test_failed_trials_are_drawn_red_and_best_so_far_follows_the_direction(tmp_path):
    def red(scores):
        with PIL.Image.open(search(scores, {}, tmp_path / "search.png")) as picture:
            pixels = np.asarray(picture.convert("RGB")).astype(int)
        return int(((pixels[..., 0] > 180) & (pixels[..., 1:].max(axis=-1) < 90)).sum())

    assert red([1.0, 2.0]) == 0 < red([1.0, None])
    pictures = []
    for direction in ("min", "max"):
        path = search([1.0, 2.0, 3.0], {}, tmp_path / f"{direction}.png", direction=direction)
        with PIL.Image.open(path) as picture:
            pictures.append(np.asarray(picture))
    assert not np.array_equal(*pictures)


def test_one_trial_and_none(tmp_path):
    search([1.0], {"filters": [16]}, tmp_path / "one.png")
    search([], {"filters": []}, tmp_path / "none.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "search.jpg"}, "path: expected a file name that ends in .png"),
        ({"direction": "up"}, "direction: expected 'min' or 'max', got 'up'"),
        ({"values": {"filters": [1]}}, "values: expected 2 values at 'filters'.*got 1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        search(**{"scores": [1.0, 2.0], "values": {}, "path": "search.png", **arguments})
