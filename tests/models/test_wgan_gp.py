"""WGAN-GP: algorithm 1 of the paper."""

import keras
import numpy as np
import pytest
from keras import ops

from kgen import models, networks
from tests.systems import SHAPE, SYSTEMS, dense_generator, smooth_critic

BATCH = SYSTEMS["wgan_gp"].batch()


def test_critic_loss_is_line_7_of_algorithm_1():
    model = models.WGANGP(dense_generator(), smooth_critic(), penalty_weight=3.0, seed=2)
    images = ops.convert_to_tensor(BATCH)
    state = model.noise.seed_generator.state.numpy()
    data = model.prepare(images, training=True)
    loss, components = model.critic_loss(data, training=True)

    model.noise.seed_generator.state.assign(state)
    fakes = model.generate(8, training=True).numpy()
    alpha = model.noise.uniform((8, 1, 1, 1)).numpy()
    # The critic by NumPy-like differences: its gradient at x from the weights, two layers deep.
    points = alpha * BATCH + (1 - alpha) * fakes
    step, gradient = 1e-2, np.zeros_like(points)
    for index in np.ndindex(*SHAPE):
        shift = np.zeros((1, *SHAPE), "float32")
        shift[(0, *index)] = step
        above, below = model.critic(points + shift), model.critic(points - shift)
        gradient[(slice(None), *index)] = ((above - below) / (2 * step)).numpy()[:, 0]
    norms = np.sqrt((gradient**2).sum((1, 2, 3)))
    penalty = np.mean((norms - 1.0) ** 2)
    distance = float(ops.mean(model.critic(images)) - ops.mean(model.critic(fakes)))
    assert float(components["penalty"]) == pytest.approx(penalty, rel=1e-3)
    assert float(components["distance"]) == pytest.approx(distance, rel=1e-5)
    assert float(loss) == pytest.approx(3.0 * penalty - distance, rel=1e-3)


def test_defaults_are_the_papers():
    model = models.WGANGP(dense_generator(), networks.resnet_critic(SHAPE, filters=4))
    assert (model.critic_updates, model.penalty_weight) == (5, 10.0)


def test_five_updates_each_on_other_images_and_noise():
    """Every image of the batch is seen by exactly one of the critic's updates."""
    model = models.WGANGP(dense_generator(), smooth_critic(), critic_updates=4)
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    seen, draws = [], []
    original, normal = model.critic_loss, model.noise.normal

    def spy(data, training):
        seen.append(data[0].numpy())
        return original(data, training)

    def spy_noise(shape):
        draws.append(normal(shape).numpy())
        return draws[-1]

    object.__setattr__(model.players[0], "loss", spy)
    object.__setattr__(model.noise, "normal", spy_noise)
    model.fit(BATCH, batch_size=8, shuffle=False, verbose=0)
    assert [len(part) for part in seen] == [2, 2, 2, 2]
    np.testing.assert_array_equal(
        np.sort(np.concatenate(seen).reshape(8, -1), 0), np.sort(BATCH.reshape(8, -1), 0)
    )
    assert [len(part) for part in draws] == [2, 2, 2, 2, 2]  # And one for the generator.
    assert len({part.tobytes() for part in draws}) == 5


def test_learns_a_distribution():
    """A critic and a generator of points find the place and spread of a normal distribution."""
    keras.utils.set_random_seed(0)
    latents, points = keras.Input((2,)), keras.Input((2,))
    critic = keras.Model(points, keras.layers.Dense(1)(keras.layers.Dense(64, "relu")(points)))
    generator = keras.Model(latents, keras.layers.Dense(2)(latents))
    model = models.WGANGP(generator, critic, critic_updates=2, seed=0)
    adam = {n: keras.optimizers.Adam(0.01, beta_1=0.0) for n in ("critic", "generator")}
    model.compile(adam, steps_per_execution=100)
    data = np.random.default_rng(0).normal([2.0, -1.0], [0.5, 1.5], (12800, 2)).astype("float32")
    model.fit(data, batch_size=128, epochs=6, verbose=0)
    samples = model.sample(5000, seed=0)
    np.testing.assert_allclose(samples.mean(0), [2.0, -1.0], atol=0.25)
    np.testing.assert_allclose(samples.std(0), [0.5, 1.5], atol=0.3)


@pytest.mark.parametrize("condition", ["projection", "auxiliary"])
def test_a_conditional_critic_is_trained_and_asked_for_classes(condition):
    model = models.WGANGP(
        networks.dense_generator(SHAPE, 4, 8, classes=3),
        networks.resnet_critic(SHAPE, filters=4, classes=3, condition=condition),
        critic_updates=1,
        condition=condition,
        classification_weight=0.5,
        seed=0,
    )
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    labels = np.arange(len(BATCH)) % 3
    logs = model.fit(BATCH, labels, batch_size=len(BATCH), verbose=0).history
    assert ("critic_classification" in logs) == (condition == "auxiliary")
    assert model.latents(2, seed=0, labels=[2, 1])[:, -3:].tolist() == [[0, 0, 1], [0, 1, 0]]
    assert model.sample(2, seed=0, labels=1).shape == (2, *SHAPE)

    data = model.prepare((ops.convert_to_tensor(BATCH), ops.convert_to_tensor(labels)), True)
    loss, parts = model.critic_loss(data, training=True)
    # By hand: the labels of both passes are the batch's.
    one_hot = ops.one_hot(labels, 3)
    if condition == "projection":
        real, fake = (model.critic([images, one_hot]) for images in data[:2])
        entropy = 0.0
    else:
        (real, real_head), (fake, fake_head) = (model.critic(images) for images in data[:2])
        entropy = sum(
            np.mean(ops.categorical_crossentropy(one_hot, head, from_logits=True))
            for head in (real_head, fake_head)
        )
        assert float(parts["classification"]) == pytest.approx(entropy, rel=1e-5)
    expected = np.mean(fake) - np.mean(real) + 10.0 * float(parts["penalty"]) + 0.5 * entropy
    assert float(loss) == pytest.approx(expected, rel=1e-4)
