"""The reparameterised Gaussian: moments, gradients, precision and random state."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from keras.src.testing import TestCase

from kgen.layers import GaussianSampling


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
def test_keras_layer_test():
    TestCase().run_layer_test(
        GaussianSampling,
        init_kwargs={"seed": 3},
        input_shape=((4, 2), (4, 2)),
        expected_output_shape=(4, 2),
        expected_num_trainable_weights=0,
        expected_num_seed_generators=1,
    )


@pytest.mark.parametrize("training", [True, False])
def test_moments(training):
    layer = GaussianSampling(seed=0)
    mean, log_variance = np.full((50_000, 2), 3.0), np.full((50_000, 2), np.log(4.0))
    sample = ops.convert_to_numpy(layer((mean, log_variance), training=training))
    np.testing.assert_allclose(sample.mean(0), 3.0, atol=0.04)
    np.testing.assert_allclose(sample.std(0), 2.0, atol=0.03)


def test_gradients_are_those_of_the_formula():
    mean, log_variance = tf.constant([[1.0, -2.0]]), tf.constant([[0.5, -1.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([mean, log_variance])
        sample = GaussianSampling(seed=1)((mean, log_variance))
    np.testing.assert_array_equal(tape.gradient(sample, mean), np.ones((1, 2)))
    expected = 0.5 * (sample - mean)
    np.testing.assert_allclose(tape.gradient(sample, log_variance), expected, rtol=1e-5)


def test_draws_move_and_a_seed_repeats_them():
    inputs = (np.zeros((3, 2), "float32"), np.zeros((3, 2), "float32"))
    first, again = GaussianSampling(seed=5), GaussianSampling(seed=5)
    draws = [first(inputs).numpy(), first(inputs).numpy()]
    assert np.abs(draws[0] - draws[1]).min() > 0
    np.testing.assert_array_equal(draws, [again(inputs), again(inputs)])


def test_exponential_in_float32_under_mixed_precision():
    layer = GaussianSampling(seed=0, dtype="mixed_float16")
    log_variance = np.full((4, 2), 26.0, "float32")  # exp(26 / 2) = 4.4e5 is no float16
    mean = np.zeros((4, 2), "float32")
    assert layer((mean, log_variance)).dtype == "float16"
    log_variance = np.full((4, 2), -26.0, "float32")
    plain = GaussianSampling(seed=0)
    plain((mean, log_variance))
    np.testing.assert_allclose(
        layer((mean, log_variance)), plain((mean, log_variance)), rtol=0.1, atol=1e-7
    )


@pytest.mark.filterwarnings("ignore:__array__")  # Keras' saving on NumPy 2
def test_saving(tmp_path):
    mean, log_variance = keras.Input((2,)), keras.Input((2,))
    outputs = GaussianSampling(seed=7)((mean, log_variance))
    network = keras.Model([mean, log_variance], outputs)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    inputs = [tf.zeros((3, 2)), tf.zeros((3, 2))]
    np.testing.assert_array_equal(loaded(inputs), network(inputs))


def test_xla():
    """XLA makes other numbers of a seed than eager mode does, but as good ones, and repeatably."""
    layer, again = GaussianSampling(seed=7), GaussianSampling(seed=7)
    inputs = (tf.fill((20_000, 2), 3.0), tf.fill((20_000, 2), np.log(4.0)))
    first, second = (tf.function(one, jit_compile=True)(inputs).numpy() for one in (layer, again))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first.mean(0), 3.0, atol=0.06)
    np.testing.assert_allclose(first.std(0), 2.0, atol=0.05)
    np.testing.assert_array_equal(
        layer.noise.seed_generator.state.numpy(), again.noise.seed_generator.state.numpy()
    )
    assert np.abs(first - layer(inputs)).max() > 0.1


def test_refusals():
    with pytest.raises(ValueError, match="seed='a'"):
        GaussianSampling(seed="a")
    with pytest.raises(ValueError, match="pair"):
        GaussianSampling()((np.zeros((3, 2)), np.zeros((3, 1))))
