"""Folders of image files: which files count, and splits, classes, sizes and channels."""

import pathlib
import re

import numpy as np
import pytest
from PIL import Image

import kgen.data
from kgen.data.folder import image_names, list_folder
from kgen.data.splitting import PARTS, place_of_name


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


def every(folder, **settings):
    """Return the paths of all images of a folder, whatever their split."""
    return [folder / name for name in image_names(folder, **settings)]


def whole(folder, split):
    """Return the images of a split and their labels, in order."""
    batch = next(iter(kgen.data.in_order(folder, split=split, labels=True, batch_size=1000)))
    return [array.numpy() for array in batch]


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".JPeG", ".bmp", ".WEBP", ".webp"])
def test_every_format(tmp_path, suffix):
    fill(tmp_path, 20, suffix, level=200)
    dataset = kgen.data.load(str(tmp_path), batch_size=12)
    assert dataset.element_spec.shape == (12, 4, 6, 3)
    assert dataset.element_spec.dtype == "float32"
    np.testing.assert_allclose(next(iter(dataset)), 200 / 127.5 - 1, atol=3 / 127.5)


def test_other_and_hidden_files_are_passed_over(tmp_path):
    fill(tmp_path / "deep" / "deeper", 10)
    fill(tmp_path / ".thumbnails", 3)
    for name in (".DS_Store", "Thumbs.db", "notes.txt", "._000.png", ".hidden.png", "README"):
        (tmp_path / name).write_bytes(b"no image")
    (tmp_path / "folder.png").mkdir()
    fill(tmp_path / "__MACOSX" / "deep", 3)
    fill(tmp_path / "deep" / "@eaDir", 3)
    paths = every(tmp_path)
    assert len(paths) == 10
    assert all(pathlib.Path(path).parent.name == "deeper" for path in paths)


def test_hold_out(tmp_path):
    fill(tmp_path, 300)
    parts = {split: list_folder(tmp_path, split)[0] for split in PARTS}
    assert 15 <= len(parts["test"]) <= 45 and 15 <= len(parts["validation"]) <= 45
    everything = [path for part in parts.values() for path in part]
    assert names(everything, tmp_path) == names(tmp_path.glob("*.png"), tmp_path)
    trained = names(list_folder(tmp_path, "train+validation")[0], tmp_path)
    assert trained == names([*parts["train"], *parts["validation"]], tmp_path)
    # In a random order, not that of the names, in which classes may be sorted.
    assert list(parts["test"]) != sorted(parts["test"])
    moved = tmp_path.rename(tmp_path.with_name("moved"))  # the place plays no part
    assert list_folder(moved, "test")[0].names == parts["test"].names


def test_images_that_are_added_or_renamed_leave_the_others_in_their_splits(tmp_path):
    fill(tmp_path / "cat", 60)
    before = {split: set(list_folder(tmp_path, split)[0].names) for split in PARTS}
    fill(tmp_path / "ape", 60)
    (tmp_path / "cat" / "000.png").rename(tmp_path / "cat" / "first.png")
    for split in PARTS:
        now = {name for name in list_folder(tmp_path, split)[0].names if name.startswith("cat")}
        assert before[split] - now <= {"cat/000.png"} and now - before[split] <= {"cat/first.png"}


def test_a_folder_that_is_converted_keeps_its_splits(tmp_path):
    for suffix in (".png", ".jpg"):
        fill(tmp_path / suffix, 60, suffix)
    stems = [
        [name.removesuffix(suffix) for name in list_folder(tmp_path / suffix, "test")[0].names]
        for suffix in (".png", ".jpg")
    ]
    assert stems[0] == stems[1]


def test_accents_are_the_same_however_a_system_writes_them():
    assert place_of_name("caf\u00e9/1.png") == place_of_name("cafe\u0301/1.png")


