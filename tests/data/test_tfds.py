"""Sets of TensorFlow Datasets, written here with its own tools. Nothing is downloaded."""

import urllib.error
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

import kgen.data
from kgen.data import examples, files
from kgen.data import tfds as data_tfds


class KgenTinySquares(tfds.core.GeneratorBasedBuilder):
    """Images of one level, in three configurations."""

    VERSION = tfds.core.Version("1.2.3")
    BUILDER_CONFIGS = [  # noqa: RUF012
        tfds.core.BuilderConfig(name="plain"),
        tfds.core.BuilderConfig(name="whole"),
        tfds.core.BuilderConfig(name="parted"),
        tfds.core.BuilderConfig(name="numbered"),
    ]

    def _info(self):
        whole = self.builder_config.name == "whole"
        shape = (None, None, 3) if whole else (6, 8, 1)
        features = {"image": tfds.features.Image(shape=shape)}
        if self.builder_config.name == "plain":
            features["label"] = tfds.features.ClassLabel(num_classes=5)
        elif not whole:  # A number, which does not say how many there are.
            features["label"] = tfds.features.Scalar(np.int64)
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, manager):
        if self.builder_config.name == "whole":
            return {"train": self._generate_examples(0, 20)}
        if self.builder_config.name == "parted":
            return {
                "train": self._generate_examples(0, 20),
                "validation": self._generate_examples(50, 6),
            }
        return {"train": self._generate_examples(0, 20), "test": self._generate_examples(50, 6)}

    def _generate_examples(self, first, count):
        for level in range(first, first + count):
            if self.builder_config.name == "whole":
                yield level, {"image": np.full((6 + level % 3, 8, 3), level, np.uint8)}
            else:
                yield level, {"image": np.full((6, 8, 1), level, np.uint8), "label": level % 5}


class KgenTinyNumbers(tfds.core.GeneratorBasedBuilder):
    """A set without images."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.FeaturesDict({"number": tf.int64})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield 0, {"number": 0}


@pytest.fixture(scope="module", params=["tfrecord", "array_record"])
def prepared(request, tmp_path_factory):
    """A data directory with the set in one format."""
    folder = tmp_path_factory.mktemp(request.param)
    for config in ("plain", "whole", "parted", "numbered"):
        KgenTinySquares(
            config=config, data_dir=folder, file_format=request.param
        ).download_and_prepare()
    return folder


@pytest.fixture
def data_dir(prepared, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    return prepared


def levels(images):
    return np.rint((images.numpy()[:, 0, 0, 0] + 1) * 127.5).astype(int)


def test_a_prepared_set(data_dir):
    name = "tfds:kgen_tiny_squares/plain"
    stream = kgen.data.load(name, split="train+validation", batch_size=20, labels=True)
    assert stream.element_spec[0].shape == (20, 6, 8, 1)
    images, labels = next(iter(stream))
    assert sorted(levels(images)) == list(range(20))
    assert np.array_equal(levels(images) % 5, labels)
    images, labels = next(iter(kgen.data.load(name, split="test", batch_size=6, labels=True)))
    assert sorted(levels(images)) == list(range(50, 56))
    assert np.array_equal(levels(images) % 5, labels)
    fitted = kgen.data.load(name, image_size=4, channels=3, batch_size=2)
    assert kgen.data.image_shape(fitted) == (4, 4, 3)


@pytest.mark.parametrize("version", [":1.2.3", "/1.2.3"])
def test_a_version_may_be_named(data_dir, version):
    name = f"tfds:kgen_tiny_squares/plain{version}"
    images, labels = next(iter(kgen.data.load(name, split="test", batch_size=6, labels=True)))
    assert sorted(levels(images)) == list(range(50, 56))
    assert np.array_equal(levels(images) % 5, labels)


def test_sizes_that_differ_and_no_test_split(data_dir):
    name = "tfds:kgen_tiny_squares/whole"
    with pytest.raises(ValueError, match="image_size: .*kgen_tiny_squares/whole differ.*got None"):
        kgen.data.load(name)
    train, test = (
        set(levels(next(iter(kgen.data.load(name, image_size=6, split=split, batch_size=count)))))
        for split, count in (("train+validation", 18), ("test", 2))
    )
    assert len(train) == 18 and train | test == set(range(20))
    validation = kgen.data.load(name, image_size=6, split="validation", batch_size=2)
    assert set(levels(next(iter(validation)))) < train
    with pytest.raises(ValueError, match="labels: .*tfds:kgen_tiny_squares/whole has no labels"):
        kgen.data.load(name, image_size=6, labels=True)


def test_a_validation_split_of_its_own(data_dir):
    name = "tfds:kgen_tiny_squares/parted"
    parts = {
        split: sorted(levels(next(iter(kgen.data.in_order(name, split=split)))))
        for split in ("train", "validation", "test", "train+validation")
    }
    assert parts["validation"] == list(range(50, 56))
    assert len(parts["test"]) == 2 and sorted(parts["train"] + parts["test"]) == list(range(20))
    assert parts["train+validation"] == sorted(parts["train"] + parts["validation"])


@pytest.mark.parametrize("limit", [(examples, "MEMORY_LIMIT"), (files, "HELD_FILES")])
def test_sets_that_are_not_held(data_dir, monkeypatch, limit):
    arguments = {"labels": True, "batch_size": 6, "image_size": 6, "seed": 3}
    held = list(kgen.data.load("tfds:kgen_tiny_squares/plain", **arguments).repeat(2))
    monkeypatch.setattr(*limit, 0)
    if "tfrecord" in str(data_dir) and limit[1] == "MEMORY_LIMIT":
        with pytest.raises(ValueError, match=r"array_record.*download_and_prepare"):
            kgen.data.load("tfds:kgen_tiny_squares/plain", **arguments)
        return
    streamed = kgen.data.load("tfds:kgen_tiny_squares/plain", **arguments)
    for one, other in zip(held, streamed.repeat(2), strict=True):
        assert np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])


def test_without_a_network_one_sentence_says_so(tmp_path, monkeypatch):
    def unreachable(*arguments, **more):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    message = rf"tfds:mnist is not in the data directory \(looked for {tmp_path}.* downloaded"
    with pytest.raises(ValueError, match=message) as caught:
        kgen.data.load("tfds:mnist")
    assert "\n" not in str(caught.value) and "no route" in str(caught.value)
    assert not list(tmp_path.rglob("*.*"))  # nothing half done is left


def test_a_set_that_nobody_knows(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(ValueError, match="tfds:kgen_no_such is no set that TensorFlow") as caught:
        kgen.data.load("tfds:kgen_no_such")
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="tfds: is no such name"):
        kgen.data.load("tfds:")


def test_a_set_that_is_prepared_on_request(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert len(kgen.data.load("tfds:kgen_tiny_squares/plain", batch_size=5)) == 3
    assert list(tmp_path.rglob("*.array_record-*"))


def test_a_set_without_images(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(ValueError, match="expected a set with images .* tfds:kgen_tiny_numbers"):
        kgen.data.load("tfds:kgen_tiny_numbers")


def test_the_number_of_classes(data_dir, monkeypatch):
    monkeypatch.setattr(data_tfds, "open_image", None)  # Nothing is decoded.
    assert kgen.data.class_count("tfds:kgen_tiny_squares/plain") == 5
    with pytest.raises(ValueError, match="name_or_path: .* one class an image, got tfds:kgen_tiny"):
        kgen.data.class_count("tfds:kgen_tiny_squares/whole")
    assert kgen.data.class_count("tfds:kgen_tiny_squares/numbered") == 5
