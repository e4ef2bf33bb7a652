"""What `load` and `image_shape` refuse, and how they say it."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

import kgen.data


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "val"}, "split: expected one of \\['train', .*got 'val'"),
        ({"split": None}, "split: .* got None"),
        ({"batch_size": 0}, "batch_size: .* at least 1, got 0"),
        ({"batch_size": 2.0}, "batch_size: .* got 2.0"),
        ({"batch_size": True}, "batch_size: .* got True"),
        ({"batch_size": 1438}, "batch_size: expected at most 1197, .*'train' of digits, got 1438"),
        ({"batch_size": 361, "split": "test"}, "batch_size: expected at most 360"),
        ({"image_size": 0}, "image_size: .* got 0"),
        ({"image_size": -8}, "image_size: .* got -8"),
        ({"image_size": (8, 0)}, r"image_size: .* got \(8, 0\)"),
        ({"image_size": (8, 8, 1)}, r"image_size: .* got \(8, 8, 1\)"),
        ({"image_size": 8.0}, "image_size: .* got 8.0"),
        ({"image_size": True}, "image_size: .* got True"),
        ({"image_size": "8"}, "image_size: .* got '8'"),
        ({"seed": None}, "seed: .* got None"),
        ({"seed": 0.5}, "seed: .* got 0.5"),
        ({"seed": False}, "seed: .* got False"),
        ({"seed": 2**63}, "seed: .* 64 bits"),
        ({"channels": 2}, "channels: expected 1, 3 or None, got 2"),
        ({"channels": True}, "channels: .* got True"),
        (
            {"length": 5},
            "length: expected None for digits, whose number of examples is fixed, got 5",
        ),
        ({"frames": 5}, "frames: expected None for digits, which holds no clips, got 5"),
        ({"length": 0}, "length: expected an integer of at least 1, got 0"),
        ({"frames": 1.5}, "frames: expected an integer of at least 1, got 1.5"),
        ({"on_bad_file": "ignore"}, "on_bad_file: expected 'error' or 'skip', got 'ignore'"),
        ({"labels": "yes"}, "labels: expected True or False, got 'yes'"),
        ({"value_range": (0, 16)}, r"value_range: expected None for digits, .* got \(0, 16\)"),
    ],
)
def test_bad_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        kgen.data.load("digits", **arguments)


@pytest.mark.parametrize("name", ["mnist", "no/such/folder", "no_such_file.npy"])
def test_unknown_name_says_what_there_is(name):
    with pytest.raises(
        ValueError, match=f"{name} is no such name.*'digits', 'grid', 'mnist5k'.*'tfds:<name>'"
    ):
        kgen.data.load(name)


@pytest.mark.parametrize("name", [None, 3, "", ["digits"]])
def test_neither_name_nor_path(name):
    with pytest.raises(ValueError, match="name_or_path: expected one of"):
        kgen.data.load(name)


def test_file_of_another_kind(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no images")
    with pytest.raises(ValueError, match=r"notes\.txt is a file of another kind"):
        kgen.data.load(path)


def test_a_name_wins_over_a_folder_and_a_path_does_not(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert kgen.data.image_shape(kgen.data.load("digits")) == (8, 8, 1)
    for folder in ("./digits", pathlib.Path("digits")):
        with pytest.raises(ValueError, match="digits: expected images"):
            kgen.data.load(folder)


def test_numpy_integers_are_integers():
    dataset = kgen.data.load(
        "digits", image_size=np.int64(16), batch_size=np.int32(8), seed=np.int64(-3)
    )
    assert dataset.element_spec.shape == (8, 16, 16, 1)


def test_image_shape():
    assert kgen.data.image_shape(kgen.data.load("digits", labels=True)) == (8, 8, 1)
    of_any_batch = tf.data.Dataset.from_tensors(tf.zeros((4, 6, 3))).batch(2)
    assert kgen.data.image_shape(of_any_batch) == (4, 6, 3)
    assert all(type(side) is int for side in kgen.data.image_shape(of_any_batch))


@pytest.mark.parametrize(
    "dataset", [tf.data.Dataset.range(3), tf.data.Dataset.from_tensors({"x": 1}), np.zeros(3), None]
)
def test_image_shape_of_something_else(dataset):
    with pytest.raises(ValueError, match=r"dataset: expected a tf\.data\.Dataset of images"):
        kgen.data.image_shape(dataset)
