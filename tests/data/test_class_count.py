"""The number of classes of every kind of source."""

import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

import kgen.data
from kgen.data import decoding


@pytest.mark.parametrize(
    ("name", "count"),
    [("mnist5k", 10), ("digits", 10), ("photos", 3), ("stacked_mnist", 1000), ("ring", 8)],
)
def test_sets(name, count):
    assert kgen.data.class_count(name) == count


@pytest.mark.parametrize("name", ["shapes", "moving_mnist"])
def test_labels_of_several_factors(name):
    with pytest.raises(ValueError, match=f"name_or_path: .* one class an image, got {name}"):
        kgen.data.class_count(name)


def save(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4)).save(path)


def test_folders(tmp_path, monkeypatch):
    # No header is read, let alone a pixel.
    monkeypatch.setattr(decoding, "_read_header", None)
    monkeypatch.setattr(decoding, "open_image", None)
    for name in ("cat", "dog", "bee"):
        save(tmp_path / name / "1.png")
    assert kgen.data.class_count(tmp_path) == 3
    for split, names in (("train", "ab"), ("test", "bc"), ("val", "d")):
        for name in names:
            save(tmp_path / "cat" / "split" / split / name / "1.png")
    # Labels are numbered over all splits.
    assert kgen.data.class_count(str(tmp_path / "cat" / "split")) == 4
    shutil.rmtree(tmp_path / "cat")
    save(tmp_path / "loose.png")
    with pytest.raises(ValueError, match="name_or_path: .* has no labels"):
        kgen.data.class_count(tmp_path)


def test_array_files(tmp_path):
    images = np.full((20, 4, 4), 300)  # of a range that only the user knows
    path = tmp_path / "set.npz"
    np.savez(path, images=images, labels=np.arange(20) % 7)
    assert kgen.data.class_count(path) == 7
    np.savez(path, x_train=images, x_test=images, y_train=np.zeros(20, int), y_test=[[4]] * 20)
    assert kgen.data.class_count(path) == 5
    np.savez(path, x_train=images, x_test=images, y_train=np.zeros((20, 1), int))
    assert kgen.data.class_count(path) == 1
    np.savez(path, x_train=images, y_train=np.arange(20), labels=np.zeros(20))
    assert kgen.data.class_count(path) == 20
    np.savez(path, images=images, labels=np.arange(20) - 1)
    with pytest.raises(ValueError, match=r"set\.npz: expected labels of at least 0, found -1"):
        kgen.data.class_count(path)
    np.savez(path, images=images, labels=np.zeros((20, 2), int))
    with pytest.raises(ValueError, match=r"set\.npz: expected integer labels"):
        kgen.data.class_count(path)
    np.savez(path, images=images)
    np.save(tmp_path / "set.npy", images)
    for unlabelled in (path, tmp_path / "set.npy"):
        with pytest.raises(ValueError, match="name_or_path: .* has no labels"):
            kgen.data.class_count(unlabelled)


@pytest.mark.parametrize("wrong", ["no_such_set", "", 3, pathlib.Path("nowhere")])
def test_no_source(wrong):
    with pytest.raises(ValueError, match="name_or_path: "):
        kgen.data.class_count(wrong)
