"""Penalties: values by hand, limits, and gradients against central differences in float64."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from kgen import layers, losses
from kgen.core import Noise, engine
from kgen.losses.penalties import gradient_norm

REAL = np.array([[1.0, 2.0], [3.0, -1.0]], "float32")
FAKE = np.array([[0.0, 1.0], [2.0, 2.0]], "float32")


def square(x):
    """D(x) = sum x^2 / 2, so that the gradient at x is x."""
    return ops.sum(ops.square(x), axis=1, keepdims=True) / 2.0


class HalfWay:
    """Stands in for random draws: everything is a half."""

    def uniform(self, shape):
        return ops.full([int(n) for n in shape], 0.5)


def test_r1_and_r2():
    # ||(1, 2)||^2 = 5, ||(3, -1)||^2 = 10; ||(0, 1)||^2 = 1, ||(2, 2)||^2 = 8.
    assert float(losses.r1_penalty(square, REAL, FAKE, None)) == pytest.approx(15 / 4)
    assert float(losses.r2_penalty(square, REAL, FAKE, None)) == pytest.approx(9 / 4)


def test_gradient_penalty_between_real_and_fake():
    points = (REAL + FAKE) / 2  # (0.5, 1.5), (2.5, 0.5)
    expected = np.mean((np.sqrt([2.5, 6.5]) - 1.0) ** 2)
    assert np.allclose(np.sum(points**2, 1), [2.5, 6.5])
    found = losses.gradient_penalty(square, REAL, FAKE, HalfWay())
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_dragan_penalty_is_near_real():
    # Half-way along half a deviation: real + 0.5 * 0.5 * std * 0.5 in every coordinate.
    points = REAL + 0.125 * np.std(REAL)
    expected = np.mean((np.linalg.norm(points, axis=1) - 1.0) ** 2)
    found = losses.dragan_penalty(square, REAL, FAKE, HalfWay())
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_gradient_penalty_draws_one_uniform_number_an_example():
    """On D(x) = sum x^2 / 2 with real 1 and fake 0, the norm of the gradient is alpha itself."""
    real, fake = np.ones((20000, 1), "float32"), np.zeros((20000, 1), "float32")
    # E[(alpha - 1)^2] = 1/3 for a uniform alpha; for a normal one it would be 2.
    found = losses.gradient_penalty(square, real, fake, Noise(0))
    assert float(found) == pytest.approx(1 / 3, abs=0.01)
    wide = np.ones((20000, 4), "float32")
    # One alpha for all four: E[(2 alpha - 1)^2] = 1/3; four of their own would give 0.09.
    found = losses.gradient_penalty(square, wide, 0 * wide, Noise(0))
    assert float(found) == pytest.approx(1 / 3, abs=0.01)


def test_the_norm_is_safe_at_zero():
    flat = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    norm = gradient_norm(flat, ops.convert_to_tensor(REAL))
    assert np.allclose(norm, 0.0, atol=1e-6)
    optimizer = keras.optimizers.SGD(1.0)
    before = flat.get_weights()

    def loss():
        return losses.gradient_penalty(flat, REAL, FAKE, Noise(0)) + ops.sum(flat(REAL)), {}

    engine.minimize(loss, flat.trainable_variables, optimizer)
    after = flat.get_weights()
    assert all(np.all(np.isfinite(w)) for w in after)
    # What is left is the gradient of the plain sum.
    np.testing.assert_allclose(before[0] - after[0], REAL.sum(0)[:, None], atol=1e-6)


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        # D(x) = 300 sum x of 4 pixels: ||grad D||^2 = 4 * 90000, more than float16 holds.
        ("gradient", (600.0 - 1.0) ** 2),
        ("dragan", (600.0 - 1.0) ** 2),
        ("r1", 180_000.0),
        ("r2", 180_000.0),
    ],
)
def test_half_precision_gradients_are_squared_in_float32(penalty, expected):
    def discriminator(x):
        return 300.0 * ops.sum(ops.cast(x, "float16"), axis=1, keepdims=True)

    real, fake = ops.convert_to_tensor(np.float32([[0.5, 0, 0.25, -0.5]] * 2)), ops.zeros((2, 4))
    for dtype in ("float32", "float16"):
        images = ops.cast(real, dtype), ops.cast(fake, dtype)
        draws = HalfWay()
        draws.uniform = lambda shape, dtype=dtype: ops.full([int(n) for n in shape], 0.5, dtype)
        found = losses.PENALTIES[penalty](discriminator, *images, draws)
        assert found.dtype == "float32" and float(found) == pytest.approx(expected, rel=1e-6)


CRITIC_LAYERS = {
    "convolution": lambda: keras.layers.Conv2D(3, 3, padding="same"),
    "layer_normalization": lambda: layers.LayerNormalization(),
    "instance_normalization": lambda: layers.InstanceNormalization(),
    "pixel_normalization": lambda: layers.PixelNormalization(),
    "minibatch_standard_deviation": lambda: layers.MinibatchStandardDeviation(2),
    "equalized_convolution": lambda: layers.EqualizedConv2D(3, 3),
    "spectral_convolution": lambda: layers.SpectralNormalization(
        keras.layers.Conv2D(3, 3, padding="same")
    ),
    "maxout": lambda: layers.Maxout(3, 2),
    "up_sampling": lambda: keras.layers.UpSampling2D(),
    "average_pooling": lambda: keras.layers.AveragePooling2D(2),
    "leaky_relu": lambda: keras.layers.LeakyReLU(0.2),
}


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")


# One penalty through every layer, and every penalty through one: what either is made of.
THROUGH = {(layer, "gradient") for layer in CRITIC_LAYERS}
THROUGH |= {("convolution", penalty) for penalty in losses.PENALTIES}


@pytest.mark.parametrize(
    ("layer", "penalty"),
    [
        pytest.param(*pair, marks=() if pair in THROUGH else pytest.mark.slow)
        for pair in itertools.product(CRITIC_LAYERS, losses.PENALTIES)
    ],
)
def test_gradient_with_respect_to_weights(layer, penalty, float64):
    """The derivative along a random direction of the weights is the central difference's."""
    critic = _critic(CRITIC_LAYERS[layer]())
    along = _penalty_along_a_direction(critic, losses.PENALTIES[penalty])
    analytic = float(engine.input_gradient(along, ops.convert_to_tensor(0.0, "float64")))
    step = 1e-5
    numeric = (float(along(step)) - float(along(-step))) / (2 * step)
    assert analytic == pytest.approx(numeric, rel=1e-5)


