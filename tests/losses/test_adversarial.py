"""Adversarial losses against values worked by hand."""

import json

import keras
import numpy as np
import pytest

from kgen import losses

# sigmoid: 1/(1+e^-1) = 0.7310586, sigmoid(2) = 0.8807971, sigmoid(-3) = 0.0474259.
REAL = np.array([[0.0], [1.0]], "float32")
FAKE = np.array([[2.0], [-3.0]], "float32")


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        # (log 2 + 0.3132617) / 2 + (2.1269280 + 0.0485874) / 2
        (losses.minimax_discriminator_loss, 1.5909621),
        # ((0-1)^2 + (1-1)^2) / 4 + (4 + 9) / 4
        (losses.least_squares_discriminator_loss, 3.5),
        # (2 - 3) / 2 - (0 + 1) / 2
        (losses.wasserstein_critic_loss, -1.0),
        # (1 + 0) / 2 + (3 + 0) / 2
        (losses.hinge_discriminator_loss, 2.0),
        # Real minus mean fake -0.5: 0.5, 1.5; fake minus mean real 0.5: 1.5, -3.5.
        # (0.4740770 + 0.2014133) / 2 + (1.7014133 + 0.0297504) / 2
        (losses.relativistic_average_discriminator_loss, 1.2033270),
        # (0.9740770 + 1.7014133) / 2 + (0.2014133 + 3.5297504) / 2
        (losses.relativistic_average_generator_loss, 3.2033270),
    ],
)
def test_losses_of_both_sides(loss, expected):
    assert float(loss(REAL, FAKE)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (losses.minimax_generator_loss, -(2.1269280 + 0.0485874) / 2),
        (losses.non_saturating_generator_loss, (0.1269280 + 3.0485874) / 2),
        (losses.least_squares_generator_loss, (1.0 + 16.0) / 4),
        (losses.wasserstein_generator_loss, 0.5),
    ],
)
def test_losses_of_the_generator(loss, expected):
    assert float(loss(FAKE)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        # Target 0.9 adds 0.1 E[real logits] to the cross-entropy.
        (losses.minimax_discriminator_loss, 1.5909621 + 0.1 * 0.5),
        # (0.81 + 0.01) / 4 + 13 / 4
        (losses.least_squares_discriminator_loss, 3.455),
        (losses.relativistic_average_discriminator_loss, 1.2033270 + 0.1 * 1.0),
    ],
)
def test_smoothing_is_one_sided(loss, expected):
    assert float(loss(REAL, FAKE, smoothing=0.1)) == pytest.approx(expected, rel=1e-6)


def test_logits_may_have_any_shape():
    patches = REAL.reshape(1, 2, 1), FAKE.reshape(1, 2, 1)
    for entry in losses.ADVERSARIAL_LOSSES.values():
        flat = float(entry.discriminator(REAL, FAKE))
        assert float(entry.discriminator(*patches)) == pytest.approx(flat, rel=1e-6)


@pytest.mark.parametrize("name", losses.ADVERSARIAL_LOSSES)
def test_large_half_precision_logits_stay_finite(name):
    real, fake = np.float16([[6e4], [-6e4]]), np.float16([[-6e4], [6e4]])
    entry = losses.ADVERSARIAL_LOSSES[name]
    sides = (real, fake) if entry.relativistic else (fake,)
    for value in (entry.discriminator(real, fake), entry.generator(*sides)):
        assert np.isfinite(value) and str(value.dtype.name) == "float32"


# ---------------------------------------------------------------- pairs of one's own


@keras.saving.register_keras_serializable("kgen_tests")
def own_discriminator_loss(real_logits, fake_logits):
    return keras.ops.mean(fake_logits) - 2.0 * keras.ops.mean(real_logits)


@keras.saving.register_keras_serializable("kgen_tests")
def own_generator_loss(fake_logits):
    return -3.0 * keras.ops.mean(fake_logits)


def test_a_pair_is_a_loss_and_survives_a_config():
    pair = losses.adversarial_loss([own_discriminator_loss, own_generator_loss])
    assert pair == losses.AdversarialLoss(own_discriminator_loss, own_generator_loss)
    assert losses.adversarial_loss(pair) is pair
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(pair)))
    assert keras.saving.deserialize_keras_object(serialized) == pair
    relativistic = losses.ADVERSARIAL_LOSSES["relativistic_average"]
    again = losses.AdversarialLoss.from_config(relativistic.get_config())
    assert again.relativistic and again.has_targets


@pytest.mark.parametrize("wrong", ["mse", None, (own_generator_loss,), ("hinge", "hinge")])
def test_what_is_no_loss(wrong):
    with pytest.raises(ValueError, match=r"`loss` must be one of \['minimax'.* or a pair of func"):
        losses.adversarial_loss(wrong)
    with pytest.raises(ValueError, match="`generator` must be a function of logits, received 3"):
        losses.AdversarialLoss(own_discriminator_loss, 3)


def test_a_pair_in_the_wrong_order_is_refused():
    with pytest.raises(ValueError, match=r"`discriminator` .* \(real_logits, fake_logits\), rec"):
        losses.adversarial_loss((own_generator_loss, own_discriminator_loss))
    with pytest.raises(ValueError, match=r"`generator` must be a function of \(fake_logits\)"):
        losses.AdversarialLoss(own_discriminator_loss, own_discriminator_loss)
    losses.AdversarialLoss(own_discriminator_loss, own_discriminator_loss, relativistic=True)
    losses.adversarial_loss((lambda *logits: 0.0, np.negative))
    losses.AdversarialLoss(lambda r, f, smoothing=0.0: 0.0, own_generator_loss, has_targets=True)
    for function in (own_discriminator_loss, lambda r, f, smoothing: 0.0):
        with pytest.raises(ValueError, match="argument:? 'smoothing'"):
            losses.AdversarialLoss(function, own_generator_loss, has_targets=True)
