"""What `compile()` takes without an argument are the papers' optimizers."""

import keras
import numpy as np
import pytest

from kgen import models
from tests import systems

PLAIN = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
DCGAN = {"learning_rate": 2e-4, "beta_1": 0.5}


def adam(**settings):
    return "Adam", {**PLAIN, **settings}


# As printed in the papers; what they leave out is Adam's own.
PAPERS = {
    "dcgan": [adam(**DCGAN)] * 2,
    "wasserstein_gan": [("RMSprop", {"learning_rate": 5e-5})] * 2,
    "wgan_gp": [adam(learning_rate=1e-4, beta_1=0.0, beta_2=0.9)] * 2,
    "infogan": [adam(**DCGAN), adam(learning_rate=1e-3, beta_1=0.5)],
    "pix2pix": [adam(**DCGAN)] * 2,
    "pix2pix_l1": [adam(**DCGAN)],
    "context_encoder": [adam(**DCGAN), adam(learning_rate=2e-3, beta_1=0.5)],
    "cyclegan": [adam(**DCGAN)] * 2,
    "srgan": [adam(learning_rate=1e-4)] * 2,
    "progan": [adam(learning_rate=1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8)] * 2,
    "stylegan": [adam(learning_rate=1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8)] * 2,
    "biggan": [
        adam(learning_rate=2e-4, beta_1=0.0),
        adam(learning_rate=5e-5, beta_1=0.0),
    ],
    "sagan": [
        adam(learning_rate=4e-4, beta_1=0.0, beta_2=0.9),
        adam(learning_rate=1e-4, beta_1=0.0, beta_2=0.9),
    ],
    "vae": [adam(learning_rate=1e-3)],
    "autoencoder": [adam(learning_rate=1e-3)],
}


def test_clipped_critics_move_their_generator():
    """Whose gradients, through weights of 0.01 at most, are far below Keras' epsilon of RMSProp."""
    model = systems.SYSTEMS["wasserstein_gan"].make()
    model.compile()
    optimizer = model.optimizer.by_player["generator"]
    weight = keras.Variable([1.0, 1.0], dtype="float32")
    optimizer = type(optimizer).from_config(optimizer.get_config())
    optimizer.apply([np.array([1e-6, 1e-2], "float32")], [weight])
    # The first step of RMSProp is rate * g / sqrt((1 - rho) g^2), whatever g is.
    moved = (1.0 - weight.numpy()) / 5e-5
    np.testing.assert_allclose(moved, 1.0 / np.sqrt(1.0 - optimizer.rho), rtol=1e-2)


@pytest.mark.parametrize("name", PAPERS)
def test_they_are_those_of_the_paper(name):
    model = systems.SYSTEMS[name].make()
    model.compile()
    by_player = model.optimizer.by_player.values()
    for optimizer, (kind, settings) in zip(by_player, PAPERS[name], strict=True):
        config = optimizer.get_config()
        assert type(optimizer).__name__ == kind
        assert {key: config[key] for key in settings} == pytest.approx(settings)


def test_a_gan_with_a_gradient_penalty_has_those_of_wgan_gp():
    model = models.GAN(
        systems.dense_generator(),
        keras.Sequential(
            [keras.Input(systems.SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)]
        ),
        penalty="gradient",
    )
    model.compile("adam")
    config = model.optimizer.by_player["discriminator"].get_config()
    expected = {"learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9}
    assert {key: config[key] for key in expected} == pytest.approx(expected)


def test_every_system_has_some():
    for name, system in systems.SYSTEMS.items():
        assert system.make().default_optimizers() is not None, name
