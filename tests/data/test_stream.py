"""Streams: one pass that is a dataset, and any step as the start."""

import dataclasses
import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgen.data
from kgen.core import engine
from kgen.data import Stream, examples, pipeline


def of_steps(steps_per_pass=3, **arguments):
    """Return a stream whose batches are their own numbers."""
    return Stream(lambda step: tf.fill([2], step), steps_per_pass, **arguments)


def numbers(dataset):
    return [int(batch[0]) for batch in dataset]


def arrays(dataset, count):
    """Return the inputs of the first batches as one array."""
    batches = list(dataset.take(count).as_numpy_iterator())
    return np.stack([batch[0] if isinstance(batch, tuple) else batch for batch in batches])


def test_it_is_a_dataset_of_one_pass():
    stream = of_steps()
    assert isinstance(stream, tf.data.Dataset)
    assert len(stream) == 3 and int(stream.cardinality()) == 3 and stream.steps_per_pass == 3
    assert stream.element_spec == tf.TensorSpec([2], tf.int64)
    assert stream.skipped == []
    assert len(stream.map(lambda x: x).repeat(4).prefetch(1)) == 12


def test_passes_are_counted_however_they_are_made():
    stream = of_steps()
    assert numbers(stream) == [0, 1, 2]
    assert numbers(stream) == [3, 4, 5]
    assert numbers(stream.repeat(2)) == list(range(6, 12))
    assert numbers(stream.map(lambda x: x + 1).batch(3).unbatch().repeat(2)) == list(range(13, 19))
    assert numbers(of_steps()) == [0, 1, 2]  # another stream counts for itself


def test_starting_at_counts_nothing():
    stream = of_steps()
    numbers(stream)
    next(iter(stream))
    for step in (0, 1, 5, 10**9, 10**15):
        assert numbers(stream.starting_at(step).take(5)) == list(range(step, step + 5))
    assert int(stream.starting_at(3).cardinality()) == tf.data.INFINITE_CARDINALITY
    assert numbers(stream)[0] % 3 == 0


def test_nothing_is_made_for_earlier_steps():
    made = []

    def batch_at(step):
        return tf.ensure_shape(
            tf.numpy_function(lambda s: (made.append(int(s)), s)[1], [step], tf.int64), []
        )

    stream = Stream(batch_at, 7)
    assert int(next(iter(stream.starting_at(500)))) == 500
    assert min(made) == 500


GIVEN = {"batch_size": 450, "seed": 3}  # A pass has 3.
STREAMS = {
    "augmented": lambda: kgen.data.load("digits", augmentations=["flip", "crop", "shift"], **GIVEN),
    "made": lambda: kgen.data.load("stacked_mnist", length=1440, **GIVEN),
    "degraded": lambda: kgen.data.pairs("digits", degradation="noise", **GIVEN),
    "unpaired": lambda: kgen.data.unpaired("digits", "digits", augmentations=["flip"], **GIVEN),
}


@pytest.mark.parametrize("name", STREAMS)
def test_fresh_streams_are_equal_and_a_start_is_a_skip(name):
    make = STREAMS[name]
    reference = arrays(make().starting_at(0), 8)
    stream = make()
    assert np.array_equal(reference, arrays(stream.repeat(), 8))
    # The iteration above must not matter.
    assert np.array_equal(reference[5:], arrays(stream.starting_at(5), 3))
    far = arrays(stream.starting_at(10**9), 4)
    assert np.array_equal(far[2:], arrays(stream.starting_at(10**9 + 2), 2))
    assert not np.array_equal(far[:2], reference[:2])
    assert not np.array_equal(reference[:3], reference[3:6])


def test_fit_and_replicas():
    images = np.arange(40, dtype=np.float32)[:, None] / 40
    strategy = engine.mirrored(2)
    with strategy.scope():
        stream = kgen.data.from_arrays(images, np.arange(40), batch_size=8, seed=1)
    distributed = iter(strategy.experimental_distribute_dataset(stream.repeat()))
    other = kgen.data.from_arrays(images, np.arange(40), batch_size=8, seed=1)
    for batch in itertools.islice(other.starting_at(0), 12):
        shards, _ = next(distributed)
        assert [len(shard) for shard in shards.values] == [4, 4]
        assert np.array_equal(np.concatenate(shards.values), batch[0])
    passes = strategy.experimental_distribute_dataset(stream)
    assert [len(list(passes)) for _ in range(2)] == [5, 5]
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    history = model.fit(stream, epochs=2, verbose=0, shuffle=False)
    assert len(history.history["loss"]) == 2
    model.fit(stream.starting_at(100), steps_per_epoch=1, verbose=0, shuffle=False)
    distributed = iter(strategy.experimental_distribute_dataset(stream.starting_at(10**9)))
    expected = next(iter(stream.starting_at(10**9)))[0]
    assert np.array_equal(np.concatenate(next(distributed)[0].values), expected)


@pytest.mark.parametrize("step", [-1, 0.5, None, True, 2**63])
def test_refused_steps(step):
    with pytest.raises(ValueError, match="step: expected an integer of at least 0, got"):
        of_steps().starting_at(step)


def test_refused_arguments():
    with pytest.raises(
        ValueError, match="steps_per_pass: expected an integer of at least 1, got 0"
    ):
        of_steps(0)
    with pytest.raises(ValueError, match="batch_at: expected a function of a step, got 3"):
        Stream(3, 1)


@pytest.mark.parametrize("augmentations", [None, {"flip": 0.5, "shift": 0.25, "crop": 0.5}])
def test_shrunk_images_are_the_means_of_squares(augmentations, monkeypatch):
    """Also where few of them are made at a time, three here, and the last part is smaller."""
    shape = (8, 12, 3)
    monkeypatch.setattr(pipeline, "SHRUNK_TOGETHER", 3 * 4 * math.prod(shape) + 1)
    images = np.random.default_rng(0).integers(0, 256, (20, *shape), "uint8")
    rows, together = examples.of_array(images, np.arange(20, dtype="int32")), []

    def fetch(numbers):
        together.append(numbers.shape[0])
        return rows.fetch(numbers)

    spied = dataclasses.replace(rows, fetch=fetch)
    stream = pipeline.stream_of(spied, 8, 5, True, augmentations)
    full, labels = next(iter(stream.starting_at(3)))
    together.clear()
    small, same_labels = next(iter(stream.starting_at(3, shrink=4)))
    assert together == [3, 3, 2]
    np.testing.assert_array_equal(same_labels, labels)
    means = full.numpy().reshape(8, 2, 4, 3, 4, 3).mean((2, 4))
    np.testing.assert_allclose(small, means, atol=1e-6)
    np.testing.assert_array_equal(small, tf.nn.avg_pool(full, 4, 4, "VALID"))


def test_streams_of_ones_own_shrink_their_images_alone():
    def batch_at(step):
        pixels = tf.reshape(tf.range(32.0), (1, 4, 8, 1)) + tf.cast(step, "float32")
        return pixels, tf.range(4)[None]

    images, numbers = next(iter(Stream(batch_at, 1).starting_at(5, shrink=4)))
    assert images.numpy().ravel().tolist() == [
        13.5 + 5,
        17.5 + 5,
    ]  # (0 + 3 + 24 + 27) / 4 and 4 on.
    assert numbers.numpy().tolist() == [[0, 1, 2, 3]]
    for factor in (8, 3, 0, 2.0):
        with pytest.raises(ValueError, match="shrink: expected .* got " + str(factor)):
            Stream(batch_at, 1).starting_at(0, shrink=factor)
