"""Extractors: one protocol, hashes that tell networks apart, no trace in the process."""

import importlib
import random

import keras
import numpy as np
import pytest
from keras.src.random.seed_generator import global_seed_generator
from tensorflow.python.eager.polymorphic_function import eager_function_run

import kgen.data
from kgen.metrics import Extractor, extractor
from kgen.metrics.cache import cache_folder
from kgen.metrics.extractors.digits import digits
from kgen.metrics.extractors.extractor import hash_of
from kgen.metrics.extractors.random_convolution import random_convolution

digits_module = importlib.import_module("kgen.metrics.extractors.digits")
IMAGES = np.random.default_rng(0).uniform(-1.0, 1.0, (5, 8, 8, 1)).astype("float32")


def network(shape=(8, 8, 1), activation="tanh", seed=0):
    images = keras.Input(shape)
    kernel = keras.initializers.GlorotUniform(seed=seed)
    x = keras.layers.Conv2D(2, 3, activation=activation, kernel_initializer=kernel)(images)
    return keras.Model(images, x)


def random_states():
    """Python's, NumPy's and Keras' random states."""
    of_keras = np.asarray(global_seed_generator().state).tolist()  # May be made, by a draw, now.
    numpy = [np.asarray(part).tolist() for part in np.random.get_state()[1:]]
    return random.getstate(), numpy, of_keras


def test_a_keras_model_gives_its_outputs_as_rows():
    model = network()
    features = extractor(model)(IMAGES)
    assert features.shape == (5, 6 * 6 * 2) and features.dtype == np.float32
    np.testing.assert_allclose(features, model.predict(IMAGES, verbose=0).reshape(5, -1), 1e-6)


def test_batches_make_no_difference():
    model = network()
    whole, parts = Extractor(model), Extractor(model, batch_size=2)
    np.testing.assert_allclose(whole(IMAGES), parts(IMAGES), atol=1e-6)


def test_the_hash_is_of_architecture_and_weights_and_not_of_names():
    same = hash_of(network())
    assert hash_of(network()) == same
    assert hash_of(network(activation="relu")) != same
    assert hash_of(network(seed=1)) != same
    changed = network()
    changed.layers[1].kernel.assign_add(np.full(changed.layers[1].kernel.shape, 1e-7))
    assert hash_of(changed) != same


def test_images_of_another_size_are_resized_and_the_card_says_so():
    found = extractor(network())
    assert found.resizer((8, 8, 1)) == "none"
    assert found.resizer((16, 12, 1)) == "bicubic, antialiased"
    # What a size change must keep: a constant image.
    flat = np.full((2, 16, 12, 1), 0.25, "float32")
    np.testing.assert_allclose(found(flat), found(flat[:, :8, :8]), atol=1e-5)
    # And what antialiasing is for: the finest stripes average out, the border apart.
    stripes = np.tile([[-1.0], [1.0]], (1, 16, 16, 1)).reshape(1, 32, 16, 1).astype("float32")
    assert np.abs(found._fitted(stripes)[:, :, 2:-2]).max() < 0.01


def test_grey_and_colour_meet():
    to_grey, to_colour = extractor(network()), extractor(network((8, 8, 3)))
    colour = np.repeat(IMAGES, 3, axis=-1)
    np.testing.assert_allclose(to_grey(colour), to_grey(IMAGES), atol=1e-5)
    np.testing.assert_allclose(to_colour(IMAGES), to_colour(colour), atol=1e-6)
    red = np.zeros((1, 8, 8, 3), "float32")
    red[..., 0] = 1.0
    np.testing.assert_allclose(to_grey(red), to_grey(np.full((1, 8, 8, 1), 0.299)), atol=1e-6)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[0], r"shape \(n, height, width"),
        ((255 * IMAGES).astype("uint8"), r"floats in \[-1, 1\], received uint8"),
        (3.0 * IMAGES, r"lie in \[-1, 1\]"),
        (np.full((1, 8, 8, 1), np.nan), r"lie in \[-1, 1\]"),
        (np.zeros((0, 8, 8, 1)), "at least 1"),
    ],
    ids=["one image", "bytes", "range", "nan", "none"],
)
def test_bad_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        extractor(network())(images)