def test_a_wrong_layer_would_be_seen(float64):
    """The check above does fail, for the layer that Keras has and kgen refuses."""
    along = _penalty_along_a_direction(
        _critic(keras.layers.LayerNormalization()), losses.gradient_penalty
    )
    analytic = float(engine.input_gradient(along, ops.convert_to_tensor(0.0, "float64")))
    numeric = (float(along(1e-5)) - float(along(-1e-5))) / 2e-5
    assert analytic != pytest.approx(numeric, rel=1e-3)


def _critic(layer):
    images = keras.Input((4, 4, 2))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="tanh")(images)
    x = keras.layers.Conv2D(2, 3, padding="same", activation="tanh")(layer(x))
    if isinstance(layer, layers.SpectralNormalization):
        layer.converge()  # Its u and v are constants only where the power iteration has ended.
    return keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(x)))


def _penalty_along_a_direction(critic, penalty):
    """The penalty as a function of how far all weights have moved along one direction."""
    rng = np.random.default_rng(0)
    real, fake = (ops.convert_to_tensor(rng.normal(size=(4, 4, 4, 2))) for _ in range(2))
    starts = [(v, v.value, rng.normal(size=v.shape)) for v in critic.trainable_variables]

    class SameDraws:
        def uniform(self, shape):
            size = [int(n) for n in shape]
            return ops.convert_to_tensor(np.random.default_rng(2).uniform(size=size))

    def along(distance):
        moved = [(v, start + distance * direction) for v, start, direction in starts]
        with keras.StatelessScope(state_mapping=moved):
            return penalty(lambda x: critic(x, training=False), real, fake, SameDraws())

    return along
