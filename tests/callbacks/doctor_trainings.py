"""Small trainings on 8x8 digits for the doctor's tests: one that is well, and how to spoil it.

Models, and the graphs that a doctor measures them with, are traced once for all tests.
"""

import contextlib
import functools
import warnings
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import kgen.data
from kgen import models, networks
from kgen.callbacks.doctor import Doctor
from kgen.callbacks.doctor import doctor as doctor_module
from kgen.callbacks.doctor.examination import examiner
from kgen.callbacks.doctor.not_finite import FiniteWeights
from tests.recycling import recycled

SHAPE = (8, 8, 1)
EVERY = 20  # Rounds between two checks, and of an epoch.
Adam, SGD = keras.optimizers.Adam, keras.optimizers.SGD


def generator():
    latents = keras.Input((8,))
    x = layers.Dense(64, "relu")(latents)
    x = layers.Activation("tanh", dtype="float32")(layers.Dense(64, name="pixels")(x))
    return keras.Model(latents, layers.Reshape(SHAPE, dtype="float32")(x), name="generator")


def discriminator(channels=1):
    images = keras.Input((*SHAPE[:2], channels))
    x = layers.Flatten()(images)
    x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(64, name="hidden_0")(x))
    return keras.Model(images, layers.Dense(1, dtype="float32", name="logits")(x))


def gan(discriminator_optimizer=1e-3, generator_optimizer=1e-3, compiled=None, **arguments):
    """A GAN; optimizers are Adams of a learning rate, or given."""
    arguments = {"loss": "non_saturating", "seed": 0, **arguments}
    optimizers = {"discriminator": discriminator_optimizer, "generator": generator_optimizer}
    rates = {name: given for name, given in optimizers.items() if isinstance(given, float)}

    def make():
        critic = discriminator(arguments.get("packing", 1))
        model = models.GAN(generator(), critic, **arguments)
        adams = {name: Adam(rate, beta_1=0.5) for name, rate in rates.items()}
        model.compile({**optimizers, **adams}, **(compiled or {}))
        return model

    if len(rates) < 2:
        keras.utils.set_random_seed(0)
        return make()
    return with_rates(recycled(("gan", repr(arguments), repr(compiled)), make), rates)


def wgan_gp(critic_rate=1e-3):
    rates = {"critic": critic_rate, "generator": 1e-3}

    def make():
        model = models.WGANGP(
            generator(), discriminator(), critic_updates=2, seed=0, ema_momentum=0.95
        )
        model.compile({name: Adam(rate, beta_1=0.0, beta_2=0.9) for name, rate in rates.items()})
        return model

    return with_rates(recycled("wgan_gp", make), rates)


def vae(rate=1e-2, compiled=None, **arguments):
    def make():
        model = models.VAE(
            networks.dense_encoder(SHAPE, 4, units=64),
            networks.dense_decoder(SHAPE, 4, units=64),
            seed=0,
            **arguments,
        )
        model.compile(Adam(rate), **(compiled or {}))
        return model

    return with_rates(recycled(("vae", repr(arguments), repr(compiled)), make), {"vae": rate})


def with_rates(model, rates):
    """The model, whose learning rates are no part of what is traced."""
    for name, rate in rates.items():
        model.optimizer.by_player[name].learning_rate = rate
    return model


def train(model, rounds, *callbacks, **arguments):
    """Trains on digits, 64 an update, with a Doctor; returns that, its warnings kept as `said`."""
    digits = batches(64 * model.largest_updates)[: rounds + EVERY]
    arguments.setdefault("images", np.concatenate(digits[:3])[:128])
    doctor = Doctor(**{"every": EVERY, **arguments})
    with warnings.catch_warnings(record=True) as said, graphs_kept():
        warnings.simplefilter("always")
        model.fit(
            tf.data.Dataset.from_tensor_slices(digits),
            epochs=-(-rounds // EVERY),
            steps_per_epoch=min(rounds, EVERY),
            verbose=0,
            callbacks=[doctor, *callbacks],
        )
    # Not what an earlier test has left behind, such as a file that was never closed.
    said = [warning for warning in said if warning.category is not ResourceWarning]
    doctor.said = [str(warning.message) for warning in said]
    return doctor


@functools.cache
def batches(batch_size):
    """The first batches of digits, which a set of `kgen.data` would trace again in every `fit`."""
    batches = iter(
        kgen.data.load("digits", split="train+validation", batch_size=batch_size).starting_at(0)
    )
    return np.stack([next(batches).numpy() for _ in range(200 + EVERY)])


kept_finite_weights = functools.cache(FiniteWeights)
_examiners = {}


def kept_examiner(model, data, seed):
    if (model, seed) not in _examiners:
        _examiners[model, seed] = data, examiner(model, data, seed)
    known, kept = _examiners[model, seed]
    assert np.array_equal(known, data)
    return kept


@contextlib.contextmanager
def graphs_kept():
    """Context in which the doctors of a model share the graphs that they measure it with."""
    with (
        mock.patch.object(doctor_module, "examiner", kept_examiner),
        mock.patch.object(doctor_module.not_finite, "FiniteWeights", kept_finite_weights),
    ):
        yield


def signals(doctor):
    return [diagnosis.signal for diagnosis in doctor.diagnoses]
