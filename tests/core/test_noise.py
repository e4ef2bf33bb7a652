"""Random draws: their distributions, their states, and that XLA draws the same."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from kgen.core import Noise, SeededNoise, engine


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_distributions(seed):
    noise = Noise(seed)
    for name, draw in (("norm", noise.normal), ("uniform", noise.uniform)):
        values = draw((100, 1000)).numpy().ravel()
        assert values.dtype == np.float32
        assert scipy.stats.kstest(values.astype("float64"), name).pvalue > 1e-3
    assert values.min() >= 0.0 and values.max() < 1.0


def test_neighbouring_draws_are_uncorrelated():
    noise = Noise(0)
    draws = np.stack([noise.normal((10000,)) for _ in range(8)])
    correlations = np.corrcoef(draws) - np.eye(8)
    assert np.abs(correlations).max() < 0.05


@pytest.mark.parametrize("draw", [engine.normal, engine.uniform])
def test_xla_draws_the_same(draw):
    def function(seed):
        return draw((64, 10), seed)

    seed = tf.constant([3, 5])
    plain, xla = tf.function(function)(seed), tf.function(function, jit_compile=True)(seed)
    np.testing.assert_allclose(plain, xla, atol=1e-4)


@pytest.mark.parametrize("seed", [[0, 0], [3, -5], [2**31 - 1, -(2**40)], [-7, 2**62]])
def test_bits_are_those_of_tensorflows_philox(seed):
    seed = tf.constant(seed, "int64")
    for shape in ((1,), (1001,), (2, 3, 4, 5)):
        bits = tf.random.stateless_uniform(shape, seed, None, None, "uint32", alg="philox")
        expected = (bits.numpy() >> 9).astype("float32") * np.float32(2.0**-23)
        np.testing.assert_array_equal(engine.uniform(shape, seed), expected)


def test_fewer_rows_are_the_first_of_more():
    few, many = SeededNoise(3).normal((5, 7)), SeededNoise(3).normal((50, 7))
    np.testing.assert_array_equal(few, many[:5])


def test_a_seed_decides_all_draws():
    first, second = SeededNoise(3), SeededNoise(3)
    np.testing.assert_array_equal(first.normal((4,)), second.normal((4,)))
    assert not np.allclose(first.normal((4,)), SeededNoise(3).normal((4,)))
    assert not np.allclose(SeededNoise(3).normal((4,)), SeededNoise(4).normal((4,)))
