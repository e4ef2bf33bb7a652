"""Every held-out pair once, in order."""

import numpy as np
import pytest
from PIL import Image

import kgen.data


@pytest.mark.parametrize(
    "degradation",
    [pytest.param("noise", marks=pytest.mark.slow), "hole_square", "low_resolution", "clutter"],
)
def test_all_pairs_degraded_as_pairs_does(degradation):
    arguments = {"degradation": degradation, "batch_size": 100, "split": "test", "seed": 4}
    dataset = kgen.data.pairs_in_order("digits", **arguments)
    assert (dataset.count, len(dataset)) == (360, 4)
    found = list(dataset)
    assert [len(inputs) for inputs, _ in found] == [100, 100, 100, 60]
    for one, other in zip(found[:3], kgen.data.pairs("digits", **arguments), strict=True):
        assert np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])
    plain = np.concatenate(list(kgen.data.in_order("digits")))
    assert np.array_equal(np.concatenate([targets for _, targets in found]), plain)
    again = next(iter(dataset))
    assert np.array_equal(again[0], found[0][0])


def test_batches_that_come_out_even_and_fewer_pairs_than_a_batch():
    even = kgen.data.pairs_in_order("digits", degradation="grey", batch_size=120)
    assert [spec.shape[0] for spec in even.element_spec] == [120, 120]
    assert len(list(even)) == 3
    (only,) = kgen.data.pairs_in_order("digits", degradation="grey", batch_size=1000)
    assert only[0].shape == (360, 8, 8, 1)


def test_folders(tmp_path):
    for index in range(30):
        for side, level in (("inputs", index), ("targets", index + 100)):
            folder = tmp_path / side / ("train" if index < 20 else "test")
            folder.mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4), level).save(folder / f"{index:02d}.png")
    sides = tmp_path / "inputs", tmp_path / "targets"
    pairs = list(kgen.data.pairs_in_order(*sides, batch_size=2))
    assert sum(len(inputs) for inputs, _ in pairs) == 10
    for inputs, targets in pairs:
        np.testing.assert_allclose(inputs + 100 / 127.5, targets, atol=1e-5)
    train = kgen.data.pairs_in_order(*sides, split="train+validation")
    assert train.count == 20


def test_refused():
    with pytest.raises(ValueError, match="expected exactly one of them"):
        kgen.data.pairs_in_order("digits")
    with pytest.raises(ValueError, match="batch_size: "):
        kgen.data.pairs_in_order("digits", degradation="grey", batch_size=0)
    with pytest.raises(ValueError, match="split: "):
        kgen.data.pairs_in_order("digits", degradation="grey", split="all")


def test_labels_come_with_the_pairs_that_are_degraded_of_labelled_images():
    settings = {"degradation": "grey", "image_size": 12, "seed": 4, "limit": 70}
    _, targets, labels = zip(
        *kgen.data.pairs_in_order("photos", **settings, labels=True).as_numpy_iterator(),
        strict=True,
    )
    plain = [pair[1] for pair in kgen.data.pairs_in_order("photos", **settings).as_numpy_iterator()]
    np.testing.assert_array_equal(np.concatenate(targets), np.concatenate(plain))
    labels = np.concatenate(labels)
    assert labels.shape == (70,) and {*labels} == {0, 1, 2}
    # Sky and temple, flower and portrait have colours of their own.
    colours = np.concatenate(targets).mean(axis=(1, 2))
    means = [colours[labels == number].mean(axis=0) for number in range(3)]
    spread = np.mean([colours[labels == number].std(axis=0) for number in range(3)])
    assert np.ptp(means, axis=0).max() > spread
