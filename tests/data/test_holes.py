"""Images with a part missing: where it is, how large, and what the mask says."""

import numpy as np
import pytest
import tensorflow as tf

from kgen.data.degradation import degrader

NAMES = ["hole_centre", "hole_square", "hole_blocks", "hole_region"]


@pytest.fixture
def images():
    # 0.5 and above in absolute value, so that no pixel is 0 before.
    rng = np.random.default_rng(0)
    values = rng.uniform(0.5, 1.0, (6, 16, 24, 3)) * rng.choice([-1, 1], (6, 16, 24, 3))
    return values.astype(np.float32)


@pytest.fixture
def many(images):
    return np.tile(images, (10, 1, 1, 1))


def holes(degradation, images, step=0, seed=0):
    """Return where pixels are missing, `(batch, height, width)`, after a look at all others."""
    changed = degrader(degradation, images.shape[1:], seed)(tf.constant(images), step).numpy()
    assert changed.shape == (*images.shape[:3], images.shape[3] + 1)
    hole = changed[..., -1] == -1
    assert np.all((changed[..., -1] == 1) | hole)
    assert np.array_equal(changed[..., :-1], np.where(hole[..., None], 0, images))
    return hole


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [None, 0.1, 0.5])
def test_the_share_of_the_area(name, share, many):
    found = holes(name if share is None else {name: share}, many).mean((1, 2))
    asked = 0.25 if share is None else share
    if name == "hole_blocks":
        assert found.max() <= asked + 1e-6 and found.mean() > 0.85 * asked
    else:
        np.testing.assert_allclose(found, asked, atol=0.02)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_centre(images, channels):
    hole = holes("hole_centre", images[..., :channels])
    expected = np.zeros((16, 24), bool)
    expected[4:12, 6:18] = True
    assert np.array_equal(hole, np.broadcast_to(expected, hole.shape))
    square = holes("hole_centre", images[:, :, :15][:, :15])  # 7.5 of 15 rounds to 8
    assert np.array_equal(np.flatnonzero(square[0].any(0)), np.arange(3, 11))


def test_a_square_anywhere(many):
    square = many[:, :8, :8]
    places = set()
    for step in range(6):
        for mask in holes("hole_square", square, step):
            rows, columns = np.nonzero(mask)
            assert len(rows) == 16 and np.ptp(rows) == np.ptp(columns) == 3
            places.add((rows.min(), columns.min()))
    assert places == {(row, column) for row in range(5) for column in range(5)}


def test_blocks_and_regions_reach_every_pixel_and_none_is_like_another(many):
    for name in ("hole_blocks", "hole_region"):
        found = np.concatenate([holes(name, many, step) for step in range(6)])
        assert len({mask.tobytes() for mask in found}) == len(found)
        often = found.mean(0)
        assert often.min() > 0


def test_regions_are_as_frequent_in_the_corners_as_in_the_middle():
    """The smoothed noise varies as much there."""
    grey = np.ones((1000, 16, 16, 1), np.float32)
    often = holes("hole_region", grey).mean(0)
    assert often[::15, ::15].mean() == pytest.approx(often[6:10, 6:10].mean(), abs=0.06)


def test_a_region_is_in_few_pieces(images):
    from scipy.ndimage import label

    large = np.zeros((8, 64, 64, 1), np.float32)
    for mask in degrader("hole_region", (64, 64, 1), 0)(tf.constant(large), 0).numpy()[..., -1]:
        assert label(mask == -1)[1] <= 12  # of noise as it is there would be hundreds


@pytest.mark.parametrize("name", NAMES[1:])
def test_draws_depend_on_seed_step_and_place(name, images):
    first = holes(name, images, 5)
    assert np.array_equal(first, holes(name, images, 5))
    assert not np.array_equal(first, holes(name, images, 6))
    assert not np.array_equal(first, holes(name, images, 5, seed=1))
    assert len({mask.tobytes() for mask in first}) > 1


@pytest.mark.parametrize("name", NAMES)
def test_the_smallest_images(name):
    tiny = np.full((2, 2, 3, 1), 0.5, np.float32)
    for share in (0.01, 0.9):
        assert holes({name: share}, tiny).sum((1, 2)).min() >= 1
