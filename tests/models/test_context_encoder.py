"""The context encoder: what its loss weighs, what its discriminator sees, what it completes."""

import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from kgen import models
from kgen.models.context_encoder import region_weights
from tests.models.pixelwise import images, judge, softplus, translator
from tests.systems import SYSTEMS

TARGETS = images(1, channels=1, shape=(8, 8))
MASK = np.ones((3, 8, 8, 1), "float32")
MASK[0, 2:5, 3:6] = -1.0
MASK[1, 0, 0] = MASK[1, 7, 7] = -1.0  # The third image is whole.
INPUTS = np.concatenate([np.where(MASK > 0, TARGETS, 0.0), MASK], axis=-1)
KERNEL = np.float32([[0.5], [-0.8]])
GENERATED = INPUTS @ KERNEL + 0.1


def context_encoder(**kwargs):
    generator = translator(KERNEL, 0.1, shape=(8, 8))
    discriminator = judge([0.7], bias=0.2, shape=(8, 8))
    return models.ContextEncoder(generator, discriminator, seed=0, **kwargs)


def prepared(model, inputs=INPUTS):
    return model.prepare((tf.constant(inputs), tf.constant(TARGETS)), training=True)


@pytest.mark.parametrize("overlap", [0, 1, 2, 7])
def test_weights_are_1_where_pixels_miss_and_10_in_a_band_around(overlap):
    holes = np.float32(MASK < 0)
    expected = []
    for image in holes[..., 0] > 0:
        square = np.ones((2 * overlap + 1, 2 * overlap + 1))
        near = scipy.ndimage.binary_dilation(image, square)
        expected.append(np.where(image, 1.0, np.where(near, 10.0, 0.0)))
    found = region_weights(tf.constant(holes), overlap, overlap_weight=10.0)
    np.testing.assert_array_equal(found, np.stack(expected)[..., None])


def test_losses_are_those_of_the_paper():
    """Eqs. 1 to 3; the discriminator judges completed images and no inputs."""
    model = context_encoder(overlap=1, overlap_weight=10.0)
    errors = (TARGETS - GENERATED)[..., 0] ** 2
    band = np.zeros((8, 8))
    band[1:6, 2:7] = 10.0
    band[2:5, 3:6] = 1.0
    first = (band * errors[0]).sum() / 25
    corners = np.zeros((8, 8))
    corners[:2, :2] = corners[6:, 6:] = 10.0
    corners[0, 0] = corners[7, 7] = 1.0
    second = (corners * errors[1]).sum() / 8
    reconstruction = (first + second + 0.0) / 3

    completed = np.where(MASK > 0, TARGETS, GENERATED)
    real, fake = TARGETS * 0.7 + 0.2, completed * 0.7 + 0.2
    adversarial = softplus(-fake).mean()
    loss, components = model.generator_loss(prepared(model), training=True)
    np.testing.assert_allclose(components["reconstruction"], reconstruction, rtol=1e-5)
    np.testing.assert_allclose(components["adversarial"], adversarial, rtol=1e-5)
    np.testing.assert_allclose(loss, 0.999 * reconstruction + 0.001 * adversarial, rtol=1e-5)

    found = model.discriminator_loss(prepared(model), training=True)
    expected = softplus(-real).mean() + softplus(fake).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_translations_keep_every_known_pixel():
    model = context_encoder()
    for found in (model.translate(INPUTS), model.predict(INPUTS, verbose=0)):
        assert found.shape == TARGETS.shape
        np.testing.assert_array_equal(found[MASK > 0], TARGETS[MASK > 0])
        np.testing.assert_allclose(found[MASK < 0], GENERATED[MASK < 0], rtol=1e-5)
    assert model.image_shape == (8, 8, 2)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_known_pixels_are_not_rounded_in_half_precision(policy):
    keras.config.set_dtype_policy(policy)
    model = context_encoder()
    for found in (model.translate(INPUTS), model.predict(INPUTS, verbose=0)):
        np.testing.assert_array_equal(found[MASK > 0], TARGETS[MASK > 0])
        np.testing.assert_allclose(found[MASK < 0], GENERATED[MASK < 0], atol=0.02)


def test_what_lies_below_the_mask_is_not_looked_at():
    """Nor how far from 0 the mask is, as of a resized alpha channel."""
    model = context_encoder()
    dirty = np.concatenate([np.where(MASK > 0, TARGETS, 0.9), 0.3 * MASK], axis=-1)
    np.testing.assert_array_equal(model.translate(dirty), model.translate(INPUTS))
    for clean, other in zip(prepared(model)[2:], prepared(model, dirty)[2:], strict=True):
        np.testing.assert_array_equal(clean, other)


def test_translations_are_clipped_only_where_they_are_new():
    generator = translator(10.0 * KERNEL, shape=(8, 8))
    # Beyond the range of images, which `translate` would refuse.
    found = np.array(models.ContextEncoder(generator).translate_step(2.0 * INPUTS, "forward", None))
    np.testing.assert_array_equal(found[MASK > 0], 2.0 * TARGETS[MASK > 0])
    assert np.abs(found[MASK < 0]).max() <= 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"overlap": -1}, "`overlap`.*-1"),
        ({"overlap": 1.5}, "`overlap`.*1.5"),
        ({"overlap_weight": -1.0}, "`overlap_weight`.*-1.0"),
        (
            {"generator": translator(np.ones((2, 2)), shape=(8, 8))},
            r"images \(8, 8, 1\) of inputs whose last channel is the mask.*\(8, 8, 2\)",
        ),
        (
            {"discriminator": judge([1.0, 1.0], [1.0], shape=(8, 8))},
            r"`discriminator` must take images of \(8, 8, 1\), received",
        ),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    networks = {"generator": translator(KERNEL, shape=(8, 8))}
    with pytest.raises(ValueError, match=message):
        models.ContextEncoder(**{**networks, **arguments})


def test_a_mask_of_zeros_and_ones_is_refused():
    model = SYSTEMS["context_encoder"].make()
    inputs, _ = SYSTEMS["context_encoder"].batch()
    wrong = inputs.copy()
    wrong[..., -1] = (wrong[..., -1] + 1.0) / 2.0
    with pytest.raises(ValueError, match=r"a mask of \+1 .* received values from 0 to 1"):
        model.translate(wrong)
