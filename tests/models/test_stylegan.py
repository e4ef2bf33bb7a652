"""StyleGAN: mixing, the mean style, truncation, and what its methods promise."""

import keras
import numpy as np
import pytest

import kgen.serving
from kgen.models import StyleGAN
from kgen.networks import ProgressiveDiscriminator, ProgressiveGenerator, StyleGenerator

SHAPE = (8, 8, 1)  # Three stages, six layers.
IMAGES = np.random.default_rng(0).uniform(-1, 1, (16, *SHAPE)).astype("float32")


def stylegan(classes=None, **arguments):
    keras.utils.set_random_seed(0)
    model = StyleGAN(
        StyleGenerator(SHAPE, 4, 3, filters=2, max_filters=4, mapping_depth=2, classes=classes),
        ProgressiveDiscriminator(SHAPE, filters=2, max_filters=4, classes=classes, blur=True),
        seed=0,
        **{"progressive": False, "ema_momentum": None, **arguments},
    )
    # What starts at 0, or near it, would hide what depends on it.
    for variable in model.generator.trainable_variables:
        if variable.name == "strength":
            variable.assign(np.full(variable.shape, 0.5))
    model.generator.mean_style.assign([0.3, -0.2, 0.1])
    return model


@pytest.fixture(scope="module")
def model():
    return stylegan()


def test_sample_is_map_and_synthesise(model):
    latents = model.latents(5, seed=1)
    styles = model.map(latents)
    assert styles.shape == (5, 6, 3)
    np.testing.assert_array_equal(styles, np.repeat(styles[:, :1], 6, axis=1))
    images = model.sample(5, seed=1)
    np.testing.assert_array_equal(model.synthesise(styles), images)
    np.testing.assert_allclose(model.sample(5, seed=1, batch_size=2), images, atol=1e-5)
    np.testing.assert_allclose(model.predict(latents, verbose=0), images, atol=1e-5)


def test_truncation(model):
    latents, mean = model.latents(4, seed=1), np.array([0.3, -0.2, 0.1])
    styles = model.map(latents)
    for psi in (0.7, 0.0, -1.0):
        np.testing.assert_allclose(
            model.map(latents, psi=psi), mean + psi * (styles - mean), atol=1e-6
        )
    only_first = model.map(latents, psi=0.5, cutoff=2)
    np.testing.assert_allclose(only_first[:, 2:], styles[:, 2:], atol=1e-5)
    np.testing.assert_allclose(only_first[:, :2], model.map(latents, psi=0.5)[:, :2])
    np.testing.assert_array_equal(
        model.sample(4, seed=1, psi=0.5, cutoff=2), model.synthesise(only_first)
    )
    average = model.sample(4, seed=1, psi=0.0)
    np.testing.assert_allclose(average, average[:1].repeat(4, 0), atol=1e-5)


def test_mix_takes_layers_of_the_other(model):
    mixed = model.mix([0, 1], [2, 3, 4], layers=range(2, 6))
    assert mixed.shape == (2, 3, *SHAPE)
    styles = model.map(model.latents(1, seed=1))
    styles[:, 2:] = model.map(model.latents(1, seed=4))[:, 2:]
    np.testing.assert_allclose(mixed[1, 2], model.synthesise(styles)[0], atol=1e-5)
    np.testing.assert_allclose(
        model.mix([0, 1], [2], layers=[])[:, 0],
        [model.sample(1, seed=seed)[0] for seed in (0, 1)],
        atol=1e-5,
    )
    np.testing.assert_allclose(model.mix([0], [2], range(6))[0], model.sample(1, seed=2), atol=1e-5)


def test_noise_fixed_off_and_of_a_seed(model):
    styles = np.repeat(model.map(model.latents(1, seed=1)), 3, axis=0)
    fixed, off, one, two = (model.synthesise(styles, noise) for noise in ("fixed", "off", 1, 2))
    for images in (fixed, off):
        np.testing.assert_allclose(images, images[:1].repeat(3, 0), atol=1e-5)
    assert not np.allclose(fixed, off)
    assert not np.allclose(one, two) and not np.allclose(one[0], one[1])
    np.testing.assert_array_equal(one, model.synthesise(styles, 1))
    parts = model.synthesise(styles, 1, batch_size=1)
    assert not np.allclose(parts[0], parts[1])


def test_a_seed_s_noise_has_nothing_in_common_with_its_latents(monkeypatch):
    model = stylegan()
    latents = model.latents(50, seed=7)

    def all_maps(styles, noises):
        return keras.ops.concatenate([keras.ops.reshape(n, (50, -1)) for n in noises], axis=1)

    monkeypatch.setattr(model, "synthesise_step", all_maps)
    maps = model.synthesise(np.zeros((50, 6, 3)), noise=7)
    assert maps.size > 50 * 64 and 0.9 < maps.std() < 1.1
    assert np.intersect1d(maps, latents).size == 0


