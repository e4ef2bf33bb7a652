"""Penalties on codes against NumPy and closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import losses
from kgen.core import SeededNoise, engine

RNG = np.random.default_rng(0)


def test_l1_sparsity_is_the_mean_norm():
    assert float(losses.l1_sparsity(np.array([[1.0, -2.0], [0.0, 0.5]]))) == pytest.approx(1.75)


def test_kl_sparsity_is_that_of_bernoulli_distributions():
    codes = RNG.uniform(size=(50, 3)).astype("float32")
    means = codes.astype("float64").mean(axis=0)
    expected = np.sum(0.1 * np.log(0.1 / means) + 0.9 * np.log(0.9 / (1 - means)))
    assert float(losses.kl_sparsity(codes, 0.1)) == pytest.approx(expected, rel=1e-5)


def test_kl_sparsity_is_zero_at_the_target_and_finite_at_the_ends():
    assert float(losses.kl_sparsity(np.full((4, 2), 0.25), 0.25)) == pytest.approx(0.0, abs=1e-6)
    for end in (0.0, 1.0):
        assert 0.0 < float(losses.kl_sparsity(np.full((4, 2), end), 0.05)) < 40.0


def test_penalties_of_half_precision_codes_are_summed_in_float32():
    codes = np.full((3, 100), 1000.0, "float16")  # Their norm is more than float16 holds.
    assert float(losses.l1_sparsity(codes)) == pytest.approx(100_000.0)
    codes = np.full((70_000, 2), 0.25, "float16")  # So is their sum, and 1 - 1e-6 is not in it.
    assert float(losses.kl_sparsity(codes, 0.25)) == pytest.approx(0.0, abs=1e-6)
    expected = 2 * (0.5 * np.log(0.5 / 1e-6) + 0.5 * np.log(0.5))
    found = losses.kl_sparsity(np.ones((2, 2), "float16"), 0.5)
    assert float(found) == pytest.approx(expected, rel=1e-2)


def test_kl_sparsity_of_replicas_is_that_of_all_their_rows():
    """As many on each, and more on one; the rows of one have other means than those of both."""
    codes = RNG.uniform(0.0, 0.3, size=(6, 3)).astype("float32")
    codes[:2] += 0.5
    means = codes.astype("float64").mean(axis=0)
    expected = np.sum(0.1 * np.log(0.1 / means) + 0.9 * np.log(0.9 / (1 - means)))
    strategy = engine.mirrored(2)
    step = tf.function(lambda own: strategy.run(losses.kl_sparsity, (own, 0.1)))
    for parts in (np.split(codes, [3]), np.split(codes, [2])):
        shared = strategy.experimental_distribute_values_from_function(
            lambda context, parts=parts: tf.constant(parts[context.replica_id_in_sync_group])
        )
        found = [float(one) for one in strategy.experimental_local_results(step(shared))]
        assert found == pytest.approx([expected] * 2, rel=1e-5)


def sigmoids(dimensions=3, size=5):
    layer = keras.layers.Dense(dimensions, "sigmoid")
    layer.build((None, size))
    images = RNG.uniform(-1, 1, (7, size)).astype("float32")
    return layer, images


def test_contraction_is_the_papers_closed_form():
    """Rifai et al. 2011, eq. 3: sum_j (h_j (1 - h_j))^2 sum_i W_ij^2 of one layer of sigmoids."""
    layer, images = sigmoids()
    codes = np.asarray(layer(images), "float64")
    weights = np.asarray(layer.kernel, "float64")
    expected = np.mean(np.sum((codes * (1 - codes)) ** 2 * np.sum(weights**2, axis=0), axis=1))
    assert float(losses.contractive_penalty(layer, images, 3)) == pytest.approx(expected, rel=1e-5)


def test_projections_estimate_the_contraction_without_bias():
    layer, images = sigmoids()
    exact = float(losses.contractive_penalty(layer, images, 3))
    few, many = (
        float(losses.contractive_penalty(layer, images, 3, SeededNoise(0), count))
        for count in (1, 20_000)
    )
    assert abs(few - exact) > 1e-3 * exact  # One of them says something else.
    assert many == pytest.approx(exact, rel=1e-2)


def test_the_scale_free_contraction_of_a_matrix():
    """||W||_F^2 tr(C) / tr(W' C W), C being the images' covariance, whatever W is multiplied by."""
    images = RNG.uniform(-1, 1, (9, 5)).astype("float32")
    matrix = RNG.normal(size=(5, 3)).astype("float32")
    covariance = np.cov(images.astype("float64").T, bias=True)
    of_codes = np.trace(matrix.T @ covariance @ matrix)
    expected = np.sum(matrix.astype("float64") ** 2) * np.trace(covariance) / of_codes
    for scale in (1.0, 1e-3, 1e3):
        codes = scale * (images @ matrix) + scale * 7.0
        jacobian = losses.contractive_penalty(lambda x, w=scale: w * (x @ matrix), images, 3)
        found = losses.scale_free_contraction(jacobian, codes, images)
        assert float(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("rows", [1, 3, 64])
def test_codes_that_do_not_differ_have_no_scale(rows):
    codes = tf.Variable(np.full((rows, 2), 100.1, "float32"))
    images = RNG.uniform(-1, 1, (rows, 5)).astype("float32")
    with tf.GradientTape() as tape:
        found = losses.scale_free_contraction(tf.constant(1e-3), codes, images)
    assert float(found) == 0.0
    np.testing.assert_array_equal(tape.gradient(found, codes), 0.0)


def test_a_batch_of_images_that_are_nearly_the_same_weighs_no_more_than_others():
    """As the last batch of an epoch may be: the variances of images and codes are then small."""
    rng = np.random.default_rng(0)
    start, ways = rng.uniform(-1, 1, (1, 20)), rng.uniform(-1, 1, (2, 20))
    kernel = tf.Variable(rng.normal(size=(20, 8)), dtype="float32")
    found = []
    for apart in (1.0, 1e-2, 1e-4):
        images = tf.constant(start + apart * ways, "float32")
        with tf.GradientTape() as tape:
            jacobian = tf.reduce_sum(kernel**2)
            ratio = losses.scale_free_contraction(jacobian, images @ kernel, images)
        found.append([float(ratio), np.linalg.norm(tape.gradient(ratio, kernel))])
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-2)
