"""Image files that cannot be read, left out on request."""

import warnings

import numpy as np
import pytest
from PIL import Image

import kgen.data
from kgen.data import files
from kgen.data.folder import list_folder


@pytest.fixture
def photos(tmp_path):
    """A folder of 40 images in two classes, 36 for training, whose colour is their number."""
    for index in range(40):
        part = "train" if index < 36 else ("test", "val")[index // 2 % 2]
        path = tmp_path / part / "ab"[index % 2] / f"{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (index,) * 3).save(path)
    return tmp_path


def spoil(photos, number, keep=0):
    """Cut files of the train split off; return their paths, in the order of their rows."""
    paths = list(list_folder(photos, "train")[0])
    for path in paths[5 : 5 + number]:
        with open(path, "r+b") as file:
            file.truncate(keep)
    return paths[5 : 5 + number]


def batches(stream, count):
    return [
        (np.rint((images.numpy()[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist(), labels.numpy())
        for images, labels in stream.starting_at(0).take(count)
    ]


@pytest.mark.parametrize("arguments", [{}, {"image_size": 8, "channels": 3}])
@pytest.mark.parametrize("keep", [0, 45])
def test_left_out_of_memory(photos, arguments, keep):
    bad = spoil(photos, 4, keep)
    with pytest.warns(
        UserWarning, match=r"^Left out 4 of 36 image files: .*png, .*png, .*, \.\.\."
    ):
        stream = kgen.data.load(photos, batch_size=32, labels=True, on_bad_file="skip", **arguments)
    assert stream.skipped == bad
    assert len(stream) == 1
    ((levels, labels),) = batches(stream, 1)
    assert len(set(levels)) == 32
    assert np.array_equal(np.array(levels) % 2, labels)
    with (
        pytest.raises(ValueError, match="batch_size: expected at most 32"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        kgen.data.load(photos, batch_size=33, on_bad_file="skip", **arguments)


def test_replaced_while_decoding(photos, monkeypatch):
    monkeypatch.setattr(files, "HELD_FILES", 0)
    whole = list_folder(photos, "train")[0]
    bad = spoil(photos, 2)
    arguments = {"batch_size": 6, "labels": True, "image_size": 8, "channels": 3}
    with pytest.warns(UserWarning, match=r"^Left out so far 1 of 36 image files: .*\.png$"):
        stream = kgen.data.load(photos, on_bad_file="skip", **arguments)
        seen = batches(stream, 18)
        again = batches(kgen.data.load(photos, on_bad_file="skip", **arguments), 18)
    assert sorted(stream.skipped) == sorted(bad)
    order = [int(path[-6:-4]) for path in whole]  # the level of each row
    for levels, labels in seen:
        assert np.array_equal(np.array(levels) % 2, labels)  # labels of what stands in
        assert not set(levels) & set(order[5:7])
    for start in range(0, 18, 6):  # passes: the row after the bad ones comes three times in each
        everything = [level for levels, _ in seen[start : start + 6] for level in levels]
        assert everything.count(order[7]) == 3 and len(set(everything)) == 34
    assert [levels for levels, _ in seen] == [levels for levels, _ in again]
    with pytest.raises(ValueError, match="cannot be read as an image"):
        list(kgen.data.load(photos, **arguments))


def test_warnings_of_many_files_are_few(photos, monkeypatch):
    monkeypatch.setattr(files, "HELD_FILES", 0)
    spoil(photos, 30)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stream = kgen.data.load(photos, batch_size=6, image_size=8, channels=3, on_bad_file="skip")
        list(stream)
    assert len(stream.skipped) == 30
    assert [str(one.message).split(" of")[0] for one in caught] == [
        "Left out so far 1",
        "Left out so far 10",
    ]


def test_nothing_to_skip(photos):
    stream = kgen.data.load(photos, batch_size=6, on_bad_file="skip")
    assert stream.skipped == [] and len(stream) == 6
    assert kgen.data.load("digits", on_bad_file="skip").skipped == []


@pytest.mark.parametrize("held", [0, 50])
@pytest.mark.parametrize("arguments", [{}, {"image_size": 8, "channels": 3}])
def test_all_bad(photos, monkeypatch, held, arguments):
    monkeypatch.setattr(files, "HELD_FILES", held)
    for path in photos.rglob("*.png"):
        path.write_bytes(b"no image")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"\.png"):
            kgen.data.load(photos, batch_size=2, on_bad_file="skip", **arguments)
