"""Moving digits: they stay inside, keep their speed, and bounce like a ball that is simulated."""

import numpy as np
import pytest

from kgen.data import moving_mnist as module
from kgen.data.mnist5k import mnist5k
from kgen.data.moving_mnist import bounce, moving_mnist
from kgen.data.rows import Request


def ball(start, velocity, frames, span):
    """One coordinate of a ball, moved in small steps and turned round at 0 and at the span."""
    steps = 10_000
    places, place = [], start
    for _ in range(frames):
        places.append(place)
        for _ in range(steps):
            place += velocity / steps
            if not 0.0 <= place <= span:
                place, velocity = np.clip(place, 0.0, span), -velocity
    return places


@pytest.mark.parametrize("start, velocity, span", [(3.0, 2.5, 36.0), (35.0, 5.0, 36.0),
                                                   (1.0, -4.4, 9.0), (2.0, 0.0, 4.0)])  # fmt: skip
def test_bounce_is_a_simulated_ball(start, velocity, span):
    found = bounce(np.array([start]), np.array([velocity]), 12, np.array([span]))[:, 0]
    np.testing.assert_allclose(found, ball(start, velocity, 12, span), atol=0.01)


def test_bounce_keeps_the_speed_and_stays_inside():
    rng = np.random.default_rng(0)
    spans = np.array([36.0, 20.0])
    start, velocity = rng.uniform(0, spans, (500, 2)), rng.uniform(-5, 5, (500, 2))
    places = bounce(start, velocity, 30, spans)
    assert places.shape == (500, 30, 2)
    assert np.all(places >= 0) and np.all(places <= spans)
    np.testing.assert_allclose(places[:, 0], start)
    ways = np.abs(np.diff(places, axis=1))
    assert np.all(ways <= np.abs(velocity[:, None]) + 1e-9)
    straight = np.isclose(ways, np.abs(velocity[:, None]))
    # Of all steps only those with a bounce are shorter: one in span / speed.
    expected = 1 - np.mean(np.abs(velocity) / spans)
    assert straight.mean() == pytest.approx(expected, abs=0.02)


def test_form():
    for split, count in (("train", 10_000), ("test", 1_000)):
        rows = moving_mnist(Request(split))
        assert (rows.count, rows.shape, rows.dtype, rows.label_shape) == (
            count,
            (20, 64, 64, 1),
            "uint8",
            (2,),
        )
    clips, labels = rows.examples(np.arange(30)), rows.labels(np.arange(30))
    assert clips.shape == (30, 20, 64, 64, 1) and clips.dtype == np.uint8
    assert labels.shape == (30, 2) and labels.dtype == np.int32
    assert labels.min() >= 0 and labels.max() <= 9


@pytest.fixture
def squares(monkeypatch):
    """Two full squares for digits: class 0 grey and class 1 white."""
    sprites = np.stack([np.full((28, 28, 1), 100), np.full((28, 28, 1), 200)]).astype(np.uint8)
    monkeypatch.setattr(module, "mnist5k", lambda split: (sprites, np.arange(2, dtype=np.int32)))


def white_corners(size, side):
    """Top and left of the white square in each frame of clips with one, whole in every frame."""
    rows = moving_mnist(Request(image_size=size, frames=25))
    labels = rows.labels(np.arange(60))
    chosen = np.flatnonzero(labels.sum(axis=1) == 1)
    white = rows.examples(chosen)[..., 0] == 200
    assert np.all(white.sum(axis=(2, 3)) == side * side)  # on top of the grey one, and never cut
    tops, lefts = white.any(axis=3).argmax(axis=2), white.any(axis=2).argmax(axis=2)
    clip, frame = np.ogrid[: len(chosen), :25]
    assert np.all(white[clip, frame, tops + side - 1, lefts + side - 1])
    return np.stack([tops, lefts], axis=-1)


