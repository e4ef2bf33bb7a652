"""Augmentations: what they do to pixels, and what their draws depend on."""

import numpy as np
import pytest
import tensorflow as tf

import kgen.data
from kgen.data.augmentation import augmenter


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (16, 8, 12, 3)).astype(np.float32)


def apply(augmentations, images, step=0, seed=0):
    return augmenter(augmentations, images.shape[1:], seed)(tf.constant(images), step).numpy()


def test_flip_is_an_exact_mirror(images):
    assert np.array_equal(apply({"flip": 1}, images), images[:, :, ::-1])
    mixed = apply(["flip"], images)
    mirrored = [np.array_equal(new, old[:, ::-1]) for new, old in zip(mixed, images, strict=True)]
    same = [np.array_equal(new, old) for new, old in zip(mixed, images, strict=True)]
    assert sum(mirrored) + sum(same) == 16 and 2 < sum(same) < 14


def test_amounts_of_zero_change_nothing(images):
    assert np.array_equal(apply({"flip": 0, "crop": 0, "shift": 0}, images), images)
    assert np.array_equal(apply(None, images), images)
    assert np.array_equal(apply([], images), images)


def test_shift_moves_by_whole_pixels_and_reflects(images):
    padded = np.pad(images, ((0, 0), (2, 2), (3, 3), (0, 0)), mode="reflect")
    ways = []
    for row, moved in enumerate(apply({"shift": 0.25}, images)):  # 2 of 8 and 3 of 12 pixels
        ways += [
            (y, x)
            for y in range(5)
            for x in range(7)
            if np.array_equal(padded[row, y : y + 8, x : x + 12], moved)
        ]
    assert len(ways) == 16  # each is one of the shifts
    found = np.array([way for step in range(40) for way in ways_of(images, padded, step)])
    assert set(found[:, 0]) == set(range(5)) and set(found[:, 1]) == set(range(7))
    assert np.abs(found.mean(0) - (2, 3)).max() < 0.3  # as often one way as the other


def ways_of(images, padded, step):
    moved = apply({"shift": 0.25}, images[:4], step)
    for row in range(4):
        errors = [
            (np.abs(padded[row, y : y + 8, x : x + 12] - moved[row]).max(), (y, x))
            for y in range(5)
            for x in range(7)
        ]
        yield min(errors)[1]


def test_crop_scales_a_region_back():
    # On a plane, a crop scaled back is a plane again, with a slope smaller by the share kept.
    rows, columns = np.mgrid[0:32, 0:24] / 32.0
    planes = np.stack([rows, columns], axis=-1)[None].repeat(64, 0).astype(np.float32)
    planes = np.concatenate([planes, planes[..., :1]], axis=-1)
    cropped = apply({"crop": 0.5}, planes)
    share = (cropped[:, 20, 0, 0] - cropped[:, 10, 0, 0]) / (10 / 32)
    across = (cropped[:, 0, 16, 1] - cropped[:, 0, 8, 1]) / (8 / 32)
    np.testing.assert_allclose(share, across, atol=1e-4)  # the aspect is kept
    assert share.min() >= 0.5 and share.max() <= 1.0 and share.std() > 0.1
    for axis, side in ((0, 32), (1, 24)):
        first = cropped[:, 0, 0, axis] * 32 + 0.5 - share / 2  # where the region begins, in pixels
        assert (first > -0.01).all() and (first + share * side < side + 0.01).all()
        assert first.std() > 1


def test_values_stay_in_range(images):
    extreme = np.sign(images)
    changed = apply({"flip": 0.5, "crop": 0.9, "shift": 0.9}, extreme)
    assert changed.min() >= -1 and changed.max() <= 1
    assert changed.shape == images.shape


def test_draws_depend_on_seed_step_and_place(images):
    same = np.repeat(images[:1], 16, axis=0)
    everything = ["flip", "crop", "shift"]
    first = apply(everything, same, step=5, seed=1)
    assert np.array_equal(first, apply(everything, same, step=5, seed=1))
    assert not np.array_equal(first, apply(everything, same, step=6, seed=1))
    assert not np.array_equal(first, apply(everything, same, step=5, seed=2))
    assert len({image.tobytes() for image in first}) == 16


@pytest.mark.parametrize("name", ["flip", "crop", "shift"])
def test_the_frames_of_a_clip_share_a_draw(images, name):
    clips = np.repeat(images[:, None], 3, axis=1)
    changed = apply({name: 0.5}, clips)
    assert np.array_equal(changed[:, 0], changed[:, 2])
    assert np.array_equal(changed[:, 0], apply({name: 0.5}, images))


def test_streams_are_augmented_by_step():
    images = np.arange(8, dtype=np.float32).reshape(8, 1, 1, 1) / 8 * np.linspace(-1, 1, 4)[:, None]
    images = np.broadcast_to(images, (8, 4, 4, 1)).transpose(0, 2, 1, 3)
    plain = kgen.data.from_arrays(images, batch_size=8, seed=5)
    flipped = kgen.data.from_arrays(images, batch_size=8, seed=5, augmentations={"flip": 1})
    for one, other in zip(plain.starting_at(3).take(2), flipped.starting_at(3), strict=False):
        assert np.array_equal(one, other[:, :, ::-1])
    clips = kgen.data.load(
        "moving_mnist", 16, batch_size=2, frames=3, length=4, augmentations=["shift"]
    )
    assert next(iter(clips)).shape == (2, 3, 16, 16, 1)


@pytest.mark.parametrize(
    ("augmentations", "message"),
    [
        ("flip", "augmentations: expected None, a list of names"),
        (["turn"], "augmentations: expected names of .* got 'turn'"),
        ([None], "augmentations: expected names"),
        ({"flip": 1.5}, r"augmentations\['flip'\]: expected a number in \[0, 1\], got 1.5"),
        ({"crop": 1.0}, r"augmentations\['crop'\]: expected a number in \[0, 1\), got 1.0"),
        ({"shift": -0.1}, r"augmentations\['shift'\]: .* got -0.1"),
        ({"shift": "0.1"}, r"augmentations\['shift'\]: .* got '0.1'"),
        ({"shift": True}, r"augmentations\['shift'\]: .* got True"),
    ],
)
def test_refused(augmentations, message):
    with pytest.raises(ValueError, match=message):
        kgen.data.load("digits", augmentations=augmentations)


def test_neither_points_nor_the_test_split():
    with pytest.raises(ValueError, match=r"augmentations: expected None .*shape \(2,\)"):
        kgen.data.load("ring", augmentations=["flip"])
    with pytest.raises(ValueError, match="augmentations: expected None for split='test'"):
        kgen.data.load("digits", split="test", augmentations=["flip"])
