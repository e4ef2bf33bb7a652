"""Pix2Pix: its losses against NumPy, a round against a loop by hand, its noise, its refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import layers, losses, models
from tests.models.pixelwise import (
    assert_same_weights,
    copy_of,
    descend,
    images,
    judge,
    softplus,
    translator,
)

INPUTS, TARGETS = images(0, channels=2), images(1, channels=1)
KERNEL = np.float32([[0.5], [-0.8]])
GENERATED = INPUTS @ KERNEL + 0.1
LOGITS_OF_TARGETS = INPUTS @ [0.3, -0.2] + TARGETS[..., 0] * 0.7 + 0.2
LOGITS_OF_GENERATED = INPUTS @ [0.3, -0.2] + GENERATED[..., 0] * 0.7 + 0.2


def pix2pix(**kwargs):
    return models.Pix2Pix(
        translator(KERNEL, 0.1), judge([0.3, -0.2], [0.7], bias=0.2), seed=0, **kwargs
    )


def prepared(model):
    return model.prepare((tf.constant(INPUTS), tf.constant(TARGETS)), training=True)


def test_losses_are_those_of_the_paper():
    """Eqs. 1 to 4, the discriminator's objective divided by 2."""
    model = pix2pix(reconstruction_weight=30.0, adversarial_weight=2.0)
    expected = softplus(-LOGITS_OF_TARGETS).mean() + softplus(LOGITS_OF_GENERATED).mean()
    found = model.discriminator_loss(prepared(model), training=True)
    np.testing.assert_allclose(found, expected / 2, rtol=1e-5)

    adversarial = softplus(-LOGITS_OF_GENERATED).mean()
    reconstruction = np.abs(TARGETS - GENERATED).mean()
    loss, components = model.generator_loss(prepared(model), training=True)
    np.testing.assert_allclose(components["adversarial"], adversarial, rtol=1e-5)
    np.testing.assert_allclose(components["reconstruction"], reconstruction, rtol=1e-5)
    np.testing.assert_allclose(loss, 2.0 * adversarial + 30.0 * reconstruction, rtol=1e-5)


def test_a_discriminator_of_images_alone():
    model = models.Pix2Pix(translator(KERNEL, 0.1), judge([0.7], bias=0.2))
    real, fake = TARGETS * 0.7 + 0.2, GENERATED * 0.7 + 0.2
    expected = (softplus(-real).mean() + softplus(fake).mean()) / 2
    found = model.discriminator_loss(prepared(model), training=True)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("name", losses.ADVERSARIAL_LOSSES)
def test_every_adversarial_loss(name):
    model, loss = pix2pix(loss=name), losses.ADVERSARIAL_LOSSES[name]
    real, fake = np.float32(LOGITS_OF_TARGETS), np.float32(LOGITS_OF_GENERATED)
    found = model.discriminator_loss(prepared(model), training=True)
    np.testing.assert_allclose(found, loss.discriminator(real, fake) / 2, rtol=1e-4)
    _, components = model.generator_loss(prepared(model), training=True)
    expected = loss.generator(real, fake) if loss.relativistic else loss.generator(fake)
    np.testing.assert_allclose(components["adversarial"], expected, rtol=1e-4)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_rounds_are_those_of_the_algorithm(batch_size):
    """The discriminator first, then the generator on the same outputs, by hand."""
    model = pix2pix()
    generator, discriminator = copy_of(model.generator), copy_of(model.discriminator)
    sgd = {name: keras.optimizers.SGD(0.01) for name in ("discriminator", "generator")}
    model.compile(sgd, run_eagerly=True)
    model.fit(INPUTS, TARGETS, batch_size=batch_size, shuffle=False, verbose=0)
    for start in range(0, 3, batch_size):
        rows = slice(start, start + batch_size)
        x, y = tf.constant(INPUTS[rows]), tf.constant(TARGETS[rows])

        def cross_entropy(logits, target):
            target = tf.fill(logits.shape, target)
            return tf.nn.sigmoid_cross_entropy_with_logits(target, logits)

        def discriminator_loss(x=x, y=y):
            real = cross_entropy(discriminator([x, y]), 1.0)
            fake = cross_entropy(discriminator([x, generator(x)]), 0.0)
            return tf.reduce_mean(real + fake) / 2

        def generator_loss(x=x, y=y):
            adversarial = cross_entropy(discriminator([x, generator(x)]), 1.0)
            return tf.reduce_mean(adversarial + 100.0 * tf.abs(y - generator(x)))

        descend([discriminator], discriminator_loss, 0.01)
        descend([generator], generator_loss, 0.01)
    assert_same_weights(model.discriminator, discriminator)
    assert_same_weights(model.generator, generator)


def test_without_a_discriminator_there_is_one_player():
    model = models.Pix2Pix(translator(KERNEL, 0.1), reconstruction_weight=10.0)
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    logs = model.fit(INPUTS, TARGETS, batch_size=3, verbose=0).history
    error = np.abs(TARGETS - GENERATED).mean()
    assert logs["reconstruction"] == pytest.approx([error], rel=1e-5)
    assert logs["loss"] == pytest.approx([10.0 * error], rel=1e-5)