@pytest.mark.parametrize("given", ["vgg", 3, keras.layers.Dense(3)], ids=str)
def test_what_is_no_extractor_is_refused(given):
    with pytest.raises(ValueError, match="`extractor` must be one of"):
        extractor(given)


def test_a_network_of_something_else_is_refused():
    points = keras.Input((2,))
    with pytest.raises(ValueError, match="built keras.Model of images"):
        extractor(keras.Model(points, keras.layers.Dense(3)(points)))


def test_a_function_that_follows_the_protocol_is_taken_as_it_is():
    class Means:
        name, hash = "means", "0"

        def resizer(self, image_shape):
            return "none"

        def __call__(self, images):
            return images.mean(axis=(1, 2))

    means = Means()
    assert extractor(means) is means


def test_random_features_are_those_of_their_seed():
    first, again, other = (random_convolution(seed) for seed in (0, 0, 1))
    assert first.hash == again.hash != other.hash
    np.testing.assert_array_equal(first(IMAGES), again(IMAGES))
    assert first(IMAGES).shape == (5, 224)
    assert np.linalg.matrix_rank(first(IMAGES)) == 5


@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_func")
def test_making_the_classifier_of_digits_leaves_no_trace(monkeypatch, tmp_path):
    """Trained under another policy, in the middle of a process with states of its own."""
    monkeypatch.setenv("KGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(digits_module, "EPOCHS", 1)
    # Its few steps, and what reads it, are played before they would be traced.
    monkeypatch.setattr(eager_function_run, "RUN_FUNCTIONS_EAGERLY", True)
    load = kgen.data.load

    def few(data, labels, augmentations, split):
        stream = load(data, labels=labels, batch_size=128, split=split)
        arrays = next(iter(stream.as_numpy_iterator()))
        return kgen.data.from_arrays(*arrays, batch_size=64, augmentations=augmentations)

    monkeypatch.setattr(kgen.data, "load", few)
    digits.cache_clear()
    before = random_states()
    keras.config.set_dtype_policy("mixed_bfloat16")
    found = extractor("digits")
    assert random_states() == before
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert found.network.compute_dtype == "float32"

    # The second time it is read, and the same; a damaged file is made again.
    (path,) = tmp_path.iterdir()
    written = path.stat().st_ino
    digits.cache_clear()
    assert extractor("digits").hash == found.hash and path.stat().st_ino == written
    path.write_bytes(path.read_bytes()[:1000])
    digits.cache_clear()
    assert extractor("digits").hash == found.hash and path.stat().st_size > 1000
    digits.cache_clear()


def test_the_classifier_of_digits_knows_digits():
    found = extractor("digits")
    data = kgen.data.in_order("mnist5k", labels=True)
    images, labels = (np.concatenate(part) for part in zip(*data.as_numpy_iterator(), strict=True))
    assert np.mean(np.argmax(found.probabilities(images), axis=1) == labels) > 0.98
    features = found(images)
    assert features.shape == (1000, 64)
    assert np.linalg.matrix_rank(np.cov(features.T)) == 64


def test_inception_without_a_network_says_so(monkeypatch):
    def fail(**kwargs):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    with pytest.raises(ValueError, match=r"extractor='inception' needs the weights.*URL fetch"):
        extractor("inception")


def small_inception(weights):
    """What is asked of the real one: images as its, and a layer that is called as its pooling."""
    images = keras.Input((299, 299, 3))
    x = keras.layers.Conv2D(2048, 3, strides=99, activation="relu")(images)
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(images, keras.layers.Dense(1000, activation="softmax")(x))


def real_inception(weights, make=keras.applications.InceptionV3):
    return make(weights=None)


# The real one is 90 convolutions.
@pytest.mark.parametrize(
    "network", [small_inception, pytest.param(real_inception, marks=pytest.mark.slow)]
)
def test_inception_gives_pooled_features_and_classes(monkeypatch, network):
    monkeypatch.setattr(keras.applications, "InceptionV3", network)
    from kgen.metrics.extractors.inception import inception

    inception.cache_clear()
    found = extractor("inception")
    assert found(IMAGES[:1]).shape == (1, 2048)
    np.testing.assert_allclose(found.probabilities(IMAGES[:1]).sum(), 1.0, rtol=1e-5)
    inception.cache_clear()


def test_the_cache_folder_is_that_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("KGEN_CACHE", str(tmp_path / "a"))
    assert cache_folder() == tmp_path / "a"
