"""Exported translation: images and files in, images and files out, by direction and with noise."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from PIL import Image

from kgen import GenerativeModel, Player
from kgen.data.decoding import decode_file
from kgen.serving import export, load
from tests.serving.translator import SHAPE, Translator


def images_of(shape=SHAPE, count=3):
    return np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype("float32")


def pixels_of(*shape):
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def encoded(pixels, suffix="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, suffix, **options)
    return file.getvalue()


def decoded(files):
    return [np.asarray(Image.open(io.BytesIO(file))).astype(int) for file in files]


def levels(images):
    return np.rint((images + 1.0) * 127.5)


@pytest.fixture(scope="module")
def forward(tmp_path_factory):
    """A model of one direction, which has been trained, and the path of its export."""
    model = Translator()
    model.compile("adam", run_eagerly=True)
    model.fit(images_of(count=4), batch_size=4, verbose=0)
    return model, export(model, tmp_path_factory.mktemp("forward"))


def test_one_direction(forward):
    model, path = forward
    served = load(path)
    forms = ["translate", "translate_bytes", "translate_uint8"]
    assert sorted(served) == ["serving_default", *forms]
    images = images_of()
    for name in ("serving_default", "translate"):
        found = served[name](images=images)["images"]
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, model.translate(images), atol=1e-5)
    # Files of the network's size, of another, and grey ones, which it sees in three channels.
    files = [encoded(pixels_of(*size)) for size in (SHAPE, (16, 24, 3), (30, 20, 3), (8, 12))]
    files.append(encoded(pixels_of(*SHAPE), "JPEG", quality=95))
    made = decoded(served["translate_bytes"](image_bytes=files)["image_bytes"])
    for file, found in zip(files, made, strict=True):
        read = decode_file(io.BytesIO(file), SHAPE)[None] / 127.5 - 1.0
        expected = levels(model.translate(read))[0]
        assert np.abs(found - expected).mean() < 0.6
        if len(file) == len(files[0]) or file is files[-1] or file is files[3]:
            assert np.abs(found - expected).max() <= 1


def test_grey_output_of_colour_input(tmp_path):
    model = Translator(channels=1)
    served = load(export(model, tmp_path))
    pixels = pixels_of(*SHAPE)
    (found,) = decoded(served["translate_bytes"](image_bytes=[encoded(pixels)])["image_bytes"])
    assert found.shape == SHAPE[:2]
    expected = levels(model.translate(pixels[None] / 127.5 - 1.0))[0, ..., 0]
    assert np.abs(found - expected).max() <= 1


def test_a_network_with_a_mask(tmp_path):
    model = Translator(shape=(8, 12, 4))
    served = load(export(model, tmp_path))
    pixels = pixels_of(8, 12, 4)
    pixels[..., 3] = np.where(pixels[..., 3] > 60, 255, 0)
    (found,) = decoded(served["translate_bytes"](image_bytes=[encoded(pixels)])["image_bytes"])
    known = pixels[..., 3:] > 0
    inputs = np.where(known, pixels[..., :3] / 127.5 - 1.0, 0.0)
    inputs = np.concatenate([inputs, np.where(known, 1.0, -1.0)], -1)[None]
    assert np.abs(found - levels(model.translate(inputs))[0]).max() <= 1
    with pytest.raises(ValueError, match="alpha channel"):
        served["translate_bytes"](image_bytes=[encoded(pixels[..., :3])])


def test_any_size(tmp_path):
    model = Translator(shape=(None, None, 3))
    served = load(export(model, tmp_path))
    images = images_of((5, 6, 3))
    np.testing.assert_allclose(
        served["translate"](images=images)["images"], model.translate(images), atol=1e-5
    )
    pixels = [pixels_of(5, 6, 3), pixels_of(9, 4, 3)]
    files = served["translate_bytes"](image_bytes=[encoded(each) for each in pixels])["image_bytes"]
    for each, found in zip(pixels, decoded(files), strict=True):
        expected = levels(model.translate(each[None] / 127.5 - 1.0))[0]
        assert found.shape == each.shape and np.abs(found - expected).max() <= 1


def test_directions(tmp_path):
    model = Translator(directions=("there", "back"))
    served = load(export(model, tmp_path))
    names = ["translate_back", "translate_there"]
    names += [f"{name}_{form}" for name in names for form in ("bytes", "uint8")]
    assert sorted(served) == sorted(["serving_default", *names])
    images, file = images_of(), encoded(pixels_of(*SHAPE))
    read = decode_file(io.BytesIO(file), SHAPE)[None] / 127.5 - 1.0
    for direction in ("there", "back"):
        found = served[f"translate_{direction}"](images=images)["images"]
        np.testing.assert_allclose(found, model.translate(images, direction), atol=1e-5)
        made = served[f"translate_{direction}_bytes"](image_bytes=[file])["image_bytes"]
        expected = levels(model.translate(read, direction))[0]
        assert np.abs(decoded(made)[0] - expected).max() <= 1
    default = served["serving_default"](images=images)["images"]
    np.testing.assert_allclose(default, model.translate(images, "there"), atol=1e-5)


@pytest.mark.parametrize("size", [SHAPE[:2], (None, None)])
def test_noise(size, tmp_path):
    model = Translator(shape=(*size, 3), noisy=True)
    served = load(export(model, tmp_path))
    names = [f"translate{n}{f}" for n in ("", "_noisy") for f in ("", "_bytes", "_uint8")]
    assert sorted(served) == sorted(["serving_default", *names])
    images = images_of()
    found = served["translate_noisy"](images=images, seed=7)["images"]
    np.testing.assert_allclose(found, model.translate(images, seed=7), atol=1e-5)
    assert not np.allclose(found, model.translate(images))
    pixels = pixels_of(2, *SHAPE)
    files = [encoded(each) for each in pixels]
    made = decoded(served["translate_noisy_bytes"](image_bytes=files, seed=7)["image_bytes"])
    # Images of sizes of their own are translated one by one.
    batch_size = 64 if None not in size else 1
    expected = model.translate(pixels / 127.5 - 1.0, seed=7, batch_size=batch_size)
    assert np.abs(np.stack(made) - levels(expected)).max() <= 1


def test_only_the_translating_network_is_exported(forward):
    model, path = forward
    reader = tf.train.load_checkpoint(f"{path}/variables/variables")
    saved = [key for key in reader.get_variable_to_shape_map() if "OBJECT_GRAPH" not in key]
    assert len(saved) == len(model.networks[0].weights) == 2


def test_bytes_that_are_no_image(forward):
    served = load(forward[1])
    with pytest.raises(ValueError, match="expected files of PNG"):
        served["translate_bytes"](image_bytes=[b"no image"])


# ---------------------------------------------------------------- labels


@keras.saving.register_keras_serializable("kgen_tests")
class Conditional(GenerativeModel):
    """Images of one level, that of their class and a little noise."""

    classes = 4

    def __init__(self, **kwargs):
        latents = keras.Input((2,))
        network = keras.Model(latents, layers.Dense(1, kernel_initializer="ones")(latents))
        super().__init__([Player("player", network, self.error)], **kwargs)
        self.network = network

    def error(self, images, training):
        return ops.mean(self.network(ops.zeros((1, 2))))

    def draw_latents(self, count, noise, labels=None):
        labels = ops.zeros((count,)) if labels is None else ops.cast(labels, "float32")
        return ops.stack([labels / 10.0, 0.01 * noise.normal((count,))], axis=1)

    def decode_step(self, latents):
        return ops.reshape(self.network(latents), (-1, 1, 1, 1))


def test_labels(tmp_path):
    model = Conditional()
    served = load(export(model, tmp_path))
    assert {"decode", "sample", "sample_uint8", "serving_default"} <= set(served)
    for labels, same in (([3, 0, 1], [3, 0, 1]), ([2], 2)):
        found = served["sample"](seed=5, count=3, labels=labels)["images"]
        np.testing.assert_allclose(found, model.sample(3, seed=5, labels=same), atol=1e-6)
    for wrong, message in (([4], "labels: expected integers from 0 to 3"), ([-1], "labels: ")):
        with pytest.raises(ValueError, match=message):
            served["sample"](seed=5, count=3, labels=wrong)
    with pytest.raises(ValueError, match="labels: expected one, or as many as images, 3, got 2"):
        served["sample"](seed=5, count=3, labels=[1, 2])
