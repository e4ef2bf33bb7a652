"""Scores: the discriminator's logits of single images, where it judges such."""

import functools

import numpy as np
import pytest

from tests.systems import CLASSES, SYSTEMS

IMAGES = SYSTEMS["dcgan"].images()
LABELS = np.arange(len(IMAGES)) % CLASSES
ONE_HOT = np.eye(CLASSES, dtype="float32")[LABELS]


@functools.cache
def made(name):
    return SYSTEMS[name].make()


@pytest.mark.parametrize(
    ("name", "given", "logits"),
    [
        ("dcgan", {}, lambda m: m.discriminator(IMAGES)),
        ("wgan_gp", {}, lambda m: m.critic(IMAGES)),
        ("projection_gan", {"labels": LABELS}, lambda m: m.discriminator([IMAGES, ONE_HOT])),
        ("auxiliary_gan", {}, lambda m: m.discriminator(IMAGES)[0]),
        ("infogan", {}, lambda m: m.discriminator(IMAGES)[0]),
        ("pix2pix", {"inputs": -IMAGES}, lambda m: m.discriminator([-IMAGES, IMAGES])),
        ("context_encoder", {}, lambda m: m.discriminator(IMAGES)),
        ("srgan", {}, lambda m: m.discriminator(IMAGES)),
        ("cyclegan", {}, lambda m: m.discriminator_a(IMAGES)),
        ("cyclegan", {"domain": "a"}, lambda m: m.discriminator_a(IMAGES)),
        ("cyclegan", {"domain": "b"}, lambda m: m.discriminator_b(IMAGES)),
    ],
)
def test_scores_are_the_logits_of_the_discriminator(name, given, logits):
    model = made(name)
    found = model.score(IMAGES, **given)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, logits(model), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    ["packed_gan", "conditional_gan", "progan", "stylegan", "pix2pix_l1", "srresnet", "vae"],
)
def test_who_judges_no_single_image_cannot_score(name):
    model = made(name)
    assert "score" not in model.abilities
    with pytest.raises(NotImplementedError, match="cannot `score`. It can: "):
        model.score(IMAGES)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("dcgan", {"labels": 0}, "`labels` must be None: this GAN judges images alone"),
        ("projection_gan", {}, "`labels` must be given: .* together with labels"),
        ("projection_gan", {"labels": CLASSES}, "`labels` must be an integer from 0"),
        ("pix2pix", {}, "`inputs` must be given"),
        ("pix2pix", {"inputs": IMAGES[:2]}, "`inputs` must be as many as images, 8, received 2"),
        ("pix2pix", {"inputs": IMAGES[:, :4]}, r"`inputs` must be an array of rows"),
        ("cyclegan", {"domain": "c"}, r"`domain` must be one of \['a', 'b'\], received 'c'"),
    ],
)
def test_bad_arguments(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        made(name).score(IMAGES, **arguments)
