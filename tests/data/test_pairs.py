"""Pairs of an input and a target: from folders, from halves, and by degradation."""

import functools

import numpy as np
import pytest
from PIL import Image

import kgen.data
from kgen.data import examples, files
from kgen.data.degradation import DEGRADATIONS, degrader


def save(path, level, size=(6, 4), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = (level,) * 3 if mode == "RGB" else level
    Image.new(mode, size, colour).save(path)


def levels(images):
    """Return the grey level 0..255 of each image of one colour."""
    return np.rint((images.numpy()[:, 0, 0, 0] + 1) * 127.5).astype(int)


@pytest.fixture
def folders(tmp_path):
    """Two folders of 20 images, 16 for training; a target is 100 brighter than its input."""
    for index in range(20):
        part = "train" if index < 16 else ("test", "val")[index // 2 % 2]
        name = f"{part}/{'ab'[index % 2]}/{index}"
        save(tmp_path / "inputs" / f"{name}.png", index)
        save(tmp_path / "targets" / f"{name}.bmp", index + 100)
    return tmp_path / "inputs", tmp_path / "targets"


@pytest.fixture(params=["held", "decoded while iterated"])
def holding(request, monkeypatch):
    if request.param != "held":
        monkeypatch.setattr(files, "HELD_FILES", 0)
        monkeypatch.setattr(files, "_decode_all", None)


def test_two_folders(folders, holding):
    stream = kgen.data.pairs(*folders, batch_size=6)
    assert [spec.shape for spec in stream.element_spec] == [(6, 4, 6, 3)] * 2
    assert kgen.data.image_shape(stream) == (4, 6, 3)
    inputs, targets = zip(*stream, strict=True)
    inputs, targets = (
        np.concatenate([levels(batch) for batch in side]) for side in (inputs, targets)
    )
    assert np.array_equal(inputs + 100, targets)
    whole = kgen.data.pairs(*folders, batch_size=18, split="train+validation")
    train = {level for batch in whole for level in levels(batch[0])}
    (test,) = kgen.data.pairs(*folders, batch_size=2, split="test")
    assert np.array_equal(levels(test[0]) + 100, levels(test[1]))
    assert train | set(levels(test[0])) == set(range(20)) and len(train) == 18


def test_the_split_is_that_of_the_folder_of_inputs(tmp_path):
    for split, first in (("train", 0), ("val", 50), ("test", 90)):
        for index in range(4):
            save(tmp_path / "inputs" / split / f"{index}.png", first + index)
            save(tmp_path / "targets" / split / f"{index}.png", first + index + 100)
    stream = kgen.data.pairs(
        tmp_path / "inputs", tmp_path / "targets", batch_size=4, split="validation"
    )
    inputs, targets = next(iter(stream))
    assert levels(inputs).tolist() == [50, 51, 52, 53]
    assert levels(targets).tolist() == [150, 151, 152, 153]


@pytest.mark.parametrize("side_by_side", [None, "input_left"])
def test_splits_of_other_names_are_refused_of_pairs_too(tmp_path, side_by_side):
    for folder in ("inputs", "targets"):
        for split in ("train", "val", "extra"):
            save(tmp_path / folder / split / "0.png", 0)
    targets = None if side_by_side else tmp_path / "targets"
    with pytest.raises(ValueError, match="no folders beside the splits .* extra/, train/, val/"):
        kgen.data.pairs(tmp_path / "inputs", targets, side_by_side=side_by_side, batch_size=1)


def test_links_of_pairs_are_followed_when_asked(tmp_path):
    for index in range(20):
        for folder in ("inputs", "elsewhere"):
            save(tmp_path / folder / f"{index}.png", index)
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "linked").symlink_to(tmp_path / "inputs")
    sides = tmp_path / "sources", tmp_path / "targets"
    with pytest.raises(ValueError, match="symbolic links? lead out"):
        kgen.data.pairs(*sides, batch_size=2)
    stream = kgen.data.pairs(*sides, batch_size=2, follow_links=True)
    assert all(np.array_equal(one, other) for one, other in stream)


def test_a_file_without_a_partner(folders):
    inputs, targets = folders
    (targets / "train" / "a" / "0.bmp").unlink()
    with pytest.raises(ValueError, match=r"targets: .*inputs.train.a.0\.png without its partner"):
        kgen.data.pairs(*folders, batch_size=2)
    save(inputs / "train" / "a" / "0.bmp", 3)
    with pytest.raises(ValueError, match=r"a.0\.png: expected one image of a name, .*0\.bmp too"):
        kgen.data.pairs(*folders, batch_size=2)
    (inputs / "train" / "a" / "0.bmp").unlink()
    (targets / "train" / "a" / "only.bmp").write_bytes(b"never opened")
    with pytest.warns(UserWarning, match=r"Left out 2 of 32 image files: .*0\.png, .*only\.bmp"):
        stream = kgen.data.pairs(*folders, batch_size=2, on_bad_file="skip")
    assert stream.skipped == [
        str(inputs / "train" / "a" / "0.png"),
        str(targets / "train" / "a" / "only.bmp"),
    ]
    assert len(stream) == 7  # 15 pairs


def test_a_bad_file_of_a_pair(folders, holding):
    inputs, targets = folders
    for path in (inputs / "train" / "a" / "2.png", targets / "train" / "b" / "5.bmp"):
        path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(Exception, match=r"cannot be read as an image"):
        list(kgen.data.pairs(*folders, batch_size=6, image_size=4, channels=3))
    with pytest.warns(UserWarning, match="Left out"):
        stream = kgen.data.pairs(
            *folders, batch_size=6, image_size=4, channels=3, on_bad_file="skip"
        )
        seen = list(stream.starting_at(0).take(9))
    assert set(stream.skipped) == {
        str(inputs / "train" / "a" / "2.png"),
        str(targets / "train" / "b" / "5.bmp"),
    }
    for one, other in seen:
        assert np.array_equal(levels(one) + 100, levels(other))
        assert not {2, 5} & set(levels(one))


def test_folders_of_nothing_in_common(tmp_path):
    save(tmp_path / "inputs" / "a.png", 0)
    save(tmp_path / "targets" / "b.png", 0)
    with pytest.raises(ValueError, match=r"targets: .*a\.png without its partner"):
        kgen.data.pairs(tmp_path / "inputs", tmp_path / "targets", batch_size=1)
    with pytest.raises(ValueError, match=r"targets: .* found none"):
        kgen.data.pairs(tmp_path / "inputs", tmp_path / "targets", batch_size=1, on_bad_file="skip")


@pytest.mark.parametrize(
    ("side", "holding"),
    [
        ("input_left", "held"),
        ("input_right", "decoded while iterated"),
        pytest.param("input_left", "decoded while iterated", marks=pytest.mark.slow),
        pytest.param("input_right", "held", marks=pytest.mark.slow),
    ],
    indirect=["holding"],
)
def test_halves(tmp_path, side, holding):
    for index in range(20):
        pixels = np.full((4, 16, 3), index + 2, np.uint8)
        pixels[:, 8:] = index + 102
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    way = 100 if side == "input_left" else -100
    for size, shape in ((None, (4, 8, 3)), ((2, 6), (2, 6, 3))):
        stream = kgen.data.pairs(tmp_path, side_by_side=side, image_size=size, batch_size=9)
        assert kgen.data.image_shape(stream) == shape
        for inputs, targets in stream:
            assert np.array_equal(levels(inputs) + way, levels(targets))
            assert np.ptp(inputs.numpy(), axis=(1, 2, 3)).max() == 0  # no pixel of the other half
    Image.new("RGB", (15, 4)).save(tmp_path / "odd.png")
    with pytest.raises(Exception, match=r"odd\.png: .*its width, 15, has no two halves"):
        for split in ("train", "test"):
            arguments = {"image_size": 4, "channels": 3, "batch_size": 2, "split": split}
            list(kgen.data.pairs(tmp_path, side_by_side=side, **arguments))


def input_shape(degradation):
    if degradation == "low_resolution":
        return (4, 4, 1)
    return (8, 8, 2 if degradation.startswith("hole") else 1)


@functools.cache
def plain_digits(batch_size, split, seed):
    """The length of a pass, and two passes."""
    stream = kgen.data.load("digits", batch_size=batch_size, split=split, seed=seed)
    return len(stream), [images.numpy() for images in stream.repeat(2)]


DRAWN = ("noise", "hole_square", "clutter")


# By the split no more than what is drawn is told apart, of all by one seed and one number: an
# amount a pixel, a place, and whose photographs.
@pytest.mark.parametrize(
    ("degradation", "split"),
    [
        pytest.param(
            name,
            split,
            marks=[pytest.mark.slow] if split == "test" and name not in DRAWN else [],
        )
        for name in DEGRADATIONS
        for split in ("train", "test")
    ],
)
def test_every_degradation_of_a_source(degradation, split):
    arguments = {"batch_size": 60, "split": split, "seed": 3}
    length, plain = plain_digits(**arguments)
    stream = kgen.data.pairs("digits", degradation=degradation, **arguments)
    assert len(stream) == length
    count = 3 if split == "train" else length + 1
    first = list(stream.repeat(2).take(count))
    for (inputs, targets), images in zip(first, plain[:count], strict=True):
        assert np.array_equal(targets, images)
        assert inputs.shape == (60, *input_shape(degradation)) and inputs.dtype == images.dtype
        assert inputs.numpy().min() >= -1 and inputs.numpy().max() <= 1
    assert degradation == "grey" or not np.array_equal(first[0][0][..., :1], first[0][1])
    # What is drawn for a batch is of its number in training, else of its place in the pass.
    degrade, step = degrader(degradation, (8, 8, 1), 3, split), length + 1
    inputs, targets = next(iter(stream.starting_at(step)))
    expected = degrade(targets, step if split == "train" else 1)
    np.testing.assert_allclose(inputs, expected, atol=1e-6)
    if split == "test":  # the same on every pass
        assert np.array_equal(first[0][0], first[length][0])


def test_degradation_of_made_and_of_grey_images():
    stream = kgen.data.pairs(
        "shapes", degradation={"downsampled": 8}, image_size=16, channels=3, length=40, batch_size=4
    )
    assert [spec.shape for spec in stream.element_spec] == [(4, 16, 16, 3)] * 2
    inputs, targets = next(iter(stream))
    assert np.array_equal(inputs[:, 0, 0], inputs[:, 7, 7])
    stream = kgen.data.pairs("digits", degradation=lambda images: -images, batch_size=4)
    inputs, targets = next(iter(stream))
    assert np.array_equal(inputs, -targets)


def test_both_images_of_a_pair_are_augmented_alike(tmp_path):
    random = np.random.default_rng(0)
    for index in range(20):
        pixels = random.integers(0, 128, (8, 8, 3), np.uint8)
        save(tmp_path / "inputs" / f"{index}.png", 0)
        Image.fromarray(pixels).save(tmp_path / "inputs" / f"{index}.png")
        save(tmp_path / "targets" / f"{index}.png", 0)
        Image.fromarray(pixels + 100).save(tmp_path / "targets" / f"{index}.png")
    names = ["flip", "crop", "shift"]
    sides = tmp_path / "inputs", tmp_path / "targets"
    inputs, targets = next(iter(kgen.data.pairs(*sides, batch_size=9, augmentations=names)))
    plain, _ = next(iter(kgen.data.pairs(*sides, batch_size=9)))
    np.testing.assert_allclose(inputs + 100 / 127.5, targets, atol=1e-5)
    assert not np.array_equal(inputs, plain)
    made, targets = next(iter(kgen.data.pairs("digits", degradation="grey", augmentations=names)))
    assert np.array_equal(made, targets)  # augmented first, then made grey


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "targets, degradation, side_by_side: expected exactly one of them, got {}"),
        ({"degradation": "grey", "targets": "x"}, "exactly one of them, got .*'x'"),
        ({"side_by_side": "left"}, "side_by_side: expected one of .*'input_left'.* got 'left'"),
        ({"side_by_side": "input_left"}, "source: expected a folder of images, got 'digits'"),
        ({"targets": "no/folder"}, "source: expected a folder of images, got 'digits'"),
        ({"source": ".", "targets": "no/folder"}, "targets: expected a folder .*'no/folder'"),
        ({"source": ".", "side_by_side": "input_left", "length": 3}, "length: expected None"),
        ({"source": ".", "targets": ".", "value_range": (0, 1)}, "value_range: expected None"),
        ({"degradation": "noise", "source": "ring"}, r"source: expected images, got ring"),
        ({"degradation": "noise", "source": "moving_mnist"}, "source: expected images"),
        ({"degradation": "noise", "batch_size": 1438}, "batch_size: expected at most 1197"),
        ({"degradation": "noise", "split": "val"}, "split: "),
        ({"degradation": {"downsampled": 3}}, r"degradation\['downsampled'\]: .* 8 and 8 pixels"),
        ({"degradation": "noise", "split": "test", "augmentations": ["flip"]}, "augmentations: "),
    ],
)
def test_bad_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        kgen.data.pairs(**{"source": "digits", **arguments})


def test_a_large_folder_is_not_held(folders, monkeypatch):
    monkeypatch.setattr(examples, "MEMORY_LIMIT", 16 * 2 * 4 * 6 * 3 - 1)
    monkeypatch.setattr(files, "_decode_all", None)
    assert len(kgen.data.pairs(*folders, batch_size=6)) == 2