def test_classes(tmp_path):
    for level, name in enumerate(("zebra", "ant", "Bee")):
        fill(tmp_path / name / "inner", 10, level=level)
    images, labels = whole(tmp_path, "train+validation")
    assert labels.dtype == "int32"
    levels = np.rint((images[:, 0, 0, 0] + 1) * 127.5)
    # Sorted names: Bee, ant, zebra.
    assert np.array_equal(np.array([2, 1, 0])[levels.astype(int)], labels)
    _, labels = whole(tmp_path, "test")
    assert set(labels) <= {0, 1, 2}
    assert kgen.data.load(tmp_path, batch_size=20).element_spec.shape == (20, 4, 6, 3)


@pytest.mark.parametrize("beside", [False, True])
def test_labels_of_images_without_class(tmp_path, beside):
    fill(tmp_path, 10)
    if beside:
        fill(tmp_path / "cat", 10)
    with pytest.raises(ValueError, match=f"labels: .* split='train' of {tmp_path} has no"):
        kgen.data.load(tmp_path, labels=True, batch_size=2)


SPLIT_NAMES = [
    ("train", "test", "test"),
    ("train", "val", "validation"),
    ("Train", "valid", "validation"),
    ("TRAINING", "Testing", "test"),
    ("training", "Validation", "validation"),
    ("train", "dev", "validation"),
]


@pytest.mark.parametrize(("training", "name", "split"), SPLIT_NAMES)
def test_folders_with_names_of_splits(tmp_path, training, name, split):
    for folder, offset in ((training, 10), (name, 100)):
        for level, animal in enumerate(("ant", "bee")):
            fill(tmp_path / folder / animal, 6, level=level + offset)
    fill(tmp_path / name / "cow", 3, level=102)  # in no train class, yet its number is its own
    fill(tmp_path / ".cache" / "x", 3)
    (tmp_path / training / "dog").mkdir()  # empty: no class
    images, labels = whole(tmp_path, "train")
    levels = np.rint((images[:, 0, 0, 0] + 1) * 127.5)
    assert np.array_equal(levels - 10, labels)
    images, labels = whole(tmp_path, split)
    levels = np.rint((images[:, 0, 0, 0] + 1) * 127.5)
    assert levels.tolist() == [100] * 6 + [101] * 6 + [102] * 3  # sorted paths
    assert np.array_equal(levels - 100, labels)
    assert kgen.data.class_count(tmp_path) == 3


def test_three_folders_of_splits(tmp_path):
    for name in ("train", "val", "test"):
        fill(tmp_path / name, 2)
    for split, folder in (("test", "test"), ("validation", "val"), ("train", "train")):
        paths, labels = list_folder(tmp_path, split)
        assert list(paths.names) == [f"{folder}/000.png", f"{folder}/001.png"]
        assert labels is None


@pytest.mark.parametrize("present", ["train", "train test", "train val"])
def test_a_split_without_a_folder_is_cut_out_of_the_training_images(tmp_path, present):
    for name in present.split():
        for animal in ("ant", "bee"):
            fill(tmp_path / name / animal, 60)
    parts = {split: set(list_folder(tmp_path, split)[0].names) for split in PARTS}
    for split, folder in (("validation", "val"), ("test", "test")):
        if folder in present:
            assert {name.partition("/")[0] for name in parts[split]} == {folder}
            assert len(parts[split]) == 120
        else:
            assert {name.partition("/")[0] for name in parts[split]} == {"train"}
            assert 2 <= len(parts[split]) <= 25
    assert len(set.union(*parts.values())) == sum(map(len, parts.values()))
    assert kgen.data.class_count(tmp_path) == 2


def test_a_test_folder_alone_can_be_tested_on_and_not_trained_on(tmp_path):
    fill(tmp_path / "test", 12)
    assert len(list_folder(tmp_path, "test")[0]) == 12
    for split in ("train", "validation"):
        with pytest.raises(ValueError, match=f"split='{split}'.*training images in a folder train"):
            list_folder(tmp_path, split)


