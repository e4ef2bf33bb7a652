"""What a set is known again by."""

import shutil

import numpy as np
from PIL import Image

import kgen.data
from kgen.data.fingerprint import of_data

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), np.uint8)
LABELS = np.arange(40)


def fill(folder, count=30):
    for index in range(count):
        path = folder / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[index, ..., 0]).save(path)
    return folder


def test_a_stream_of_a_folder_is_known_by_its_files(tmp_path):
    def found(folder, **arguments):
        return kgen.data.load(folder, batch_size=2, **arguments).fingerprint

    first = fill(tmp_path / "first")
    before = found(first)
    assert before == found(first, seed=3) == found(first, augmentations=["flip"])
    assert before != found(first, split="test")
    moved = shutil.copytree(first, tmp_path / "moved")  # With times of its own.
    assert found(moved) == before
    # Whatever is added is in one of the splits, and changes that one.
    whole = {"split": "train+validation"}
    both = found(first, **whole)
    for index in range(20):
        Image.fromarray(IMAGES[0, ..., 0]).save(first / "a" / f"new-{index}.png")
    assert found(first, **whole) != both


def test_arrays_are_known_by_their_bytes():
    def found(images=IMAGES, labels=LABELS, **arguments):
        return kgen.data.from_arrays(images, labels, batch_size=8, **arguments).fingerprint

    assert found() == found(seed=5, shuffle=False)
    changed = IMAGES.copy()
    changed[3, 0, 0, 0] ^= 1
    assert len({found(), found(changed), found(labels=LABELS + 1), found(labels=None)}) == 4
    assert of_data(IMAGES) == of_data(IMAGES.copy()) != of_data(changed)
    assert of_data(kgen.data.from_arrays(IMAGES, batch_size=4)) == of_data(IMAGES)
    assert of_data(iter([IMAGES])) is None


def test_pairs_and_two_sets_are_known_by_both(tmp_path):
    def pairs(**arguments):
        return kgen.data.pairs("digits", batch_size=8, **arguments).fingerprint

    assert pairs(degradation="grey") == pairs(degradation="grey")
    assert pairs(degradation="grey") != pairs(degradation={"grey": 0.5})
    inputs, targets = fill(tmp_path / "inputs"), fill(tmp_path / "targets")
    before = kgen.data.pairs(inputs, targets, batch_size=2, split="train+validation").fingerprint
    for index in range(30):
        Image.new("L", (4, 4), 9).save(targets / "ab"[index % 2] / f"{index}.png")
    after = kgen.data.pairs(inputs, targets, batch_size=2, split="train+validation").fingerprint
    assert before != after

    def two(second):
        return kgen.data.unpaired("digits", second, image_size=4, batch_size=8).fingerprint

    assert two("mnist5k") == two("mnist5k") != two("digits")


def test_sets_that_are_made_are_known_by_what_decides_them():
    def found(name, **arguments):
        return kgen.data.load(name, batch_size=8, **arguments).fingerprint

    assert found("ring") == found("ring") != found("grid")
    assert (
        len({found("ring", seed=seed, length=length) for seed in (0, 1) for length in (8, 9)}) == 4
    )
