"""The common checks find what is wrong with a system, and say so."""

import keras
import numpy as np
import pytest
from keras import ops

from kgen import models, networks
from kgen.core.noise import SeededNoise
from kgen.testing import checks, shared
from tests.systems import CLASSES, SHAPE, SYSTEMS, projection_critic, with_labels


def autoencoder(kind):
    def make():
        return kind(
            networks.dense_encoder(SHAPE, 3, units=8, variational=False),
            networks.dense_decoder(SHAPE, 3, units=8),
        )

    return make


def gan(kind):
    def make():
        generator = networks.dense_generator(SHAPE, 4 + CLASSES, units=8)
        return kind(generator, projection_critic(), condition="projection")

    return make


@keras.saving.register_keras_serializable("faults")
class LostArgument(models.Autoencoder):
    def __init__(self, encoder, decoder, *, gain=3.0, **arguments):
        super().__init__(encoder, decoder, **arguments)
        self.gain = gain

    def encode_step(self, images):
        return self.gain * super().encode_step(images)

    def get_config(self):
        return {**super().get_config(), "gain": 1.0}


@keras.saving.register_keras_serializable("faults")
class Counting(models.Autoencoder):
    def __init__(self, *networks, **arguments):
        super().__init__(*networks, **arguments)
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def prepare(self, data, training):
        self.seen.assign_add(1.0)
        return super().prepare(data, training)


class Branching(models.Autoencoder):
    def prepare(self, data, training):
        return data if ops.max(data) > 0.0 else 2.0 * data


class Infinite(models.Autoencoder):
    def prepare(self, data, training):
        return data / 0.0


@keras.saving.register_keras_serializable("faults")
class NotSaved(models.Autoencoder):
    """Has a variable that Keras does not know of."""

    def __init__(self, encoder, decoder, **arguments):
        super().__init__(encoder, decoder, **arguments)
        self.hidden = (lambda variable: lambda: variable)(keras.Variable(1.0))

    def prepare(self, data, training):
        if training:
            self.hidden().assign(0.5 * self.hidden())
        return self.hidden() * data


class OutOfStep(models.Autoencoder):
    """Loses something by each call of the batch's callbacks."""

    def fit(self, *arguments, **settings):
        def shrink(batch, logs):
            for variable in self.trainable_variables:
                variable.assign(0.9 * variable)

        callback = keras.callbacks.LambdaCallback(on_train_batch_end=shrink)
        return super().fit(*arguments, callbacks=[callback], **settings)


class OtherBatches(models.Autoencoder):
    def encode_step(self, images):
        codes = super().encode_step(images)
        return codes - ops.mean(codes, axis=0)


class MovesAll(models.GAN):
    def discriminator_loss(self, data, training):
        for variable in self.generator.trainable_variables:
            variable.assign(0.99 * variable)
        return super().discriminator_loss(data, training)


class SameSeed(models.GAN):
    def draw_latents(self, count, noise, labels=None):
        noise = SeededNoise(1) if isinstance(noise, SeededNoise) else noise
        return super().draw_latents(count, noise, labels)


class UnlabelledScore(models.GAN):
    def score_step(self, images, given, domain):
        return super().score_step(images, 0 * given, domain)


class UnlabelledLoss(models.GAN):
    def prepare(self, data, training):
        images, labels = data
        return super().prepare((images, 0 * labels), training)


class UnlabelledImages(models.GAN):
    def decode_step(self, latents):
        return super().decode_step(
            ops.concatenate([latents[:, :-CLASSES], 0 * latents[:, -CLASSES:]], 1)
        )


class OtherExport(models.GAN):
    def decode_step(self, latents):
        images = super().decode_step(latents)
        return 0.5 * images if latents.shape[0] is None else images


@pytest.mark.parametrize(
    ("kind", "check", "message"),
    [
        (LostArgument, "loaded_model_predicts_the_same", "not equal"),
        (Counting, "evaluate_changes_nothing", "evaluate changed a variable.*counting"),
        (Branching, "fit_is_finite", "symbolic"),
        (Infinite, "fit_is_finite", "a loss is not finite"),
        (NotSaved, "loaded_model_continues_identically", "went another way"),
        (OutOfStep, "steps_per_execution", "Not equal to tolerance"),
        (OtherBatches, "encode", "Not equal to tolerance"),
        (MovesAll, "players_move_only_their_own", "the turn of 'discriminator' changed"),
        (SameSeed, "sample", "another seed gives the same images"),
        (UnlabelledScore, "score", "labels change nothing in the logits"),
        (UnlabelledLoss, "sample_of_a_class", "labels change nothing in any player's loss"),
        (UnlabelledImages, "sample_of_a_class", "labels change nothing in the images"),
        (OtherExport, "abilities_are_graphs", "Not equal to tolerance"),
    ],
)
def test_a_fault_is_found(kind, check, message):
    images = SYSTEMS["vae"].images()
    labelled = issubclass(kind, models.GAN)
    make, batch = (gan(kind), with_labels(images)) if labelled else (autoencoder(kind), images)
    with pytest.raises(Exception, match=message):
        checks.CHECKS[check](make, batch)


def test_checks_can_be_left_out_and_are_named(monkeypatch):
    called = []
    monkeypatch.setattr(checks, "CHECKS", {n: (lambda *_, n=n: called.append(n)) for n in "abc"})
    checks.check_generative_model(None, np.zeros(3), skip=["b"])
    assert called == ["a", "c"]
    with pytest.raises(ValueError, match=r"`skip` must name checks.*received \['d'\]"):
        checks.check_generative_model(None, np.zeros(3), skip=["d"])


def test_what_make_makes_by_now_is_checked():
    """As in a notebook, whose user has mended a class."""
    of_before = shared.once("trained", None, np.zeros(3), lambda: "before")
    assert of_before == shared.once("trained", None, np.zeros(3), lambda: "by now")
    with pytest.raises(AssertionError, match="'fit_is_finite' failed: .*callable"):
        checks.check_generative_model(None, np.zeros(3))


def test_a_process_with_one_device_leaves_out_what_needs_two(monkeypatch):
    """As one in which something was computed before."""

    def mirrored(count):
        raise ValueError("there is one")

    called = []
    names = ("fit_is_finite", "two_replicas_match_one")
    monkeypatch.setattr(checks, "CHECKS", {n: (lambda *_, n=n: called.append(n)) for n in names})
    monkeypatch.setattr(checks.engine, "mirrored", mirrored)
    with pytest.warns(UserWarning, match="'two_replicas_match_one' is left out: .*there is one"):
        checks.check_generative_model(None, np.zeros(3))
    assert called == ["fit_is_finite"]