def test_the_adversarial_loss_alone():
    model = pix2pix(reconstruction_weight=0.0)
    loss, components = model.generator_loss(prepared(model), training=True)
    np.testing.assert_allclose(loss, components["adversarial"])
    np.testing.assert_allclose(components["reconstruction"], np.abs(TARGETS - GENERATED).mean())


def with_dropout(layer):
    inputs = keras.Input((4, 4, 2))
    x = layer(keras.layers.Conv2D(8, 1)(inputs))
    return keras.Model(inputs, keras.layers.Conv2D(1, 1)(x))


def test_dropout_is_the_noise():
    """Without a seed it is off; with one it is drawn from it, and the training's stays put."""
    model = models.Pix2Pix(with_dropout(layers.Dropout(0.5)))
    assert model.has_translation_noise
    expected = np.clip(model.generator(INPUTS), -1.0, 1.0)
    np.testing.assert_allclose(model.translate(INPUTS), expected, atol=1e-6)
    states = [state.numpy() for state in model.random_states]
    noisy = [model.translate(INPUTS, seed=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(noisy[0], noisy[1])
    assert np.abs(noisy[0] - noisy[2]).max() > 1e-3
    assert np.abs(noisy[0] - expected).max() > 1e-3
    for old, state in zip(states, model.random_states, strict=True):
        np.testing.assert_array_equal(old, state.numpy())


def test_a_round_needs_one_pass_of_the_generator():
    """Both players start from the same outputs: dropout draws once."""
    model = models.Pix2Pix(with_dropout(layers.Dropout(0.5)), judge([0.3, -0.2], [0.7]))
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    state = model.generator.layers[2].noise.seed_generator.state
    before = state.numpy()
    model.fit(INPUTS, TARGETS, batch_size=3, verbose=0)
    assert (state.numpy() - before).tolist() == [0, 1]


@pytest.mark.parametrize("layer", [layers.Dropout(0.0), keras.layers.Dropout(0.5)])
def test_what_is_no_noise_in_translation(layer):
    model = models.Pix2Pix(with_dropout(layer))
    assert not model.has_translation_noise
    np.testing.assert_array_equal(model.translate(INPUTS, seed=1), model.translate(INPUTS))


def test_translations_are_clipped_and_predictions_are_not():
    model = models.Pix2Pix(translator(10.0 * KERNEL))
    expected = INPUTS @ (10.0 * KERNEL)
    np.testing.assert_allclose(model.predict(INPUTS, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.translate(INPUTS), np.clip(expected, -1, 1), rtol=1e-5)
    assert model.image_shape == (4, 4, 2)


def test_images_of_any_size():
    model = models.Pix2Pix(translator(KERNEL, shape=(None, None)))
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    model.fit(INPUTS, TARGETS, batch_size=3, verbose=0)
    assert model.translate(images(2, 2, shape=(6, 8))).shape == (3, 6, 8, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "l2"}, "`loss` must be one of .*'l2'"),
        ({"reconstruction_weight": -1.0}, "`reconstruction_weight`.*-1.0"),
        ({"adversarial_weight": float("nan")}, "`adversarial_weight`.*nan"),
        ({"adversarial_weight": 0, "reconstruction_weight": 0}, "nothing else is left"),
        ({"discriminator": None, "reconstruction_weight": 0.0}, "nothing else is left"),
        ({"discriminator": judge([1.0, 1.0])}, r"take images of \(4, 4, 1\).*\[\(4, 4, 2\)\]"),
        (
            {"discriminator": judge([1.0], [1.0])},
            r"\(4, 4, 2\) and \(4, 4, 1\), received inputs of \[\(4, 4, 1\), \(4, 4, 1\)\]",
        ),
        ({"discriminator": judge([1.0], [1.0], [1.0])}, "`discriminator` must take images"),
        ({"generator": judge([1.0], [1.0])}, "`generator` must be a network from an image"),
        ({"generator": None}, "generator's network must be a keras.Model, received None"),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    networks = {"generator": translator(KERNEL), "discriminator": judge([1.0, 1.0], [1.0])}
    with pytest.raises(ValueError, match=message):
        models.Pix2Pix(**{**networks, **arguments})


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (np.zeros((3, 4, 4, 3), "float32"), r"\(4, 4, 1\), received an array.*\(3, 4, 4, 3\)"),
        (np.zeros((3, 4, 4, 1), "uint8"), "Targets must be floats.*uint8"),
        (None, "images came alone"),
    ],
)
def test_targets_that_are_refused(targets, message):
    """Those of three channels would be compared with grey outputs, and nobody would notice."""
    model = models.Pix2Pix(translator(KERNEL))
    model.compile(keras.optimizers.SGD())
    with pytest.raises(ValueError, match=message):
        model.fit(INPUTS, targets, verbose=0)
    given = INPUTS if targets is None else (INPUTS, targets)
    with pytest.raises(ValueError, match=message):
        model.fit(tf.data.Dataset.from_tensors(given), verbose=0)
