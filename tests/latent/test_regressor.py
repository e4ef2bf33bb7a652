"""The latent regressor: the common checks, and an encoder that has learned something."""

import copy
import functools

import keras
import numpy as np
import pytest

from kgen import models, networks
from kgen.latent import LatentRegressor, invert
from kgen.testing import checks
from tests.callbacks.tiny import tiny_gan
from tests.latent.styled import styled
from tests.systems import CLASSES, SHAPE, SYSTEMS


def encoder(width, shape=SHAPE, units=16):
    images = keras.Input(shape)
    x = keras.layers.Dense(units, "tanh")(keras.layers.Flatten()(images))
    return keras.Model(images, keras.layers.Dense(width, dtype="float32")(x))


@functools.cache  # A regressor moves nothing of it.
def system(name):
    return styled(CLASSES) if name == "stylegan" else SYSTEMS[name].make()


def regressor(name="first_gan", width=4, **settings):
    return LatentRegressor(system(name), encoder(width), seed=0, **settings)


def test_the_common_checks():
    def make():
        gan = tiny_gan(latent_distribution="uniform")
        return LatentRegressor(gan, encoder(4), seed=0, image_weight=0.5)

    # Those that the generator inside might break; `fit` and its like are every system's.
    for check in (
        checks.check_config_round_trip,
        checks.check_every_variable_has_an_owner,
        checks.check_players_move_only_their_own,
        checks.check_evaluate_changes_nothing,
        checks.check_loaded_model_predicts_the_same,
    ):
        check(make, SYSTEMS["vae"].batch())


def test_losses_against_numpy():
    model = regressor(image_weight=0.5)
    images = SYSTEMS["vae"].images()
    latents = np.asarray(model.draw_latents(len(images), Twice(model)))
    decoded = model.model.decode(latents)
    of_latents = np.mean((model.encode(decoded) - latents) ** 2)
    of_images = np.mean((model.model.decode(model.encode(images)) - images) ** 2)
    model.noise = Twice(model)
    loss, components = model.encoder_loss(images, training=False)
    assert float(components["latents"]) == pytest.approx(of_latents, rel=1e-4)
    assert float(components["images"]) == pytest.approx(of_images, rel=1e-4)
    assert float(loss) == pytest.approx(of_latents + 0.5 * of_images, rel=1e-4)


class Twice:
    """Noise that is the same each time."""

    def __init__(self, model):
        self.width = model.model.generator.input_shape[1]

    def uniform(self, shape):
        return np.random.default_rng(0).random(shape).astype("float32")


def test_it_learns_to_give_latents_back_and_inversion_starts_there():
    keras.utils.set_random_seed(0)
    decoder = networks.dense_decoder((4, 4, 1), 2, units=8)
    vae = models.VAE(networks.dense_encoder((4, 4, 1), 2, units=8), decoder)
    model = LatentRegressor(vae, encoder(2, (4, 4, 1), units=32), seed=0)
    model.compile(keras.optimizers.Adam(1e-2))
    before = [np.asarray(weight) for weight in vae.weights]
    history = model.fit(np.zeros((3200, 4, 4, 1), "float32"), batch_size=64, epochs=3, verbose=0)
    for weight, value in zip(vae.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    assert history.history["loss"][-1] < 0.1 < history.history["loss"][0]
    latents = vae.latents(20, seed=5)
    images = vae.decode(latents)
    assert np.mean((model.encode(images) - latents) ** 2) < 0.1
    assert model.reconstruct(images).shape == images.shape
    settings = dict(steps=1, starts=1, learning_rate=1e-6)
    found = invert(vae, images, start=model.encoder, **settings)
    np.testing.assert_allclose(found.latents, model.encode(images), atol=1e-4)
    again = invert(vae, images, start=model, **settings)
    np.testing.assert_allclose(again.latents, found.latents, atol=1e-4)


def test_labels_are_left_out():
    for name in ("conditional_gan", "infogan"):
        labelled = system(name)
        width = labelled.latents(1, seed=0).shape[1]
        labels = sum(getattr(labelled, "categories", [labelled.classes]))
        model = LatentRegressor(labelled, encoder(width - labels), seed=0)
        images = SYSTEMS["vae"].images()
        model.compile(keras.optimizers.SGD(), run_eagerly=True)
        model.fit(images, batch_size=len(images), verbose=0)
        codes = model.encode(images)
        assert codes.shape == (len(images), width - labels)
        assert "reconstruct" not in model.abilities
        found = invert(labelled, images, start=model.encoder, labels=1, steps=1, starts=1)
        assert found.latents.shape == (len(images), width)
        latents = labelled.latents(3, seed=2)
        expected = np.asarray(model.expected(latents))
        first = width - labels - getattr(labelled, "continuous", 0)
        np.testing.assert_array_equal(expected[:, :first], latents[:, :first])
        np.testing.assert_array_equal(expected[:, first:], latents[:, first + labels :])


def test_styles():
    model = LatentRegressor(styled(CLASSES), encoder(4), seed=0, space="w")
    images = SYSTEMS["vae"].images()
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    model.fit(images, batch_size=len(images), verbose=0)
    config = keras.saving.serialize_keras_object(model)
    again = keras.saving.deserialize_keras_object(copy.deepcopy(config))
    assert keras.saving.serialize_keras_object(again) == config
    assert [v.shape for v in again.variables] == [v.shape for v in model.variables]
    styles = model.encode(images)
    assert styles.shape == (8, model.model.generator.layer_count, 4)
    made = model.model.synthesise(styles)
    np.testing.assert_allclose(model.reconstruct(images), made, atol=1e-5)
    found = invert(model.model, images, "w", start=model.encoder, steps=1, learning_rate=1e-6,
                   starts=1)  # fmt: skip
    np.testing.assert_allclose(found.latents, styles, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "width", "settings", "message"),
    [
        ("pix2pix", 4, {}, "`model` must be a kgen.GenerativeModel that can sample"),
        ("first_gan", 5, {}, r"`encoder` must be .* to latents \(4,\), received .*\(5,\)"),
        ("first_gan", 4, {"space": "w"}, r"`space` must be one of \['z'\], received 'w'"),
        ("first_gan", 4, {"image_weight": -1}, "`image_weight` must be a finite number at least 0"),
        ("stylegan", 4, {"image_weight": 1.0}, "`image_weight` must be 0: .* StyleGAN have labels"),
    ],
)
def test_refused(name, width, settings, message):
    with pytest.raises(ValueError, match=message):
        regressor(name, width, **settings)
