"""Small trainings on 8x8 digits for the doctor's tests: one that is well, and how to spoil it."""

import warnings

import keras
from keras import layers

import kgen.data
from kgen import models, networks
from kgen.callbacks.doctor import Doctor

SHAPE = (8, 8, 1)
EVERY = 20  # Rounds between two checks, and of an epoch.
Adam, SGD = keras.optimizers.Adam, keras.optimizers.SGD


def generator():
    latents = keras.Input((8,))
    x = layers.Dense(64, "relu")(layers.Dense(64, "relu")(latents))
    x = layers.Activation("tanh", dtype="float32")(layers.Dense(64, name="pixels")(x))
    return keras.Model(latents, layers.Reshape(SHAPE, dtype="float32")(x), name="generator")


def discriminator(channels=1):
    images = keras.Input((*SHAPE[:2], channels))
    x = layers.Flatten()(images)
    for number in range(2):
        x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(64, name=f"hidden_{number}")(x))
    return keras.Model(images, layers.Dense(1, dtype="float32", name="logits")(x))


def gan(discriminator_optimizer=1e-3, generator_optimizer=1e-3, compiled=None, **arguments):
    """A GAN; optimizers are Adams of a learning rate, or given."""
    keras.utils.set_random_seed(0)
    model = models.GAN(
        generator(), discriminator(arguments.get("packing", 1)), **{"seed": 0, **arguments}
    )
    optimizers = {"discriminator": discriminator_optimizer, "generator": generator_optimizer}
    for name, given in optimizers.items():
        if isinstance(given, float):
            optimizers[name] = Adam(given, beta_1=0.5)
    model.compile(optimizers, **(compiled or {}))
    return model


def wgan_gp(critic_rate=1e-3, **arguments):
    keras.utils.set_random_seed(0)
    model = models.WGANGP(generator(), discriminator(), critic_updates=2, seed=0, **arguments)
    rates = {"critic": critic_rate, "generator": 1e-3}
    model.compile({name: Adam(rate, beta_1=0.0, beta_2=0.9) for name, rate in rates.items()})
    return model


def vae(optimizer=None, **arguments):
    keras.utils.set_random_seed(0)
    model = models.VAE(
        networks.dense_encoder(SHAPE, 4, units=64),
        networks.dense_decoder(SHAPE, 4, units=64),
        seed=0,
        **arguments,
    )
    model.compile(Adam(1e-2) if optimizer is None else optimizer)
    return model


def train(model, rounds, *callbacks, **arguments):
    """Trains on digits, 64 an update, with a Doctor; returns that, its warnings kept as `said`."""
    doctor = Doctor(**{"every": EVERY, **arguments})
    data = kgen.data.load("digits", batch_size=64 * model.largest_updates)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.fit(
            data,
            epochs=-(-rounds // EVERY),
            steps_per_epoch=EVERY,
            verbose=0,
            callbacks=[doctor, *callbacks],
        )
    # Not what an earlier test has left behind, such as a file that was never closed.
    said = [warning for warning in said if warning.category is not ResourceWarning]
    doctor.said = [str(warning.message) for warning in said]
    return doctor


def signals(doctor):
    return [diagnosis.signal for diagnosis in doctor.diagnoses]