def test_mixing_gives_one_latents_styles_up_to_a_layer_and_another_ones_after_it():
    model = stylegan(mixing=1.0)
    latents = model.draw_latents(200, model.noise)
    styles = model.generator.broadcast(model.generator.map(latents))
    mixed = model._mixed(styles, latents, 200).numpy()
    own = np.all(np.isclose(mixed, styles), axis=-1)  # (batch, layers)
    first_other = own.sum(axis=1)
    for row, first in zip(own, first_other, strict=True):
        assert row[:first].all() and not row[first:].any()
    # Each crossover is as likely, and either latent has a layer at least.
    counts = np.bincount(first_other, minlength=7)
    assert counts[0] == counts[6] == 0 and counts[1:6].min() > 20
    # After it, one other style for all layers.
    others = mixed[0, first_other[0] :]
    np.testing.assert_allclose(others, others[:1].repeat(len(others), 0))

    def again(**arguments):  # On the same networks.
        arguments = {"progressive": False, "ema_momentum": None, "seed": 0, **arguments}
        return StyleGAN(model.generator, model.discriminator, **arguments)

    half = again(mixing=0.5)
    half.draw_latents(200, half.noise)  # Of the same seed these are the latents from above.
    mixed = half._mixed(styles, latents, 200).numpy()
    share = np.mean(~np.all(np.isclose(mixed, styles), axis=(1, 2)))
    assert 0.38 < share < 0.62
    # Only layers in use are mixed: two of them at first.
    growing = again(mixing=1.0, progressive=True)
    latents = growing.draw_latents(50, growing.noise)
    styles = growing.generator.broadcast(growing.generator.map(latents))
    own = np.all(np.isclose(growing._mixed(styles, latents, 50), styles), axis=-1)
    np.testing.assert_array_equal(own.sum(axis=1), 1)


def test_the_mean_style_is_tracked():
    model = stylegan(mean_momentum=0.9, progressive=True)  # At the first stage.
    model.compile(
        {"discriminator": keras.optimizers.SGD(0.0), "generator": keras.optimizers.SGD(0.0)},
        run_eagerly=True,
    )
    before = model.generator.mean_style.numpy()
    model.fit(IMAGES, batch_size=16, verbose=0)
    moved = model.generator.mean_style.numpy()
    # By a tenth of the way towards the mean of 16 styles.
    target = (moved - 0.9 * before) / 0.1
    styles = model.map(model.latents(2000, seed=1))[:, 0]
    error = styles.std(axis=0) / 4.0
    assert np.all(np.abs(target - styles.mean(axis=0)) < 4.0 * error)
    model.evaluate(IMAGES, batch_size=16, verbose=0)
    np.testing.assert_array_equal(model.generator.mean_style.numpy(), moved)


def conditional(**arguments):
    model = stylegan(classes=3, **arguments)
    assert model.classes == 3 and model.latents(2, 0, labels=1).shape == (2, 7)
    return model


def test_a_conditional_one_makes_the_class_asked_for():
    model = conditional()
    two, one = (model.sample(2, seed=0, labels=label, psi=0.7) for label in (0, 1))
    assert not np.allclose(one, two)
    assert model.mix([0], [1], [0], labels=2).shape == (1, 1, *SHAPE)


@pytest.mark.slow  # An export of a conditional one is among those of tests/test_systems.py.
def test_a_conditional_one_exports(tmp_path):
    model = conditional(ema_momentum=0.5)
    model.compile("adam", run_eagerly=True)
    model.fit(IMAGES, np.arange(16) % 3, batch_size=8, verbose=0)
    two, one = (model.sample(2, seed=0, labels=label, psi=0.7) for label in (0, 1))
    served = kgen.serving.load(kgen.serving.export(model, tmp_path))
    np.testing.assert_allclose(
        served["sample"](seed=0, count=2, labels=[1])["images"],
        model.sample(2, seed=0, labels=1),
        atol=1e-5,
    )
    np.testing.assert_allclose(
        served["sample_truncated"](seed=0, count=2, labels=[1, 0], psi=0.7)["images"],
        [one[0], two[1]],
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m: m.sample(1, psi="0.7"), "`psi` must be a number, received '0.7'"),
        (lambda m: m.sample(1, cutoff=7), "`cutoff` must be None or an integer from 0 to 6"),
        (lambda m: m.mix([0], [1], [6]), r"`layers` must be integers from 0 to 5, received \[6\]"),
        (lambda m: m.mix([0], [1], None), r"`layers` must be integers.*received \[None\]"),
        (lambda m: m.mix([], [1], [0]), r"`seeds_a` must be a list of seeds, received \[\]"),
        (
            lambda m: m.synthesise(np.zeros((2, 3))),
            r"`styles` must be.*\(6, 3\), received \(2, 3\)",
        ),
        (lambda m: m.synthesise(np.zeros((1, 6, 3)), noise="on"), "`noise` must be.*'on'"),
    ],
)
def test_refuses(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model)


def test_constructor_refuses(model):
    discriminator = model.discriminator
    with pytest.raises(ValueError, match=r"`mixing` must lie in \[0, 1\].*1.5"):
        StyleGAN(model.generator, discriminator, mixing=1.5)
    with pytest.raises(ValueError, match="`generator` must be a kgen.networks.StyleGenerator"):
        StyleGAN(ProgressiveGenerator(SHAPE, 4, 2), discriminator)
    with pytest.raises(ValueError, match="classes"):
        StyleGAN(StyleGenerator(SHAPE, 4, 4, 2, mapping_depth=1, classes=3), discriminator)