@pytest.mark.parametrize("size, side", [((64, 64), 28), ((32, 32), 14), ((64, 90), 28)])
def test_digits_move_at_constant_speed_and_bounce(squares, size, side):
    corners = white_corners(size, side)
    ways = np.abs(np.diff(corners, axis=1))
    scale = side / 28
    along = ways.max(axis=1)  # whole pixels of each axis in a step without a bounce
    speeds = np.hypot(*along.T)
    assert np.all(speeds <= 5 * scale + np.sqrt(2)) and np.all(speeds >= 2 * scale - np.sqrt(2))
    assert speeds.std() > 0.3 * scale
    # Steps differ by the rounding of both ends, or else have a bounce, which is at a border.
    shorter = ways < along[:, None] - 1
    spans = np.array(size) - side
    near = np.minimum(corners, spans - corners)
    assert np.all(np.minimum(near[:, 1:], near[:, :-1])[shorter] <= 5 * scale)
    assert shorter.any() and corners.min() == 0 and np.array_equal(corners.max((0, 1)), spans)


def test_directions_are_uniform():
    """The way from the first to the second frame points anywhere, seen in many clips."""
    rows = moving_mnist(Request(frames=2, length=400))
    clips = rows.examples(np.arange(400))[..., 0].astype(float)
    y, x = np.mgrid[:64, :64]
    ink = clips.sum(axis=(2, 3))
    centres = np.stack([(clips * axis).sum(axis=(2, 3)) / ink for axis in (y, x)], axis=-1)
    ways = np.diff(centres, axis=1)[:, 0]
    quadrants = np.bincount(2 * (ways[:, 0] > 0) + (ways[:, 1] > 0), minlength=4)
    assert quadrants.min() > 65


def test_frames_are_the_maximum_of_digits_of_the_split():
    rows = moving_mnist(Request("test", frames=3))
    numbers = np.arange(40)
    clips, labels = rows.examples(numbers)[..., 0], rows.labels(numbers)
    digits, classes = mnist5k("test")
    for clip, label in zip(clips, labels, strict=True):
        ink = [np.count_nonzero(digits[classes == one][..., 0], axis=(1, 2)) for one in label]
        for frame in clip:
            lit = np.count_nonzero(frame)
            assert max(one.min() for one in ink) <= lit <= sum(one.max() for one in ink)
            assert frame.max() > 200


def test_a_row_is_the_same_alone_and_among_others():
    rows = moving_mnist(Request(length=10**9, frames=4))
    assert rows.count == 10**9
    numbers = np.array([10**9 - 1, 0, 17, 123_456])
    clips = rows.examples(numbers)
    for index, number in enumerate(numbers):
        assert np.array_equal(rows.examples(np.array([number]))[0], clips[index])
        assert np.array_equal(rows.labels(np.array([number]))[0], rows.labels(numbers)[index])
    assert np.array_equal(rows.examples(numbers[::-1]), clips[::-1])
    longer = moving_mnist(Request(frames=9)).examples(numbers[1:3])
    assert np.array_equal(longer[:, :4], clips[1:3])


def test_seeds_and_splits_differ():
    clips = [
        moving_mnist(request).examples(np.arange(20))
        for request in (Request(), Request(seed=1), Request(seed=-1), Request("test"))
    ]
    for first in range(4):
        for second in range(first):
            assert np.all(np.any(clips[first] != clips[second], axis=(1, 2, 3, 4)))


@pytest.mark.parametrize("size, channels", [((32, 32), 1), ((8, 8), None), ((48, 33), 3)])
def test_size_frames_and_channels(size, channels):
    rows = moving_mnist(Request(image_size=size, frames=1, channels=channels))
    clips = rows.examples(np.arange(5))
    assert rows.shape == (1, *size, channels or 1) and clips.shape == (5, *rows.shape)
    assert np.array_equal(clips[..., 0], clips[..., -1])


def test_a_size_too_small():
    with pytest.raises(ValueError, match="image_size: expected sides of at least 8.*32, 7"):
        moving_mnist(Request(image_size=(32, 7)))