def test_train_beside_another_folder_is_a_class_and_said_to_be(tmp_path):
    for name in ("train", "bus"):
        fill(tmp_path / name, 10)
    with pytest.warns(UserWarning, match="train/ is taken for a class .*bus/"):
        paths, labels = list_folder(tmp_path, "train")
    assert [("bus", "train")[label] for label in labels] == [
        pathlib.Path(path).parent.name for path in paths
    ]


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ("train test unlabelled", r"no folders beside the splits .* test/, train/, unlabelled/"),
        ("train val backup", "no folders beside the splits"),
        ("train eval", "no folders beside the splits .* eval/, train/"),
        ("train2017 val2017", "no folders beside the splits .* train2017/, val2017/"),
        ("trainA trainB testA testB", "no folders beside the splits"),
        ("train_images test_images", "no folders beside the splits"),
        ("train training test", "expected one folder for the train split, found train/, training/"),
        ("train val valid", "expected one folder for the validation split"),
        ("faces/train faces/test", r"expected splits right below it, found test/, train/ in faces"),
        ("cat/train dog/val cat/val", "expected splits right below it, found train/, val/ in cat"),
        ("train/x/test train/x/dev", "expected splits right below it"),
        ("seg_train seg_test seg_pred", "no folders beside the splits .* Give splits these names"),
        ("seg_train/seg_train/sea seg_test/seg_test/sea", "found seg_test/, seg_train/"),
        ("mnist_train mnist_test", "no folders beside the splits"),
        ("x-train x-test", "no folders beside the splits"),
        ("my.Train myTest", "no folders beside the splits"),
        ("trn tst", "no folders beside the splits"),
        ("trainval test", "no folders beside the splits"),
        ("trainA trainB", "no folders beside the splits"),
        ("testA testB", "no folders beside the splits"),
        ("train_1 train_2", "no folders beside the splits"),
        ("train_images train_masks", "no folders beside the splits"),
        ("DIV2K_train_HR DIV2K_valid_HR", "no folders beside the splits"),
        ("train_cats test_cats", "no folders beside the splits"),
        ("faces/trainA faces/trainB", "expected splits right below it"),
    ],
)
def test_splits_that_would_be_taken_for_something_else_are_refused(tmp_path, folders, message):
    for name in folders.split():
        fill(tmp_path / name, 2)
    with pytest.raises(ValueError, match=f"{tmp_path.name}.*{message}"):
        list_folder(tmp_path, "train")


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("train2017", "bridge"),
        ("TEST_images", "labels"),
        ("my_train", "sea"),
        ("bullet_train", "bus"),
        ("train_images", None),
    ],
)
def test_one_that_looks_like_a_split_is_a_class_and_said_to_be(tmp_path, name, beside):
    folders = sorted(filter(None, [name, beside]))
    for folder in folders:
        fill(tmp_path / folder, 10)
    with pytest.warns(UserWarning, match=f"{name}/ is taken for a class and not for a split"):
        assert kgen.data.class_names(tmp_path) == folders


def test_pairs_and_sets_are_not_mixed_from_folders_that_look_like_splits(tmp_path):
    for name in ("a/trainA", "a/trainB", "b/trainA", "b/trainB"):
        fill(tmp_path / name, 10)
    a, b = tmp_path / "a", tmp_path / "b"
    for read in (
        lambda: kgen.data.pairs(a, side_by_side="input_left", batch_size=2),
        lambda: kgen.data.pairs(a, targets=b, batch_size=2),
        lambda: kgen.data.unpaired(a, b, batch_size=2),
    ):
        with pytest.raises(ValueError, match="expected no folders beside the splits .* trainB/"):
            read()


def test_classes_whose_names_are_like_those_of_splits(tmp_path):
    folders = ["train_station", "test_tube", "valley", "deviation", "brain", "trains", "Testament"]
    for name in folders:
        fill(tmp_path / name, 10)
    assert kgen.data.class_names(tmp_path) == sorted(folders)


def test_trains_are_classes(tmp_path):
    """Of one part all, and named by what they are: warned of, no more."""
    for name in ("steam_train", "bullet train", "bus"):
        fill(tmp_path / name, 10)
    with pytest.warns(UserWarning, match="bullet train/, steam_train/ is taken .* found bus/"):
        assert kgen.data.class_count(tmp_path) == 3


