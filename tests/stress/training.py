"""The training that gets killed: three small systems, one after the other, with checkpoints.

    python -m tests.stress.training <folder> [slow disk: seconds a sync]

It prints a line before each round, and leaves the weights of each system in the folder.
"""

import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import kgen
from kgen import models, networks

SHAPE = (8, 8, 1)
EPOCHS, ROUNDS_AN_EPOCH = 3, 12


# Every life of a training traces it anew: networks have few operations.


def generator():
    """With batch norm."""
    latents = keras.Input((4,))
    x = kgen.layers.BatchNormalization()(keras.layers.Dense(8)(latents))
    pixels = keras.layers.Dense(64, "tanh")(x)
    return keras.Model(latents, keras.layers.Reshape(SHAPE)(pixels))


def critic():
    """What a penalty takes: no dropout, and a norm of each image alone."""
    images = keras.Input(SHAPE)
    x = keras.layers.Dense(8)(keras.layers.Flatten()(images))
    x = keras.layers.LeakyReLU()(kgen.layers.LayerNormalization()(x))
    return keras.Model(images, keras.layers.Dense(1)(x))


def gan():
    """Batch norm, dropout, a moving average and instance noise."""
    return models.GAN(
        generator(),
        networks.dense_discriminator(SHAPE, units=8, pieces=2),
        instance_noise=0.1,
        ema_momentum=0.9,
        seed=1,
    )


def wgan_gp():
    return models.WGANGP(
        networks.dense_generator(SHAPE, latent_dim=4, units=16),
        critic(),
        critic_updates=2,
        seed=1,
    )


def vae():
    """With dropout, whose random state no Keras file holds."""
    encoder = networks.dense_encoder(SHAPE, latent_dim=3, units=16)
    images = keras.Input(SHAPE)
    encoded = encoder(keras.layers.Dropout(0.3)(images))
    return models.VAE(
        keras.Model(images, encoded),
        networks.dense_decoder(SHAPE, latent_dim=3, units=16),
        seed=1,
    )


SYSTEMS = {"gan": gan, "wgan_gp": wgan_gp, "vae": vae}


class Report(keras.callbacks.Callback):
    """Prints a line before each round."""

    def on_train_batch_begin(self, batch, logs=None):
        print("round", flush=True)


def train(name, folder):
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)
    model = SYSTEMS[name]()
    model.compile("adam")
    monitored = "loss" if name == "vae" else "generator_loss"
    model.fit(
        kgen.data.load("digits", batch_size=16, seed=5, augmentations=("shift",)),
        epochs=EPOCHS,
        steps_per_epoch=ROUNDS_AN_EPOCH,
        verbose=0,
        callbacks=[
            Report(),
            keras.callbacks.CSVLogger(folder / "history.csv"),
            # Far from its end, but its patience and best weights are part of the state.
            keras.callbacks.EarlyStopping(monitored, mode="min", patience=50),
            keras.callbacks.ReduceLROnPlateau(monitored, mode="min", factor=0.5, patience=1),
            kgen.callbacks.Checkpoint(folder / "checkpoints", every=4, keep=2),
        ],
    )
    weights = [*model.weights, *model.optimizer.variables]
    np.savez(folder / "weights.npz", *[np.asarray(variable) for variable in weights])


def main(folder, seconds=0.0):
    """Trains each system whose weights the folder does not hold yet."""
    sync = os.fsync

    def slow_sync(descriptor):
        time.sleep(seconds)
        sync(descriptor)

    if seconds:
        os.fsync = slow_sync
    for system in SYSTEMS:
        target = pathlib.Path(folder) / system
        if not (target / "weights.npz").exists():
            print(system, flush=True)
            train(system, target)


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
