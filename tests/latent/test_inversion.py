"""Inversion: of a generator's own images, of classes, and what it depends on."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

import kgen.data
from kgen import models, networks
from kgen.latent import invert
from kgen.latent.descent import Descent
from kgen.latent.noise_maps import correlation
from kgen.latent.spaces import space_of
from kgen.latent.starts import starting_rows
from tests.latent.styled import styled
from tests.systems import CLASSES, SHAPE, SYSTEMS, dense_generator, smooth_critic


@functools.cache
def trained():
    """A small GAN that has learned from digits for some seconds."""
    keras.utils.set_random_seed(1)
    shape = (8, 8, 1)
    model = models.GAN(
        networks.dense_generator(shape, latent_dim=8, units=64),
        networks.dense_discriminator(shape, 32, 2, 0.0, 0.0),
        ema_momentum=0.9,
    )
    adam = {"learning_rate": 1e-3, "beta_1": 0.5}
    model.compile({"class_name": "Adam", "config": adam})
    model.fit(kgen.data.load("digits", batch_size=32), epochs=4, verbose=0)
    return model


@functools.cache  # No test changes one.
def untrained(name):
    keras.utils.set_random_seed(3 if name == "conditional_gan" else 0)
    model = SYSTEMS[name].make()
    if name == "conditional_gan":  # It makes much the same of all classes.
        model.generator.set_weights([3.0 * w for w in model.generator.get_weights()])
    return model


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_generators_own_images_are_found(seed):
    model = trained()
    images = model.sample(6, seed=100 + seed)
    found = invert(model, images, seed=seed)
    assert found.psnr.min() > 30.0, found.psnr
    np.testing.assert_allclose(model.decode(found.latents), found.images, atol=1e-5)
    errors = np.mean((np.float64(found.images) - images) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(found.psnr, 10.0 * np.log10(4.0 / errors), rtol=1e-6)
    assert found.history.shape == (6, 501) and (found.history[:, -1] < found.history[:, 0]).all()


def test_an_images_result_does_not_depend_on_the_others():
    model, settings = trained(), {"steps": 30, "starts": 3, "seed": 4, "exploration": 0.1}
    images = model.sample(5, seed=9)
    together = invert(model, images, **settings)
    again = invert(model, images, **settings)
    for name in ("latents", "images", "psnr", "history"):
        np.testing.assert_array_equal(getattr(together, name), getattr(again, name))
    backwards = invert(model, images[::-1], batch_size=4, **settings)
    np.testing.assert_allclose(backwards.latents[::-1], together.latents, atol=1e-2)
    alone = invert(model, images[2:3], **settings)
    np.testing.assert_allclose(alone.latents[0], together.latents[2], atol=1e-2)
    np.testing.assert_allclose(alone.psnr[0], together.psnr[2], atol=0.1)
    assert not np.allclose(invert(model, images, **{**settings, "seed": 5}).latents, again.latents)


def test_more_starts_are_never_worse():
    model = trained()
    images = model.sample(4, seed=11)
    losses = [invert(model, images, steps=40, starts=n).history[:, -1] for n in (1, 4)]
    assert (losses[1] <= losses[0] + 1e-6).all() and (losses[1] < losses[0]).any()


def test_nothing_of_the_model_changes():
    model = trained()
    before = [np.asarray(variable) for variable in model.variables]
    invert(model, model.sample(2, seed=0), steps=3, starts=1)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_starts_that_are_given():
    model = trained()
    latents = model.latents(3, seed=8)
    images = model.decode(latents)
    at_once = invert(model, images, steps=1, start=latents, learning_rate=1e-6)
    assert at_once.psnr.min() > 60.0
    np.testing.assert_allclose(at_once.latents, latents, atol=1e-4)
    # An encoder that says of every image what the first one's latents are.
    pixels = keras.Input((8, 8, 1))
    zeros = keras.layers.Dense(8, kernel_initializer="zeros", name="latents")
    encoder = keras.Model(pixels, zeros(keras.layers.Flatten()(pixels)))
    encoder.get_layer("latents").bias.assign(latents[0])
    settings = dict(steps=1, starts=1, learning_rate=1e-6)
    found = invert(model, images, start=encoder, **settings)
    np.testing.assert_allclose(found.latents, np.stack([latents[0]] * 3), atol=1e-4)


def test_features_and_images_of_another_size_than_theirs():
    """Without pixels: images whose features are alike, and the loss is that of features."""
    model = trained()
    images = model.sample(2, seed=5)
    settings = dict(steps=80, pixel_weight=0.0, feature_weight=1.0, prior_weight=0.0)
    found = invert(model, images, **settings)
    features = kgen.metrics.extractor("random")
    ours, theirs = features(found.images), features(images)
    errors = np.mean((ours - theirs) ** 2, axis=1) / np.mean(theirs**2, axis=1)
    np.testing.assert_allclose(found.history[:, -1], errors, rtol=1e-2, atol=1e-6)
    assert (found.history[:, -1] < 0.5 * found.history[:, 0]).all()


@pytest.mark.parametrize("labels", [2, [0, 2, 1], None])
def test_the_class_is_given_or_found(labels):
    model = untrained("conditional_gan")
    own = [0, 2, 1] if labels is None else labels
    images = model.sample(3, seed=1, labels=own)
    found = invert(model, images, labels=labels, steps=200, starts=2)
    assert found.psnr.min() > 30.0
    np.testing.assert_array_equal(found.latents[:, -CLASSES:].sum(axis=1), np.ones(3))
    classes = found.latents[:, -CLASSES:].argmax(axis=1)
    np.testing.assert_array_equal(classes, np.broadcast_to(own, (3,)))


def test_all_codes_of_an_infogan_are_tried():
    model = untrained("infogan")  # Categories of 3 and of 2 values.
    images = model.sample(2, seed=1)
    rows = starting_rows(model, space_of(model, "z", 0), images, 2, None, None, 0)
    assert rows.shape == (2, 3 * 2 * 2, 4 + 3 + 2 + 1)
    codes = rows[0, :, 4:9]
    assert len(np.unique(codes, axis=0)) == 6 and (codes.sum(axis=1) == 2.0).all()
    given = starting_rows(model, space_of(model, "z", 0), images, 2, None, [2, 0], 0)
    assert given.shape[1] == 2 * 2
    assert (given[0, :, 4:7].argmax(axis=1) == 2).all() and (given[1, :, 4] == 1.0).all()


def test_labels_of_a_start():
    model = untrained("conditional_gan")
    images = model.sample(3, seed=1)
    latents = model.latents(3, seed=6, labels=[2, 0, 1])
    found = invert(model, images, start=latents, steps=2, starts=2)
    np.testing.assert_array_equal(found.latents[:, -CLASSES:], latents[:, -CLASSES:])
    width = latents.shape[1] - CLASSES
    settings = dict(steps=1, starts=1, learning_rate=1e-6)
    found = invert(model, images, start=latents[:, :width], labels=1, **settings)
    np.testing.assert_allclose(found.latents[:, :width], latents[:, :width], atol=1e-4)
    assert (found.latents[:, -CLASSES:].argmax(axis=1) == 1).all()


def test_uniform_latents_stay_within_their_limits():
    model = untrained("first_gan")
    found = invert(model, np.ones((2, *SHAPE), "float32"), steps=50, learning_rate=0.5)
    assert np.abs(found.latents).max() == 1.0


@pytest.mark.parametrize("space", ["w", "w+"])
def test_styles(space):
    model = styled(CLASSES)
    images = model.sample(2, seed=3, labels=1)
    found = invert(model, images, space, steps=80, starts=2, prior_weight=0.0)
    layers = model.generator.layer_count
    assert found.latents.shape == (2, layers, 4)
    assert (np.ptp(found.latents, axis=1).max() < 1e-6) == (space == "w")
    made = model.synthesise(found.latents)
    np.testing.assert_allclose(np.clip(made, -1.0, 1.0), found.images, atol=1e-5)
    assert found.psnr.min() > 25.0  # Untrained, it makes much the same of many styles.


def test_noise_maps_are_found_and_stay_noise():
    model = styled(noise=0.5)
    styles = model.map(model.latents(2, seed=3))
    images = np.clip(model.synthesise(styles, noise=5), -1.0, 1.0)
    settings = dict(space="w", steps=40, starts=1, prior_weight=0.0)
    without = invert(model, images, **settings)
    found = invert(model, images, noise_weight=1e-3, **settings)
    assert without.noise is None and (found.psnr > without.psnr + 3.0).all()
    made = model.synthesise(found.latents, noise=found.noise)
    np.testing.assert_allclose(np.clip(made, -1.0, 1.0), found.images, atol=1e-5)
    for maps in found.noise:
        np.testing.assert_allclose(maps.mean(axis=(1, 2, 3)), 0.0, atol=1e-3)
        np.testing.assert_allclose(maps.var(axis=(1, 2, 3)), 1.0, atol=1e-2)
    regular = invert(model, images, noise_weight=1e5, **settings)
    assert (correlation(regular.noise) < 0.1 * correlation(found.noise)).numpy().all()


def test_the_correlation_of_maps():
    """By hand: of a map alone up to 8 x 8, and of its halves above."""
    noise = np.random.default_rng(0).normal(size=(3, 16, 16, 1)).astype("float32")

    def of_one(x):
        return sum(np.mean(x * np.roll(x, 1, axis=axis), axis=(1, 2, 3)) ** 2 for axis in (1, 2))

    half = noise.reshape(3, 8, 2, 8, 2, 1).mean(axis=(2, 4)) * 2.0
    np.testing.assert_allclose(correlation([half]), of_one(half), rtol=1e-4)
    expected = of_one(noise) + of_one(half) + of_one(half)
    np.testing.assert_allclose(correlation([noise, half]), expected, rtol=1e-4)
    flat = np.ones((1, 8, 8, 1), "float32")
    assert float(correlation([flat])[0]) == 2.0


def test_unlikely_latents_cost():
    """Held by a large weight they come to the shell where draws lie; without one they are free."""
    model, images = trained(), trained().sample(2, seed=4)
    start = np.full((2, 8), 4.0, "float32")
    held = invert(model, images, prior_weight=100.0, steps=200, starts=1, start=start)
    np.testing.assert_allclose(np.linalg.norm(held.latents, axis=1), 7.0**0.5, rtol=0.02)
    free = invert(model, images, prior_weight=0.0, steps=5, starts=1, start=start)
    np.testing.assert_allclose(free.history[:, -1], 4.0 * 10.0 ** (-free.psnr / 10.0), rtol=1e-3)


def test_exploration_moves_what_is_searched_and_no_label():
    model = untrained("conditional_gan")
    images = model.sample(2, seed=1)
    settings = dict(steps=4, starts=1, labels=1, seed=0)
    still, explored = (invert(model, images, exploration=x, **settings) for x in (0.0, 2.0))
    assert (np.abs(explored.history[:, :2] - still.history[:, :2]) > 1e-6).any()
    assert (explored.latents[:, -CLASSES:] == np.eye(CLASSES)[1]).all()


def test_a_start_whose_loss_is_no_number_is_not_kept():
    model = trained()
    images, start = model.sample(1, seed=0), np.full((1, 8), 1e30, "float32")
    found = invert(model, images, steps=3, starts=2, start=start)
    assert np.isfinite(found.history).all() and np.isfinite(found.psnr).all()
    with pytest.raises(ValueError, match="`model` gives no finite image of any start"):
        invert(model, images, steps=3, starts=1, start=start)


def test_half_precision_is_not_that_of_the_search():
    """In float16 most of these steps would round to nothing."""
    found = []
    for policy in ("float32", "mixed_float16"):
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        model = models.GAN(dense_generator(), smooth_critic())
        # Untrained, it makes much the same of all latents.
        model.generator.set_weights([3.0 * w for w in model.generator.get_weights()])
        images = np.float32(model.sample(2, seed=0))
        found.append(invert(model, images, steps=60, starts=1, seed=1, prior_weight=0.0))
    assert found[1].images.dtype == np.float32
    assert (found[0].history[:, -1] < 0.9 * found[0].history[:, 0]).all()
    np.testing.assert_allclose(found[1].history, found[0].history, rtol=1e-2)


def test_adam_and_its_schedule():
    """Against Adam by hand, on the squares of rows less their images, without noise."""
    descent = Descent(steps=40, learning_rate=0.1, exploration=0.0, seed=0)

    class Everywhere:
        free = explored = np.full(3, True)
        limit = np.full(3, np.inf, "float32")

        settled = staticmethod(lambda rows: rows)

    rows = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    images = np.zeros((2, 3), "float32")
    found, history = descent.run(
        lambda rows, images: ops.sum(ops.square(rows - images), axis=1), rows, images, Everywhere, 2
    )
    x, mean, square = np.float64(rows), 0.0, 0.0
    for t in range(41):
        np.testing.assert_allclose(history[:, t], np.sum(x**2, axis=1), rtol=1e-4, atol=1e-6)
        rate = 0.1 * min(1.0, (t + 1) / 2.0)
        if t > 30:
            rate *= 0.5 - 0.5 * np.cos(np.pi * (40 - t) / 10.0)
        mean, square = 0.9 * mean + 0.1 * 2.0 * x, 0.999 * square + 0.001 * 4.0 * x**2
        x = x - rate * (mean / (1 - 0.9 ** (t + 1))) / np.sqrt(square / (1 - 0.999 ** (t + 1)))
    np.testing.assert_allclose(found, x, atol=1e-4)
    assert descent._schedule(40)[1] == 0.0 and descent._schedule(0)[2] == 0.0
    noises = [Descent(40, 0.1, 0.2, 0)._schedule(t)[2] for t in (0, 15, 30, 39)]
    np.testing.assert_allclose(noises, [0.2, 0.05, 0.0, 0.0], atol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((2, 4, 4, 1))}, r"`images` must be an array of rows .* \(8, 8, 1\)"),
        ({"images": np.zeros((2, 8, 8, 1), np.uint8)}, "`images` must be floats"),
        ({"images": np.full((2, 8, 8, 1), 200.0)}, r"`images` must be in \[-1, 1\]"),
        ({"images": np.full((2, 8, 8, 1), np.nan)}, "`images` must be numbers in .* NaN"),
        ({"images": np.zeros((2, 8, 8, 1), complex)}, "`images` must be floats"),
        ({"space": "w"}, "space='w' needs a StyleGAN"),
        ({"noise_weight": 1.0}, "`noise_weight` must be None: .* received space='z' of a GAN"),
        ({"start": "encoder"}, "`start` must be latents or a network, received 'encoder'"),
        ({"steps": 0}, "`steps` must be an integer of at least 1"),
        ({"starts": 0}, "`starts` must be an integer of at least 1"),
        ({"start": np.zeros((3, 8))}, "`start` must have a row for each of the 2"),
        ({"start": np.full((2, 8), np.nan)}, "`start` must be finite"),
        ({"start": np.zeros((2, 7))}, r"`start` must be an array of rows of the shape \(8,\)"),
        ({"labels": 1}, "`labels` must be None: the latents of this space have none"),
        ({"learning_rate": 0.0}, "`learning_rate` must be a finite number above 0"),
        ({"pixel_weight": -1.0}, "`pixel_weight` must be a finite number at least 0"),
        ({"pixel_weight": 0.0}, "`pixel_weight` or `feature_weight` must be above 0"),
        ({"feature_weight": 1.0, "extractor": "vgg"}, "`extractor` must be one of"),
        ({"prior_weight": np.nan}, "`prior_weight` must be a finite number"),
        ({"exploration": -0.1}, "`exploration` must be a finite number"),
        ({"seed": -1}, "`seed` must be an integer of at least 0"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        invert(trained(), **{"images": np.zeros((2, 8, 8, 1), "float32"), **arguments})


def test_refused_labels_and_networks():
    model = untrained("conditional_gan")
    images = np.zeros((2, *SHAPE), "float32")
    for labels in (3, [0, 1, 2], 0.5, [-1, 0]):
        with pytest.raises(ValueError, match="`labels` must be an integer from 0 to 2, or 2 of"):
            invert(model, images, labels=labels)
    with pytest.raises(ValueError, match="`labels` must be None: `start` has labels"):
        invert(model, images, start=model.latents(2, seed=0), labels=1)
    encoder = networks.dense_encoder(SHAPE, latent_dim=4, units=4)
    with pytest.raises(ValueError, match="`start` must be a network from images to one tensor"):
        invert(model, images, start=encoder)
    with pytest.raises(ValueError, match="`extractor` must be a name or a keras.Model"):
        invert(model, images, feature_weight=1.0, extractor=Blind())


class Blind:
    """An extractor through which no gradient flows."""

    name, hash = "blind", "0"

    def __call__(self, images):
        return np.zeros((len(images), 1))

    def resizer(self, image_shape):
        return "none"
