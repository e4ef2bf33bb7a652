"""Every example of a split once, in order."""

import numpy as np
import pytest
from PIL import Image

import kgen.data
from kgen.data.fingerprint import fingerprint
from kgen.data.mnist5k import mnist5k


def test_all_of_a_split_once_unshuffled():
    dataset = kgen.data.in_order("mnist5k", batch_size=300, labels=True)
    assert (dataset.count, len(dataset)) == (1000, 4)
    images, labels = (
        np.concatenate(part) for part in zip(*dataset.as_numpy_iterator(), strict=True)
    )
    expected, digits = mnist5k("test")
    np.testing.assert_allclose(images, expected / 127.5 - 1.0, atol=1e-6)
    np.testing.assert_array_equal(labels, digits)
    # And once more, the same.
    assert np.array_equal(next(iter(dataset))[0], images[:300])


def test_the_train_split_comes_in_order_too():
    dataset = kgen.data.in_order("digits", batch_size=1000, split="train+validation")
    assert [len(batch) for batch in dataset] == [1000, 437]


def test_sets_that_are_made_are_made_as_they_are_read():
    dataset = kgen.data.in_order("ring", batch_size=1000, length=2500)
    assert [batch.shape[0] for batch in dataset] == [1000, 1000, 500]
    with pytest.raises(ValueError, match="labels: expected False"):
        kgen.data.in_order(_array_file(), labels=True)


def _array_file():
    import pathlib
    import tempfile

    path = pathlib.Path(tempfile.mkdtemp()) / "images.npy"
    np.save(path, np.zeros((20, 4, 4, 1), "uint8"))
    return path


def test_the_fingerprint_follows_what_there_is(tmp_path):
    assert fingerprint("mnist5k") == fingerprint("mnist5k") != fingerprint("mnist5k", "train")
    assert fingerprint("ring", length=10) != fingerprint("ring", length=20)
    for name, grey in (("a", 10), ("b", 20)):
        (tmp_path / "test").mkdir(exist_ok=True)
        (tmp_path / "train").mkdir(exist_ok=True)
        for split in ("test", "train"):
            Image.new("L", (4, 4), grey).save(tmp_path / split / f"{name}.png")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    Image.new("L", (4, 4), 30).save(tmp_path / "test/c.png")
    assert fingerprint(tmp_path) != before
