"""Animated GIFs."""

import itertools
import weakref

import numpy as np
import pytest
from PIL import Image

from kgen.plotting import image_grid, save_gif, save_grid


def read(path):
    """Return the frames of a GIF as RGB arrays, their milliseconds, and its loop count."""
    frames, durations = [], []
    with Image.open(path) as picture:
        for index in range(picture.n_frames):
            picture.seek(index)
            frames.append(np.asarray(picture.convert("RGB")))
            durations.append(picture.info["duration"])
        return frames, durations, picture.info["loop"]


def test_arrays(tmp_path):
    random = np.random.default_rng(0)
    levels = [-1.0, 0.0, 1.0]
    frames = [
        np.full((8, 6, 3), levels[0]),
        np.full((8, 6, 1), levels[1], np.float32),
        np.full((8, 6, 3), 255, np.uint8),
        image_grid(random.uniform(-1, 1, (1, 6, 4, 3))),
    ]
    path = save_gif(frames, tmp_path / "new" / "run.gif", milliseconds=100)
    assert path == tmp_path / "new" / "run.gif"
    shown, durations, loop = read(path)
    assert [frame.shape for frame in shown] == [(8, 6, 3)] * 4
    assert [np.unique(frame).tolist() for frame in shown[:3]] == [[0], [128], [255]]
    assert np.array_equal(shown[3], frames[3])
    assert durations == [100, 100, 100, 500]  # the last one rests
    assert loop == 0  # for ever


def test_paths(tmp_path):
    paths = [
        save_grid(np.full((4, 8, 8, 1), level), tmp_path / f"{index}.png")
        for index, level in enumerate((-1.0, 1.0))
    ]
    shown, durations, _ = read(save_gif([paths[0], str(paths[1])], tmp_path / "run.gif"))
    assert len(shown) == 2
    assert durations == [200, 1000]
    with Image.open(paths[0]) as picture:
        assert np.array_equal(shown[0], np.asarray(picture))


def test_one_array_of_frames_and_a_single_frame(tmp_path):
    frames = np.linspace(-1, 1, 5)[:, None, None, None] * np.ones((5, 4, 4, 1))
    assert len(read(save_gif(frames, tmp_path / "run.gif"))[0]) == 5
    save_gif(frames[:1], tmp_path / "one.gif")
    with Image.open(tmp_path / "one.gif") as picture:
        assert picture.n_frames == 1


def test_frames_that_stay_the_same_keep_their_time(tmp_path):
    _, durations, _ = read(
        save_gif([-np.ones((4, 4, 3)), *[np.ones((4, 4, 3))] * 3], tmp_path / "a.gif")
    )
    assert sum(durations) == 3 * 200 + 1000


def test_of_many_frames_a_few_hundred_are_shown_and_read(tmp_path, monkeypatch):
    """Evenly chosen, the first and the last among them; the others may be damaged."""
    paths = [tmp_path / f"step-{index}.png" for index in range(1000)]
    for index, path in enumerate(paths):
        pixels = np.full((2, 2, 3), (index // 256, index % 256, 0), np.uint8)
        Image.fromarray(pixels).save(path)
    shown, durations, _ = read(save_gif(paths, tmp_path / "run.gif", milliseconds=100))
    # A frame for each third or fourth picture: neighbours are 999 / 299 = 3.34 apart.
    indices = [int(frame[0, 0, 0]) * 256 + int(frame[0, 0, 1]) for frame in shown]
    assert len(indices) == len(durations) == 300
    assert indices[0] == 0 and indices[-1] == 999
    assert {b - a for a, b in itertools.pairwise(indices)} == {3, 4}


def test_frames_are_read_one_by_one(tmp_path, monkeypatch):
    """No more than two whole ones are in memory: the one that is written and the next."""
    alive, most = set(), 0
    opened = Image.open

    def counting(path, **options):
        nonlocal most
        picture = opened(path, **options)
        convert = picture.convert

        def converted(mode):
            nonlocal most
            found = convert(mode)
            alive.add(id(found))
            weakref.finalize(found, alive.discard, id(found))
            most = max(most, len(alive))
            return found

        picture.convert = converted
        return picture

    paths = [tmp_path / f"{index}.png" for index in range(20)]
    for index, path in enumerate(paths):
        Image.fromarray(np.full((2, 2, 3), index * 9, np.uint8)).save(path)
    monkeypatch.setattr(Image, "open", counting)
    save_gif(paths, tmp_path / "run.gif")
    assert 1 <= most <= 4


def test_large_frames_are_scaled_down(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (2, 40, 2100, 3), np.uint8)
    shown, _, _ = read(save_gif(frames, tmp_path / "run.gif"))
    assert [frame.shape for frame in shown] == [(14, 700, 3)] * 2  # A third is the first to fit.


def test_a_frame_that_cannot_be_read_leaves_the_film_as_it_was(tmp_path):
    path = save_gif([np.zeros((4, 4, 3))], tmp_path / "run.gif")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="cannot be read"):
        save_gif([np.zeros((4, 4, 3)), __file__], path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "frames_or_paths: .* at least one frame, got .."),
        ("grid.png", "frames_or_paths: .* got 'grid.png'"),
        ([np.zeros((4, 4))], r"frames_or_paths: .* got \(4, 4\) at 0"),
        ([np.zeros((4, 4, 3)), np.zeros((4, 4, 4))], r"frames_or_paths: .* got \(4, 4, 4\) at 1"),
        ([np.zeros((4, 4, 3)), np.zeros((4, 5, 3))], r"of one size, got \(5, 4\) .* at 1"),
        ([np.full((4, 4, 3), np.nan)], "NaN"),
        ([np.zeros((4, 4, 3), int)], "images: expected floats"),
        (["gone.png"], r"gone\.png: cannot be read as an image"),
    ],
)
def test_refused_frames(tmp_path, frames, message):
    with pytest.raises(ValueError, match=message):
        save_gif(frames, tmp_path / "run.gif")


def test_frames_of_another_range_are_refused_or_warned_of(tmp_path):
    frames = np.random.default_rng(0).uniform(-1, 1, (3, 4, 4, 3))
    path = tmp_path / "run.gif"
    with pytest.raises(ValueError, match=r"`frames_or_paths` must be in \[-1, 1\], received"):
        save_gif([frames[0], 127.5 * (frames[1] + 1.0)], path)
    assert not path.exists()
    with pytest.warns(UserWarning, match=r"`frames_or_paths` should be in \[-1, 1\]"):
        save_gif(list((frames + 1) / 2), path)
    save_gif([frames[0], np.abs(frames[1])], path)  # One bright frame is none of [0, 1].
    shown = read(save_gif(1.5 * frames, tmp_path / "cut.gif", clip=True))[0]
    expected = read(save_gif(np.clip(1.5 * frames, -1, 1), tmp_path / "as.gif"))[0]
    assert np.array_equal(shown, expected)


@pytest.mark.parametrize("milliseconds", [0, 5, -1, "200", None, float("nan")])
def test_refused_milliseconds(tmp_path, milliseconds):
    with pytest.raises(ValueError, match="milliseconds: expected a number from 10 to 60000, got"):
        save_gif([np.zeros((4, 4, 3))], tmp_path / "run.gif", milliseconds)


def test_refused_path(tmp_path):
    with pytest.raises(ValueError, match=r"path: .* \.gif, got .*run\.png"):
        save_gif([np.zeros((4, 4, 3))], tmp_path / "run.png")
