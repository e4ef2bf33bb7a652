"""The conditional VAE: its likelihood where it is known, and how labels come in."""

import keras
import numpy as np
import pytest
import scipy.stats
from keras import ops

import kgen.data
from kgen import models, networks
from tests.systems import CLASSES, SHAPE, SYSTEMS

IMAGES, LABELS = SYSTEMS["conditional_vae"].batch()


def made():
    keras.utils.set_random_seed(0)
    return SYSTEMS["conditional_vae"].make()


def linear_gaussian(classes=3, size=4, scale=0.5):
    """Images w z + offset of the class + scale * noise, |w| = 1, with the exact posterior."""
    rng = np.random.default_rng(0)
    loadings = rng.normal(size=(1, size))
    loadings /= np.linalg.norm(loadings)
    offsets = rng.normal(size=(classes, size))
    variance = 1.0 / (1.0 + 1.0 / scale**2)

    latents, labels = keras.Input((1,)), keras.Input((classes,))
    mean = keras.layers.Dense(size, name="mean")(keras.layers.Concatenate()([latents, labels]))
    log_scale = keras.layers.Lambda(lambda x: 0.0 * x + np.log(scale))(mean)
    both = [keras.layers.Reshape((size, 1, 1))(x) for x in (mean, log_scale)]
    decoder = keras.Model([latents, labels], keras.layers.Concatenate()(both))
    decoder.get_layer("mean").set_weights([np.vstack([loadings, offsets]), np.zeros(size)])

    images, labels = keras.Input((size, 1, 1)), keras.Input((classes,))
    flat = keras.layers.Concatenate()([keras.layers.Flatten()(images), labels])
    mean = keras.layers.Dense(1, use_bias=False, name="posterior")(flat)
    log_variance = keras.layers.Lambda(lambda x: 0.0 * x + np.log(variance))(mean)
    encoder = keras.Model([images, labels], [mean, log_variance])
    gain = variance / scale**2 * np.vstack([loadings.T, -offsets @ loadings.T])
    encoder.get_layer("posterior").set_weights([gain])

    covariance = loadings.T @ loadings + scale**2 * np.eye(size)
    densities = [scipy.stats.multivariate_normal(offset, covariance) for offset in offsets]
    return models.VAE(encoder, decoder, likelihood="gaussian", seed=0), densities


def test_log_prob_is_that_of_the_image_given_its_label():
    model, densities = linear_gaussian()
    x = 0.3 * densities[1].rvs(5, random_state=0).astype("float32")  # In [-1, 1].
    for label, density in enumerate(densities):
        found = model.log_prob(x.reshape(5, 4, 1, 1), samples=3, labels=label)
        np.testing.assert_allclose(found, density.logpdf(x), rtol=1e-4)


def test_the_bound_is_given_the_labels_of_the_batch():
    """Under the exact posterior it is log p(image | label) in expectation."""
    model, densities = linear_gaussian()
    x = np.concatenate([d.rvs(500, random_state=i) for i, d in enumerate(densities)])
    labels = np.repeat(np.arange(3), 500)
    expected = np.mean([d.logpdf(x[labels == i]).mean() for i, d in enumerate(densities)])
    images = ops.convert_to_tensor(x.astype("float32").reshape(-1, 4, 1, 1))
    data = model.prepare((images, labels), training=False)
    loss, _ = model.negative_bound(data, training=False)
    assert float(loss) == pytest.approx(-expected, abs=0.05)


def test_latents_end_with_the_label_that_images_are_decoded_with():
    model = made()
    assert model.classes == CLASSES and model.image_shape == SHAPE
    codes = model.encode(IMAGES, labels=LABELS)
    np.testing.assert_array_equal(codes[:, 3:], np.eye(CLASSES)[LABELS])
    decoded = model.reconstruct(IMAGES, labels=LABELS)
    np.testing.assert_allclose(model.decode(codes), decoded, atol=1e-6)
    for called in (model([IMAGES, LABELS]), model.predict([IMAGES, LABELS], verbose=0)):
        np.testing.assert_allclose(called, decoded, atol=1e-6)
    # The same in another class.
    codes[:, 3:] = np.eye(CLASSES)[0]
    moved = np.abs(model.decode(codes) - decoded).max(axis=(1, 2, 3))
    assert np.all(moved[LABELS == 0] < 1e-6) and np.all(moved[LABELS != 0] > 1e-5)
    np.testing.assert_array_equal(
        model.encode(IMAGES, labels=2), model.encode(IMAGES, labels=np.full(8, 2))
    )


def test_a_class_is_what_its_label_says():
    """Images that are all light or all dark by their labels: labels decide of samples, too."""
    keras.utils.set_random_seed(0)
    model = models.VAE(
        networks.dense_encoder(SHAPE, 2, 8, classes=2),
        networks.dense_decoder(SHAPE, 2, 8, classes=2),
    )
    model.compile(keras.optimizers.Adam(3e-2))
    labels = np.arange(256) % 2
    images = np.where(labels, 0.8, -0.8)[:, None, None, None] * np.ones(SHAPE)
    history = model.fit(images.astype("float32"), labels, epochs=8, verbose=0).history
    assert {"loss", "reconstruction", "kl"} <= set(history)
    means = model.sample(40, seed=0, labels=np.arange(40) % 2).mean(axis=(1, 2, 3))
    assert np.all((means[::2] < 0.0) & (means[1::2] > 0.0))


def test_labels_that_are_refused():
    model = models.VAE(
        networks.dense_encoder(SHAPE, 3, hidden_layers=0, classes=CLASSES),
        networks.dense_decoder(SHAPE, 3, hidden_layers=0, classes=CLASSES),
    )
    model.compile("sgd")
    with pytest.raises(ValueError, match="`labels` must be given: this VAE encodes"):
        model.log_prob(IMAGES)
    with pytest.raises(ValueError, match="`labels` must be an integer from 0 to 2"):
        model.encode(IMAGES, labels=3)
    with pytest.raises(ValueError, match="`labels` must be None: this VAE encodes images alone"):
        models.VAE(
            networks.dense_encoder(SHAPE, 3, hidden_layers=0),
            networks.dense_decoder(SHAPE, 3, hidden_layers=0),
        ).encode(IMAGES, labels=0)
    with pytest.raises(ValueError, match="labels or targets"):
        model.fit(IMAGES, verbose=0)
    with pytest.raises(ValueError, match="Labels must be integers from 0 to 2"):
        model.fit(IMAGES, LABELS + 1, verbose=0)
    with pytest.raises(ValueError, match=r"predict\(\): Labels must be integers from 0 to 2"):
        model.predict([IMAGES, LABELS + 1], verbose=0)
    stream = kgen.data.from_arrays(IMAGES, LABELS + 1, batch_size=8)
    before = model.get_weights()
    with pytest.raises(ValueError, match="^Labels must be integers from 0 to 2"):
        model.fit(stream, verbose=0)
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)


@pytest.mark.parametrize("classes", [(3, None), (None, 3), (3, 4)])
def test_networks_that_do_not_know_the_same_labels(classes):
    encoder = networks.dense_encoder(SHAPE, 3, 8, classes=classes[0])
    decoder = networks.dense_decoder(SHAPE, 3, 8, classes=classes[1])
    with pytest.raises(ValueError, match="must both take one-hot labels"):
        models.VAE(encoder, decoder)
