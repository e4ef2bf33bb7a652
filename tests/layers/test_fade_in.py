"""Fading in, by its formula, and repetition."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.core import engine
from kgen.layers import FadeIn, repeat_pixels

GENERATOR = np.random.default_rng(0)
HIGH = GENERATOR.standard_normal((2, 4, 6, 3)).astype("float32")


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_repeat_pixels_is_a_kronecker_product(factor, jit_compile):
    repeat = tf.function(lambda x: repeat_pixels(x, factor), jit_compile=jit_compile)
    expected = np.kron(HIGH, np.ones((1, factor, factor, 1)))
    np.testing.assert_array_equal(repeat(HIGH), expected)
    images = keras.Input((None, 6, 3))
    assert repeat_pixels(images, factor).shape == (None, None, 6 * factor, 3)


@pytest.mark.parametrize("factor", [1, 2])
def test_formula(factor):
    low = GENERATOR.standard_normal((2, 4 // factor, 6 // factor, 3)).astype("float32")
    enlarged = np.kron(low, np.ones((1, factor, factor, 1)))
    layer = FadeIn(alpha=0.25)
    expected = enlarged + 0.25 * (HIGH - enlarged)
    np.testing.assert_allclose(layer([low, HIGH]), expected, rtol=1e-5, atol=1e-6)
    for alpha, exactly in ((0.0, enlarged), (1.0, HIGH)):
        layer.alpha.assign(alpha)
        np.testing.assert_array_equal(layer([1e9 * (alpha == 1) * low + low, HIGH]), exactly)


def test_alpha_is_a_variable_from_the_start_and_its_start_is_the_config():
    layer = FadeIn(alpha=0.5)
    assert layer.built and layer.alpha.dtype == "float32" and not layer.alpha.trainable
    layer.alpha.assign(0.75)
    assert layer.get_config()["alpha"] == 0.5
    assert float(FadeIn.from_config(layer.get_config()).alpha) == 0.5
    assert float(FadeIn().alpha) == 1.0


def test_alpha_is_assigned_within_replicas():
    strategy = engine.mirrored(2)
    with strategy.scope():
        layer = FadeIn(alpha=0.0)

    @tf.function
    def step():
        strategy.run(lambda: layer.alpha.assign(layer.alpha + 0.25))

    step()
    assert [float(copy) for copy in layer.alpha.value.values] == [0.25, 0.25]


def test_sizes_partly_unknown():
    high = keras.Input((4, None, 3))
    low = keras.Input((2, None, 3))
    network = keras.Model([low, high], FadeIn(alpha=0.0)([low, high]))
    assert network.output_shape == (None, 4, None, 3)
    np.testing.assert_array_equal(
        network([HIGH[:, ::2, ::2], HIGH]), np.kron(HIGH[:, ::2, ::2], np.ones((1, 2, 2, 1)))
    )


def test_refusals():
    for alpha in (-0.1, 1.5, "0.5", None, float("nan")):
        with pytest.raises(ValueError, match=rf"`alpha` should be in \[0, 1\].*{alpha!r}"):
            FadeIn(alpha)
    for low in ((2, 3, 3, 3), (2, 2, 2, 3), (2, 8, 12, 3), (2, 2, 3, 1), (2, 2, 3)):
        with pytest.raises(ValueError, match=r"`low` and `high`.*integer times.*\(2, 4, 6, 3\)"):
            FadeIn()([np.zeros(low, "float32"), HIGH])
    for inputs in (keras.Input((4, 6, 3)), [keras.Input((4, 6, 3))] * 3):
        with pytest.raises(ValueError, match="expected a list of two inputs, `low` and `high`"):
            FadeIn()(inputs)
