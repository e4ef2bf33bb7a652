"""Order, batches, scaling, and pixels that are not held in memory."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgen.data
from kgen.core import engine
from kgen.data import examples, files


def stream(batches=None, repeat=True, **arguments):
    """Return the first batches of the digits as an array."""
    dataset = kgen.data.load("digits", **arguments)
    dataset = dataset.repeat() if repeat else dataset
    return np.stack(list(dataset.take(batches or -1).as_numpy_iterator()))


@pytest.fixture
def photos(tmp_path):
    """A folder of 40 RGB images of several sizes in two classes, 32 for training."""
    random = np.random.default_rng(0)
    for index in range(40):
        part = "train" if index < 32 else ("test", "val")[index // 2 % 2]
        path = tmp_path / part / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (10 + index % 3, 12, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    return tmp_path


def test_one_seed_is_one_stream_over_epochs():
    first = stream(batches=8, seed=3, batch_size=450)  # 3 batches an epoch
    assert np.array_equal(first, stream(batches=8, seed=3, batch_size=450))
    assert not np.array_equal(first[:3], first[3:6])
    assert not np.array_equal(first, stream(batches=8, seed=4, batch_size=450))


def test_the_stream_does_not_depend_on_the_global_seed():
    try:
        first = stream(batches=4, batch_size=450)
        tf.random.set_seed(1)
        np.random.seed(2)
        assert np.array_equal(first, stream(batches=4, batch_size=450))
    finally:
        tf.random.set_seed(0)


def test_separate_iterators_go_on_like_repeat():
    dataset = kgen.data.load("digits", batch_size=399)
    passes = np.concatenate([list(dataset.as_numpy_iterator()) for _ in range(3)])
    assert np.array_equal(passes, stream(batches=9, batch_size=399))


def test_an_epoch_has_every_image_once():
    images = stream(repeat=False, batch_size=399)  # 3 x 399 = 1,197
    assert images.shape == (3, 399, 8, 8, 1)
    other = stream(repeat=False, batch_size=399, seed=9)
    rows = [sorted(image.tobytes() for image in array.reshape(-1, 64)) for array in (images, other)]
    assert rows[0] == rows[1]


def test_test_split_keeps_its_order():
    first = stream(repeat=False, split="test")
    assert first.shape[:2] == (5, 64)  # 360 = 5 x 64 + 40, the remainder dropped
    assert np.array_equal(first, stream(repeat=False, split="test", seed=7))
    twice = stream(batches=10, split="test")
    assert np.array_equal(twice[:5], twice[5:])


def test_labels_belong_to_their_images(tmp_path):
    levels = np.arange(200, dtype=np.uint8)
    path = tmp_path / "levels.npz"
    np.savez(path, x=np.broadcast_to(levels[:, None, None], (200, 2, 2)), y=levels)
    for images, labels in kgen.data.load(path, labels=True, batch_size=20):
        expected = labels.numpy() / np.float32(127.5) - 1
        assert np.allclose(images.numpy()[:, 0, 0, 0], expected, atol=1e-6)


def test_every_byte_scales_into_the_range(tmp_path):
    bytes_ = np.arange(256, dtype=np.uint8).reshape(1, 16, 16).repeat(10, axis=0)
    np.save(tmp_path / "bytes.npy", bytes_)
    scaled = next(iter(kgen.data.load(tmp_path / "bytes.npy", batch_size=1))).numpy().ravel()
    assert scaled[0] == -1.0 and scaled[-1] == 1.0
    assert np.abs(scaled).max() == 1.0
    assert np.array_equal(np.rint((scaled + 1) * 127.5), np.arange(256))
    np.testing.assert_allclose(scaled, np.arange(256) / 127.5 - 1, atol=2e-7)


@pytest.mark.parametrize(
    ("limit", "split"),
    [
        ((examples, "MEMORY_LIMIT"), "train"),
        ((files, "HELD_FILES"), "test"),
        pytest.param((examples, "MEMORY_LIMIT"), "test", marks=pytest.mark.slow),
        pytest.param((files, "HELD_FILES"), "train", marks=pytest.mark.slow),
    ],
)
def test_files_beyond_a_limit_stream_the_same_pixels(photos, monkeypatch, split, limit):
    arguments = {"image_size": (8, 10), "batch_size": 4, "split": split, "labels": True}
    held = list(kgen.data.load(photos, **arguments).repeat(2).as_numpy_iterator())
    monkeypatch.setattr(*limit, 0)
    monkeypatch.setattr(files, "_decode_all", None)  # not to be called
    dataset = kgen.data.load(photos, **arguments).repeat(2)
    assert dataset.element_spec[0].shape == (4, 8, 10, 3)
    streamed = list(dataset.as_numpy_iterator())
    assert len(streamed) == len(held) > 0
    for one, other in zip(held, streamed, strict=True):
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1])


def test_the_memory_limit_counts_decoded_bytes_of_the_split(photos, monkeypatch):
    monkeypatch.setattr(files, "_next_readable", None)  # of the streaming path
    monkeypatch.setattr(examples, "MEMORY_LIMIT", 32 * 8 * 8 * 3)
    next(iter(kgen.data.load(photos, image_size=8, batch_size=4)))
    monkeypatch.setattr(examples, "MEMORY_LIMIT", 32 * 8 * 8 * 3 - 1)
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        next(iter(kgen.data.load(photos, image_size=8, batch_size=4)))


def test_arrays_beyond_the_memory_limit_stream_the_same_pixels(monkeypatch):
    held = stream(batches=4, batch_size=450)
    monkeypatch.setattr(examples, "MEMORY_LIMIT", 0)
    assert kgen.data.load("digits").element_spec.shape == (64, 8, 8, 1)
    assert np.array_equal(held, stream(batches=4, batch_size=450))


def test_a_bad_file_beyond_the_memory_limit_is_named(photos, monkeypatch):
    for index in range(0, 32, 2):
        path = photos / "train" / "a" / f"{index}.png"
        path.write_bytes(path.read_bytes()[:90])
    monkeypatch.setattr(examples, "MEMORY_LIMIT", 0)
    dataset = kgen.data.load(photos, image_size=8, channels=3, batch_size=4)
    sentence = r"^\S+/train/a/\d+.png: cannot be read as an image \(image file is truncated\)\.$"
    with pytest.raises(ValueError, match=sentence):
        list(dataset)
    with pytest.raises(ValueError, match=sentence):
        list(dataset.as_numpy_iterator())
    with pytest.raises(ValueError, match=sentence):
        list(dataset.starting_at(3))
    with pytest.raises(ValueError, match=sentence):
        list(kgen.data.in_order(photos, 8, split="train", channels=3))


def test_a_dataset_that_others_make_of_one_with_a_bad_file_names_it_first(photos, monkeypatch):
    path = photos / "train" / "a" / "0.png"
    path.write_bytes(path.read_bytes()[:90])
    monkeypatch.setattr(files, "HELD_FILES", 0)
    dataset = kgen.data.load(photos, image_size=8, channels=3, batch_size=4)
    with pytest.raises(tf.errors.OpError, match="a/0.png: cannot be read as an image"):
        list(dataset.map(lambda images: images))


def test_an_iterator_can_be_saved_and_restored(tmp_path):
    iterator = iter(kgen.data.load("digits", labels=True).repeat())
    for _ in range(30):
        next(iterator)
    saved = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "position"))
    expected = next(iterator)
    fresh = iter(kgen.data.load("digits", labels=True).repeat())
    tf.train.Checkpoint(iterator=fresh).restore(saved)
    assert np.array_equal(expected[0], next(fresh)[0])


def test_replicas_share_a_batch():
    dataset = kgen.data.load("digits").repeat()
    distributed = engine.mirrored(2).experimental_distribute_dataset(dataset)
    shards = [shard.numpy() for shard in next(iter(distributed)).values]
    assert [len(shard) for shard in shards] == [32, 32]
    np.testing.assert_array_equal(np.concatenate(shards), next(iter(kgen.data.load("digits"))))
