"""SRGAN: its losses against NumPy, a round by hand, its frozen content network, its sizes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import layers, models
from tests.models.pixelwise import (
    assert_same_weights,
    copy_of,
    descend,
    images,
    judge,
    softplus,
    translator,
)

SMALL, LARGE = images(0, channels=1, shape=(2, 2)), images(1, channels=1)


def enlarger(weight=0.5, shape=(2, 2), factor=2):
    """The network that repeats each pixel of weight * x."""
    inputs = keras.Input((*shape, 1))
    layer = keras.layers.Conv2D(factor**2, 1, use_bias=False)
    network = keras.Model(inputs, layers.PixelShuffle(factor)(layer(inputs)))
    layer.set_weights([np.full((1, 1, 1, factor**2), weight, "float32")])
    return network


ENLARGED = 0.5 * SMALL.repeat(2, axis=1).repeat(2, axis=2)


def prepared(model):
    return model.prepare((tf.constant(SMALL), tf.constant(LARGE)), training=True)


def test_losses_are_those_of_the_paper():
    """Eqs. 2, 3, 4 and 6."""
    model = models.SRGAN(enlarger(), judge([0.7], bias=0.2), content_weight=3.0)
    real, fake = 0.7 * LARGE + 0.2, 0.7 * ENLARGED + 0.2
    found = model.discriminator_loss(prepared(model), training=True)
    np.testing.assert_allclose(found, softplus(-real).mean() + softplus(fake).mean(), rtol=1e-5)
    content, adversarial = ((LARGE - ENLARGED) ** 2).mean(), softplus(-fake).mean()
    loss, components = model.generator_loss(prepared(model), training=True)
    np.testing.assert_allclose(components["content"], content, rtol=1e-5)
    np.testing.assert_allclose(components["adversarial"], adversarial, rtol=1e-5)
    np.testing.assert_allclose(loss, 3.0 * content + 1e-3 * adversarial, rtol=1e-5)


def test_content_loss_of_features():
    """Eq. 5, for features x -> (2 x, -x + 0.3)."""
    network = translator([[2.0, -1.0]])
    network.layers[-1].bias.assign([0.0, 0.3])
    model = models.SRGAN(enlarger(), content_network=network)
    features = [np.concatenate([2 * x, 0.3 - x], axis=-1) for x in (LARGE, ENLARGED)]
    loss, components = model.generator_loss(prepared(model), training=True)
    np.testing.assert_allclose(loss, ((features[0] - features[1]) ** 2).mean(), rtol=1e-5)
    assert set(components) == {"content"}


def test_a_round_is_that_of_the_algorithm():
    model = models.SRGAN(enlarger(), judge([0.7]), adversarial_weight=0.1)
    generator, discriminator = copy_of(model.generator), copy_of(model.discriminator)
    sgd = {name: keras.optimizers.SGD(0.05) for name in ("discriminator", "generator")}
    model.compile(sgd, run_eagerly=True)
    model.fit(SMALL, LARGE, batch_size=3, verbose=0)

    def discriminator_loss():
        real, fake = discriminator(LARGE), discriminator(generator(SMALL))
        return tf.reduce_mean(tf.math.softplus(-real) + tf.math.softplus(fake))

    def generator_loss():
        large = generator(SMALL)
        adversarial = tf.reduce_mean(tf.math.softplus(-discriminator(large)))
        return tf.reduce_mean((LARGE - large) ** 2) + 0.1 * adversarial

    descend([discriminator], discriminator_loss, 0.05)
    descend([generator], generator_loss, 0.05)
    assert_same_weights(model.discriminator, discriminator)
    assert_same_weights(model.generator, generator)


def content_network():
    """One with batch norm, dropout and a regulariser, all of which must stay out of it."""
    x = inputs = keras.Input((4, 4, 1))
    x = keras.layers.Conv2D(3, 3, kernel_regularizer="l2")(x)
    x = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(x))
    return keras.Model(inputs, x)


def test_the_content_network_stays_as_it_is(tmp_path):
    model = models.SRGAN(enlarger(), judge([0.7]), content_network())
    assert not model.content_network.trainable
    assert len(model.trainable_variables) == 3
    before = model.content_network.get_weights()
    loss = model.generator_loss(prepared(model), training=True)[0]
    np.testing.assert_array_equal(loss, model.generator_loss(prepared(model), training=True)[0])
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    logs = model.fit(SMALL, LARGE, batch_size=3, verbose=0).history
    total = logs["generator_content"][0] + 1e-3 * logs["generator_adversarial"][0]
    assert logs["generator_loss"][0] == pytest.approx(total, rel=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert not loaded.content_network.trainable
    for one in (model, loaded):
        for old, new in zip(before, one.content_network.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)


def test_images_of_any_size():
    model = models.SRGAN(enlarger(shape=(None, None)), judge([0.7]))
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    model.fit(SMALL, LARGE, batch_size=3, verbose=0)
    weight = model.generator.get_weights()[0].ravel()
    for shape in ((2, 2), (3, 5)):
        small = images(2, channels=1, shape=shape)
        found = model.translate(small)
        assert found.shape == (3, 2 * shape[0], 2 * shape[1], 1)
        np.testing.assert_allclose(found[:, ::2, ::2], weight[0] * small, rtol=1e-5)


def test_translations_are_clipped():
    assert np.abs(models.SRGAN(enlarger(weight=50.0)).translate(SMALL)).max() == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"content_weight": -1.0}, "`content_weight`.*-1.0"),
        ({"adversarial_weight": None}, "`adversarial_weight`.*None"),
        ({"content_weight": 0.0}, "nothing else is left"),
        ({"discriminator": judge([0.7], shape=(2, 2))}, r"\(4, 4, 1\), received.*\(2, 2, 1\)"),
        ({"content_network": "vgg"}, "`content_network` must be a built .*keras.Model.*'vgg'"),
        ({"content_network": translator([[1.0]], shape=(2, 2))}, r"of \(4, 4, 1\) and return one"),
        (
            {"generator": keras.Sequential([keras.Input((4, 4, 1)), keras.layers.ZeroPadding2D()])},
            r"a whole number of times.*makes \(6, 6, 1\) of \(4, 4, 1\)",
        ),
        (
            {
                "generator": keras.Sequential(
                    [keras.Input((None, None, 1)), keras.layers.UpSampling2D((2, 1))]
                )
            },
            r"a whole number of times.*makes \(64, 32, 1\) of \(32, 32, 1\)",
        ),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.SRGAN(**{"generator": enlarger(), **arguments})
