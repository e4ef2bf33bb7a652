"""Folders of image files: which files count, and splits, classes, sizes and channels."""

import pathlib

import numpy as np
import pytest
from PIL import Image

import kgen.data
from kgen.data.folder import list_folder


def fill(folder, count, suffix=".png", level=None, size=(6, 4), mode="RGB"):
    """Write `count` images of one colour each."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        colour = index if level is None else level
        colour = (colour,) * 3 if mode == "RGB" else colour
        Image.new(mode, size, colour).save(folder / f"{index:03}{suffix}")


def names(paths, folder):
    """Return paths as sorted strings relative to the folder."""
    return sorted(pathlib.Path(path).relative_to(folder).as_posix() for path in paths)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".JPeG", ".bmp", ".WEBP", ".webp"])
def test_every_format(tmp_path, suffix):
    fill(tmp_path, 20, suffix, level=200)
    dataset = kgen.data.load(str(tmp_path), batch_size=18)
    assert dataset.element_spec.shape == (18, 4, 6, 3)
    assert dataset.element_spec.dtype == "float32"
    np.testing.assert_allclose(next(iter(dataset)), 200 / 127.5 - 1, atol=3 / 127.5)


def test_other_and_hidden_files_are_passed_over(tmp_path):
    fill(tmp_path / "deep" / "deeper", 10)
    fill(tmp_path / ".thumbnails", 3)
    for name in (".DS_Store", "Thumbs.db", "notes.txt", "._000.png", ".hidden.png", "README"):
        (tmp_path / name).write_bytes(b"no image")
    (tmp_path / "folder.png").mkdir()
    paths, _ = list_folder(tmp_path, "train")
    assert len(paths) == 9
    assert all(pathlib.Path(path).parent.name == "deeper" for path in paths)


def test_hold_out(tmp_path):
    fill(tmp_path, 47)
    train, _ = list_folder(tmp_path, "train")
    test, _ = list_folder(tmp_path, "test")
    assert len(test) == 4
    assert names([*train, *test], tmp_path) == names(tmp_path.glob("*.png"), tmp_path)
    assert names(test, tmp_path) != ["009.png", "019.png", "029.png", "039.png"]
    again, _ = list_folder(tmp_path, "test")
    assert list(again) == list(test)
    moved = tmp_path.rename(tmp_path.with_name("moved"))  # the place plays no part
    again, _ = list_folder(moved, "test")
    assert [pathlib.Path(path).name for path in again] == [pathlib.Path(path).name for path in test]


def test_classes(tmp_path):
    for level, name in enumerate(("zebra", "ant", "Bee")):
        fill(tmp_path / name / "inner", 10, level=level)
    dataset = kgen.data.load(tmp_path, labels=True, batch_size=27)
    images, labels = next(iter(dataset))
    assert labels.dtype == "int32"
    levels = np.rint((images.numpy()[:, 0, 0, 0] + 1) * 127.5)
    # Sorted names: Bee, ant, zebra.
    assert np.array_equal(np.array([2, 1, 0])[levels.astype(int)], labels.numpy())
    _, labels = next(iter(kgen.data.load(tmp_path, labels=True, batch_size=3, split="test")))
    assert set(labels.numpy()) <= {0, 1, 2}
    assert kgen.data.load(tmp_path, batch_size=27).element_spec.shape == (27, 4, 6, 3)


@pytest.mark.parametrize("beside", [False, True])
def test_labels_of_images_without_class(tmp_path, beside):
    fill(tmp_path, 10)
    if beside:
        fill(tmp_path / "cat", 10)
    with pytest.raises(ValueError, match=f"labels: expected False because {tmp_path} has no"):
        kgen.data.load(tmp_path, labels=True, batch_size=2)


@pytest.mark.parametrize("name", ["test", "val", "valid", "Test"])
def test_train_and_test_folders(tmp_path, name):
    for split, offset in (("train", 0), (name, 100)):
        for level, animal in enumerate(("ant", "bee")):
            fill(tmp_path / split / animal, 6, level=level + offset)
    fill(tmp_path / name / "cow", 3, level=102)  # in no train class, yet its number is its own
    fill(tmp_path / ".cache" / "x", 3)
    (tmp_path / "train" / "dog").mkdir()  # empty: no class
    images, labels = next(iter(kgen.data.load(tmp_path, labels=True, batch_size=12)))
    levels = np.rint((images.numpy()[:, 0, 0, 0] + 1) * 127.5)
    assert np.array_equal(levels, labels.numpy())
    dataset = kgen.data.load(tmp_path, labels=True, batch_size=15, split="test")
    images, labels = next(iter(dataset))
    levels = np.rint((images.numpy()[:, 0, 0, 0] + 1) * 127.5)
    assert levels.tolist() == [100] * 6 + [101] * 6 + [102] * 3  # sorted paths
    assert np.array_equal(levels - 100, labels.numpy())


def test_test_comes_before_val(tmp_path):
    for name in ("train", "val", "test"):
        fill(tmp_path / name, 2)
    assert names(list_folder(tmp_path, "test")[0], tmp_path) == ["test/000.png", "test/001.png"]
    assert list_folder(tmp_path, "train")[1] is None


def test_train_beside_another_folder_is_a_class(tmp_path):
    for name in ("train", "bus"):
        fill(tmp_path / name, 10)
    paths, labels = list_folder(tmp_path, "train")
    assert len(paths) == 18
    assert [("bus", "train")[label] for label in labels] == [
        pathlib.Path(path).parent.name for path in paths
    ]


def test_images_beside_the_splits(tmp_path):
    for name in ("train", "test", ""):
        fill(tmp_path / name, 2)
    with pytest.raises(ValueError, match=r"000\.png: expected every image in one of the splits"):
        kgen.data.load(tmp_path)


@pytest.mark.parametrize("name", ["train", "test", "."])
def test_empty_folder(tmp_path, name):
    (tmp_path / name).mkdir(exist_ok=True)
    with pytest.raises(ValueError, match=f"{tmp_path}: expected images .*found none"):
        kgen.data.load(tmp_path)


def test_empty_test_split(tmp_path):
    fill(tmp_path, 9)
    with pytest.raises(ValueError, match=f"split='test' of {tmp_path} is empty"):
        kgen.data.load(tmp_path, split="test", batch_size=1)
    assert kgen.data.load(tmp_path, batch_size=9).element_spec.shape[0] == 9


def test_batch_larger_than_the_split(tmp_path):
    fill(tmp_path, 20)
    with pytest.raises(ValueError, match=f"batch_size: expected at most 18, .*{tmp_path}, got 64"):
        kgen.data.load(tmp_path)


def test_links(tmp_path):
    fill(tmp_path / "elsewhere", 10)
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "loop").symlink_to(folder)
    assert len(list_folder(folder, "train")[0]) == 9


def test_sizes_that_differ_need_image_size(tmp_path):
    fill(tmp_path / "a", 10, size=(6, 4))
    fill(tmp_path / "b", 10, size=(4, 6))
    with pytest.raises(ValueError, match=r"image_size: .*png is \((6, 4|4, 6)\).*got None"):
        kgen.data.load(tmp_path, batch_size=2)
    dataset = kgen.data.load(tmp_path, image_size=(5, 3), batch_size=18)
    assert next(iter(dataset)).shape == (18, 5, 3, 3)


def test_channels_of_grey_and_mixed_folders(tmp_path):
    fill(tmp_path / "a", 10, mode="L", level=100)
    assert kgen.data.image_shape(kgen.data.load(tmp_path, batch_size=2)) == (4, 6, 1)
    assert kgen.data.image_shape(kgen.data.load(tmp_path, batch_size=2, image_size=3)) == (3, 3, 1)
    dataset = kgen.data.load(tmp_path, batch_size=2, channels=3)
    np.testing.assert_allclose(next(iter(dataset)), np.full((2, 4, 6, 3), 100 / 127.5 - 1), 1e-5)
    fill(tmp_path / "b", 10, mode="RGB")
    assert kgen.data.image_shape(kgen.data.load(tmp_path, batch_size=2)) == (4, 6, 3)
    assert kgen.data.image_shape(kgen.data.load(tmp_path, batch_size=2, channels=1)) == (4, 6, 1)


def test_value_range_is_not_for_folders(tmp_path):
    fill(tmp_path, 10)
    with pytest.raises(ValueError, match="value_range: expected None for"):
        kgen.data.load(tmp_path, value_range=(0, 1))


@pytest.mark.parametrize("arguments", [{}, {"image_size": 4, "channels": 3}])
@pytest.mark.parametrize("keep", [0, 20, 0.7])
def test_broken_file_is_named(tmp_path, arguments, keep):
    fill(tmp_path, 20, size=(40, 40))
    bad = pathlib.Path(list_folder(tmp_path, "train")[0][5])
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(pixels).save(bad)
    content = bad.read_bytes()
    bad.write_bytes(content[: int(len(content) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(ValueError, match=f"{bad.name}: cannot be read as an image"):
        kgen.data.load(tmp_path, batch_size=2, **arguments)


def test_home_folder_is_expanded(tmp_path, monkeypatch):
    fill(tmp_path / "photos", 10)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert kgen.data.load("~/photos", batch_size=2).element_spec.shape == (2, 4, 6, 3)
