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


def test_of_more_than_the_limit_some_are_drawn_by_a_fixed_seed(tmp_path):
    levels = np.repeat(np.arange(10, dtype=np.uint8), 100)  # Sorted by class, as folders are.
    images = np.broadcast_to(levels[:, None, None], (1000, 2, 2))
    np.savez(tmp_path / "set.npz", x_train=images, x_test=images, y_train=levels, y_test=levels)

    def drawn(limit, **arguments):
        dataset = kgen.data.in_order(tmp_path / "set.npz", labels=True, limit=limit, **arguments)
        images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
        labels = np.concatenate(labels)
        pixels = np.rint((np.concatenate(images)[:, 0, 0, 0] + 1) * 127.5)
        assert np.array_equal(pixels, labels) and dataset.count == len(labels)
        return labels

    few = drawn(200, batch_size=64)
    assert len(few) == 200 and np.bincount(few).min() >= 10  # Of each class about 20.
    assert len(set(few[:20])) >= 6  # Of the first few, too.
    assert np.array_equal(few, drawn(200, batch_size=7))
    assert np.array_equal(drawn(1000), levels) and np.array_equal(drawn(5000), levels)
    assert np.array_equal(drawn(None), levels)
    with pytest.raises(ValueError, match="limit: expected an integer of at least 1, got 0"):
        drawn(0)


def test_pairs_are_drawn_with_their_partners():
    arguments = {"degradation": {"grey": 1.0}, "limit": 30, "batch_size": 8}
    inputs, targets = zip(*kgen.data.pairs_in_order("digits", **arguments), strict=True)
    inputs, targets = np.concatenate(inputs), np.concatenate(targets)
    assert len(targets) == 30
    np.testing.assert_allclose(inputs, targets, atol=1e-6)  # Grey they are.
    everything = {x.tobytes() for x in np.concatenate(list(kgen.data.in_order("digits")))}
    assert {x.tobytes() for x in targets} <= everything


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
