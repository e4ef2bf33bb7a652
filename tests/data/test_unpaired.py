"""Two sets side by side."""

import itertools

import numpy as np
import pytest
from PIL import Image

import kgen.data
from kgen.data.folder import list_folder


@pytest.fixture
def sets(tmp_path):
    """Two array files of images of one value: 20 of 1..20 and 9 of 101..109 for training."""
    for name, count, first in (("large", 20, 1), ("small", 9, 101)):
        images = np.arange(first, first + count, dtype=np.uint8)[:, None, None]
        images = np.tile(images, (1, 4, 4))
        np.savez(tmp_path / f"{name}.npz", x_train=images, x_val=images[:4], x_test=images[:4])
    return tmp_path / "large.npz", tmp_path / "small.npz"


def values(batch):
    return np.rint((batch.numpy()[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist()


def flat(batches):
    return [value for batch in batches for value in batch]


def test_the_smaller_set_goes_round(sets):
    for first, second in (sets, sets[::-1]):
        stream = kgen.data.unpaired(first, second, batch_size=2)
        assert len(stream) == 10
        assert [spec.shape for spec in stream.element_spec] == [(2, 4, 4, 1)] * 2
        sides = zip(*stream, strict=True)
        sides = [[values(batch) for batch in side] for side in sides]
        large, small = sides if first == sets[0] else sides[::-1]
        assert sorted(flat(large)) == list(range(1, 21))
        assert len(set(flat(small[:4]))) == 8  # a pass over the small set
        assert set(flat(small)) <= set(range(101, 110))
        assert small[:4] != small[4:8]  # in another order the next time


def test_orders_are_independent_and_fixed():
    streams = [
        kgen.data.unpaired("digits", "digits", batch_size=450, seed=seed) for seed in (0, 0, 1)
    ]
    rows = [list(itertools.islice(stream.starting_at(0), 7)) for stream in streams]
    assert not np.array_equal(*rows[0][0])
    for step in (0, 2, 3, 6):  # a pass has 3
        assert np.array_equal(rows[0][step], rows[1][step])
        assert not np.array_equal(rows[0][step], rows[2][step])
    later = next(iter(streams[1].starting_at(6)))
    assert np.array_equal(later, rows[0][6])


def test_the_test_split_keeps_its_order(sets):
    stream = kgen.data.unpaired(*sets, batch_size=2, split="test")
    assert [(values(a), values(b)) for a, b in stream] == [
        ([1, 2], [101, 102]),
        ([3, 4], [103, 104]),
    ]


def test_each_image_has_its_own_augmentation():
    arguments = {"image_size": 16, "batch_size": 32, "seed": 5}
    plain = next(iter(kgen.data.unpaired("digits", "mnist5k", **arguments)))
    changed = kgen.data.unpaired("digits", "mnist5k", augmentations=["flip"], **arguments)
    flipped = [
        [np.array_equal(new, old[:, ::-1]) for new, old in zip(*side, strict=True)]
        for side in zip(map(np.array, next(iter(changed))), map(np.array, plain), strict=True)
    ]
    assert 0 < sum(flipped[0]) < 32 and flipped[0] != flipped[1]


def test_skipped_files_of_both(tmp_path):
    for name in ("a", "b"):
        images = np.zeros((20, 4, 4, 3), np.uint8)
        (tmp_path / name).mkdir()
        for index, image in enumerate(images):
            Image.fromarray(image).save(tmp_path / name / f"{index}.png")
        bad = list_folder(tmp_path / name, "train")[0].names[3]
        (tmp_path / name / bad).write_bytes(b"")
    with pytest.warns(UserWarning, match=rf"Left out 2 of \d+ image files: .*a.{bad}, .*b.{bad}"):
        stream = kgen.data.unpaired(
            tmp_path / "a", tmp_path / "b", batch_size=2, on_bad_file="skip"
        )
    assert stream.skipped == [str(tmp_path / name / bad) for name in ("a", "b")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"second": "mnist5k"}, r"image_size, channels: .*\(8, 8, 1\).*\(28, 28, 1\), got None"),
        (
            {"second": "photos", "image_size": 8, "length": None},
            "image_size, channels: .*got 8 and",
        ),
        ({"second": "ring"}, r"second: expected images, got .* of ring"),
        ({"second": "no_such"}, "name_or_path: no_such is no such name"),
        (
            {"second": "mnist5k", "image_size": 8, "batch_size": 1438},
            "batch_size: .* 1197, .*digits",
        ),
        ({"second": "digits", "seed": None}, "seed: "),
        ({"second": "digits", "length": 4}, "length: expected None for digits"),
    ],
)
def test_bad_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        kgen.data.unpaired("digits", **arguments)


def test_arrays_are_sets_too():
    images = np.random.default_rng(0).uniform(-1, 1, (30, 8, 8, 1)).astype("float32")
    stream = kgen.data.unpaired(images, "digits", batch_size=10, seed=3)
    again = kgen.data.unpaired("digits", images, batch_size=10, seed=3)
    first = np.concatenate([a for a, _ in stream.take(3)])
    rows = [np.flatnonzero((images == image).all((1, 2, 3)))[0] for image in first]
    assert sorted(rows) == list(range(30)) and rows != list(range(30))
    assert again.element_spec[1].shape == (10, 8, 8, 1)
    resized = kgen.data.unpaired(images, "mnist5k", image_size=16, batch_size=10)
    assert resized.element_spec[0].shape == (10, 16, 16, 1)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full((30, 8, 8, 1), 2.0), r"`images` must be in \[-1, 1\]"),
        (np.zeros((30, 8, 8)), "first: expected images, got the array `first`"),
        (np.zeros((5, 8, 8, 1)), "batch_size: expected at most 5, .* the array `first`"),
    ],
)
def test_arrays_that_are_none(images, message):
    with pytest.raises(ValueError, match=message):
        kgen.data.unpaired(images, "digits", batch_size=10)
