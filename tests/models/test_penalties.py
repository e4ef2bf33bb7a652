"""Penalties in the systems that have one: their precision, their weight, and what they move."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kgen import losses, models, networks
from kgen.testing.float64_copy import float64
from tests.systems import SHAPE, SYSTEMS, dense_generator

IMAGES = SYSTEMS["dcgan"].batch()
PIXELS = int(np.prod(SHAPE))
SMALL = IMAGES[:4, ::2, ::2]


def linear(units, weight):
    """A network of one matrix, all of whose entries are `weight`, and its outputs in float32."""
    start = keras.initializers.Constant(weight)
    images = keras.Input(SHAPE)
    x = keras.layers.Flatten()(images)
    x = keras.layers.Dense(units, use_bias=False, kernel_initializer=start)(x)
    return keras.Model(images, keras.layers.Activation("linear", dtype="float32")(x))


def contractive(weight):
    return models.ContractiveAutoencoder(
        linear(2, weight),
        networks.dense_decoder(SHAPE, 2, 4),
        contraction_weight=3.0,
        scale_free=False,
        seed=0,
    )


# Of systems on a linear network of entries w: how to make one, the penalty's name, the weight's.
LINEAR = {
    **{
        f"GAN-{penalty}": (
            lambda w, penalty=penalty: models.GAN(
                dense_generator(), linear(1, w), penalty=penalty, penalty_weight=3.0, seed=0
            ),
            "penalty",
            "penalty_weight",
        )
        for penalty in losses.PENALTIES
    },
    "WGANGP": (
        lambda w: models.WGANGP(dense_generator(), linear(1, w), penalty_weight=3.0, seed=0),
        "penalty",
        "penalty_weight",
    ),
    "ContractiveAutoencoder": (contractive, "contraction", "contraction_weight"),
}


def loss_and_components(model, images=IMAGES):
    """Of the player whose loss has the penalty, the first, on given images and fakes."""
    images, fakes = ops.convert_to_tensor(images), ops.convert_to_tensor(-images[::-1])
    data = images if len(model.players) == 1 else (images, fakes)
    return model.players[0].loss(data, training=True)


def by_hand(name, weight):
    """The penalty and its derivative by each entry: the gradient of D at any x is the matrix."""
    norm = weight * np.sqrt(PIXELS)
    if name.endswith(("-r1", "-r2")):
        return 0.5 * norm**2, weight
    if name == "ContractiveAutoencoder":  # Two units.
        return 2.0 * norm**2, 2.0 * weight
    return (norm - 1.0) ** 2, 2.0 * (norm - 1.0) * weight / norm


@pytest.mark.parametrize("weight", [1e5, 1e-8])
@pytest.mark.parametrize("name", LINEAR)
def test_gradients_that_float16_does_not_hold(name, weight):
    """Whose largest number is 65504, and whose smallest 6e-8."""
    keras.config.set_dtype_policy("mixed_float16")
    make, component, _ = LINEAR[name]
    model = make(weight)
    assert model.players[0].networks[0].layers[2].compute_dtype == "float16"
    _, components = loss_and_components(model)
    expected = by_hand(name, weight)[0]
    assert float(components[component]) == pytest.approx(expected, rel=1e-5, abs=1e-20)


@pytest.mark.parametrize("name", LINEAR)
def test_the_loss_has_the_penalty_and_passes_its_gradient_to_the_weights(name):
    make, component, its_weight = LINEAR[name]
    found = {}
    for factor in (3.0, 0.0):
        keras.utils.set_random_seed(0)
        model = make(0.5)
        vars(model)[its_weight] = factor  # Which a constructor would refuse to be changed.
        kernel = model.players[0].networks[0].layers[2].kernel.value
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            loss, components = loss_and_components(model)
        found[factor] = float(loss), tape.gradient(loss, kernel).numpy()
    penalty, derivative = by_hand(name, 0.5)
    assert float(components[component]) == pytest.approx(penalty, rel=1e-5)
    assert found[3.0][0] - found[0.0][0] == pytest.approx(3.0 * penalty, rel=1e-4)
    difference = found[3.0][1] - found[0.0][1]
    np.testing.assert_allclose(difference, np.full(kernel.shape, 3.0 * derivative), rtol=1e-3)


@pytest.mark.parametrize(
    "penalty, policy, passes",
    [
        ("r1", "float32", 2),
        ("r2", "mixed_bfloat16", 2),
        ("gradient", "float32", 3),
        ("r1", "mixed_float16", 3),
    ],
)
def test_r1_and_r2_are_taken_in_the_loss_s_own_pass_but_for_float16(penalty, policy, passes):
    keras.config.set_dtype_policy(policy)
    model = models.GAN(dense_generator(), linear(1, 0.5), penalty=penalty, seed=0)
    calls, call = [], model.discriminator.call
    model.discriminator.call = lambda *args, **kwargs: calls.append(1) or call(*args, **kwargs)
    loss_and_components(model)
    assert len(calls) == passes


def test_a_penalty_in_the_loss_s_own_pass_has_the_gradients_of_one_in_a_pass_of_its_own():
    with float64():
        images = keras.Input(SHAPE)
        x = keras.layers.Conv2D(4, 3, 2, activation="tanh")(images)
        critic = keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(x)))
    points = tf.constant(IMAGES, "float64")
    variables = [variable.value for variable in critic.trainable_variables]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(points)
        scores, penalty = losses.penalties.judged_and_penalized(critic, points)
        one_pass = tf.reduce_mean(tf.nn.softplus(-scores)) + 3.0 * penalty
        with tf.GradientTape() as inner:
            inner.watch(points)
            outputs = critic(points)
        slopes = inner.gradient(outputs, points)
        expected = 0.5 * tf.reduce_mean(tf.reduce_sum(slopes**2, axis=(1, 2, 3)))
        two_passes = tf.reduce_mean(tf.nn.softplus(-critic(points))) + 3.0 * expected
    assert float(penalty) == pytest.approx(float(expected), rel=1e-12)
    gradients = [tape.gradient(loss, variables) for loss in (one_pass, two_passes)]
    for found, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(found, other, rtol=1e-11, atol=1e-13)


def progan(scale=1.0):
    keras.utils.set_random_seed(0)
    generator = networks.ProgressiveGenerator(SMALL.shape[1:], 4, filters=2)
    critic = networks.ProgressiveDiscriminator(SMALL.shape[1:], filters=2)
    last = [v for v in critic.active_variables() if v.path.endswith("kernel")][-1]
    last.assign(last * scale)
    return models.ProGAN(
        generator, critic, progressive=False, drift_weight=0.5, ema_momentum=None, seed=0
    )


def test_a_growing_critic_s_penalty_in_half_precision():
    found = []
    for policy in ("float32", "mixed_float16"):
        keras.config.set_dtype_policy(policy)
        model = progan(scale=1e7)
        assert model.critic.compute_dtype == policy.removeprefix("mixed_")
        found.append(float(loss_and_components(model, SMALL)[1]["penalty"]))
    norm = np.sqrt(found[0]) + 1.0
    assert norm > 65504 * 4, "a gradient of 16 pixels that float16 holds"
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def test_a_growing_critic_s_loss_and_what_it_moves():
    """Algorithm 1 of WGAN-GP and the drift, whose gradient is the sum of those of its parts."""
    model = progan()
    state = model.noise.seed_generator.state.numpy()
    variables = [v.value for v in model.variables_of(model.players[0])]
    with tf.GradientTape(persistent=True) as tape:
        loss, components = loss_and_components(model, SMALL)
        model.noise.seed_generator.state.assign(state)
        real, fake = ops.convert_to_tensor(SMALL), ops.convert_to_tensor(-SMALL[::-1])
        penalty = losses.gradient_penalty(model.critic, real, fake, model.noise)
        scores = model.critic(real)
        distance, drift = ops.mean(scores) - ops.mean(model.critic(fake)), ops.mean(scores**2)
        expected = 10.0 * penalty - distance + 0.5 * drift
    parts = {"distance": distance, "penalty": penalty, "drift": drift}
    assert {name: float(x) for name, x in components.items()} == pytest.approx(
        {name: float(x) for name, x in parts.items()}, rel=1e-4
    )
    assert float(loss) == pytest.approx(float(expected), rel=1e-4)
    of_penalty, of_sum, found = (tape.gradient(x, variables) for x in (penalty, expected, loss))
    for mine, theirs in zip(found, of_sum, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)
    assert max(np.abs(g).max() for g in of_penalty if g is not None) > 1e-2
