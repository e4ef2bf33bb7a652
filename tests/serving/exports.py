"""Exports that several tests ask: made once a process, and only read."""

import dataclasses
import functools
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from kgen import models, networks
from kgen.serving import abilities, export, load
from tests.serving.awake import awake
from tests.systems import CLASSES, SHAPE, SYSTEMS

# Of an image, for a served `log_prob`: each 16 are traced anew, and the 128 of other exports are
# asked for by tests/test_systems.py.
DRAWS = 16


class Exported:
    """A model whose optimizers, statistics and average have moved, and its export.

    Attributes:
        model: The model, which nobody moves any more.
        path: The folder of the version, a string.
    """

    def __init__(self, model, path):
        self.model = model
        self.path = path

    @functools.cached_property
    def loaded(self):
        """What TensorFlow loads."""
        return tf.saved_model.load(self.path)

    @functools.cached_property
    def served(self):
        """Its signatures, as `kgen.serving.load` gives them, of the same loading."""
        loaded = self.loaded
        with mock.patch.object(tf.saved_model, "load", lambda path: loaded):
            return load(self.path)


class Exports:
    """The exports of tiny systems by name, `<folder>/<name>/1`.

    Attributes:
        folder: The folder of all.
    """

    def __init__(self, folder):
        self.folder = folder
        self._made = {}

    def __getitem__(self, name):
        if name not in self._made:
            model = awake(trained(name))
            with mock.patch.object(abilities, "_SAMPLES", DRAWS):
                self._made[name] = Exported(model, export(model, self.folder / name))
        return self._made[name]


def dense_vae(classes=None):
    sizes = {"latent_dim": 3, "units": 8, "hidden_layers": 1, "classes": classes}
    return models.VAE(
        networks.dense_encoder(SHAPE, **sizes), networks.dense_decoder(SHAPE, **sizes)
    )


# Where a smaller one does as well as that of the table.
SMALLER = {
    "vae": dataclasses.replace(SYSTEMS["vae"], make=dense_vae),
    "conditional_vae": dataclasses.replace(
        SYSTEMS["conditional_vae"], make=lambda: dense_vae(CLASSES)
    ),
}


def trained(name):
    """A system after two rounds, eagerly, as tracing them would take longer."""
    keras.utils.set_random_seed(0)
    system = SMALLER.get(name) or SYSTEMS[name]
    model = system.make()
    model.compile("adam", run_eagerly=True)
    batch = system.batch()
    arrays = batch if isinstance(batch, tuple) else (batch,)
    twice = [np.concatenate([array, array[::-1]]) for array in arrays]
    model.fit(*twice, batch_size=system.rows, verbose=0)
    return model