def test_a_split_without_classes_leaves_the_others_theirs(tmp_path):
    for name in ("train/cat", "train/dog", "val"):
        fill(tmp_path / name, 40)
    assert kgen.data.class_names(tmp_path) == ["cat", "dog"]
    paths, labels = list_folder(tmp_path, "train")
    assert ["train/" + ("cat", "dog")[label] for label in labels] == [
        pathlib.PurePath(name).parent.as_posix() for name in paths.names
    ]
    for split in ("validation", "train+validation"):
        assert len(list_folder(tmp_path, split)[0]) and list_folder(tmp_path, split)[1] is None
        with pytest.raises(ValueError, match=f"split='{re.escape(split)}' .* has no labels"):
            kgen.data.load(tmp_path, split=split, labels=True, batch_size=2)


def test_images_beside_the_splits(tmp_path):
    for name in ("train", "test", ""):
        fill(tmp_path / name, 2)
    with pytest.raises(
        ValueError, match=r"000\.png: expected every image in one of the splits test/, train/"
    ):
        kgen.data.load(tmp_path)


@pytest.mark.parametrize("name", ["train", "test", "."])
def test_empty_folder(tmp_path, name):
    (tmp_path / name).mkdir(exist_ok=True)
    with pytest.raises(ValueError, match=f"{tmp_path}: expected images .*found none"):
        kgen.data.load(tmp_path)


def test_empty_test_split(tmp_path):
    fill(tmp_path, 1)
    with pytest.raises(ValueError, match=f"split='test' of {tmp_path} is empty.*there are 1"):
        kgen.data.load(tmp_path, split="test", batch_size=1)
    assert kgen.data.load(tmp_path, batch_size=1).element_spec.shape[0] == 1


def test_batch_larger_than_the_split(tmp_path):
    fill(tmp_path, 20)
    with pytest.raises(
        ValueError,
        match=rf"batch_size: expected at most 1., .*{tmp_path} .*cut out for each.*got 64",
    ):
        kgen.data.load(tmp_path)


def test_links_out_of_the_folder_are_followed_when_asked(tmp_path):
    fill(tmp_path / "elsewhere", 10)
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "single.png").symlink_to(tmp_path / "elsewhere" / "000.png")
    (folder / "loop").symlink_to(folder)
    with pytest.raises(ValueError, match="found none .2 symbolic links lead out .* linked; follow"):
        kgen.data.load(folder, batch_size=2)
    assert len(every(folder, follow_links=True)) == 11
    assert kgen.data.load(folder, batch_size=2, follow_links=True).element_spec.shape[0] == 2
    fill(folder / "own", 20)
    with pytest.warns(UserWarning, match="2 symbolic links lead out of it and are not followed"):
        paths, _ = list_folder(folder, "train")
    assert {name.partition("/")[0] for name in paths.names} == {"own"}


@pytest.mark.parametrize("follow_links", [False, True])
def test_a_link_that_leads_to_nothing_is_a_file_that_cannot_be_read(tmp_path, follow_links):
    fill(tmp_path / "photos", 9)
    (tmp_path / "photos" / "dead.png").symlink_to(tmp_path / "gone" / "one.png")
    arguments = {"image_size": 4, "batch_size": 2, "follow_links": follow_links}
    with pytest.raises(ValueError, match=r"dead\.png: cannot be read as an image"):
        kgen.data.load(tmp_path / "photos", split="train+validation", **arguments)


def test_links_inside_the_folder_are_followed(tmp_path):
    fill(tmp_path / "all", 20)
    (tmp_path / "some").mkdir()
    for index in range(5):
        (tmp_path / "some" / f"{index}.png").symlink_to(tmp_path / "all" / f"00{index}.png")
    assert len(every(tmp_path)) == 25


def test_sizes_that_differ_need_image_size(tmp_path):
    fill(tmp_path / "a", 10, size=(6, 4))
    fill(tmp_path / "b", 10, size=(4, 6))
    with pytest.raises(ValueError, match=r"image_size: .*png is \((6, 4|4, 6)\).*got None"):
        kgen.data.load(tmp_path, batch_size=2)
    dataset = kgen.data.load(tmp_path, image_size=(5, 3), batch_size=10)
    assert next(iter(dataset)).shape == (10, 5, 3, 3)


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
