"""Likelihoods and divergences against SciPy."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from kgen import losses

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (3, 2, 2, 1)).astype("float32")


def test_bernoulli():
    binary = np.sign(IMAGES)
    logits = RNG.normal(size=IMAGES.shape).astype("float32")
    expected = scipy.stats.bernoulli.logpmf(binary > 0, 1 / (1 + np.exp(-logits))).sum((1, 2, 3))
    np.testing.assert_allclose(losses.bernoulli_log_prob(binary, logits), expected, rtol=1e-5)


def test_gaussian():
    mean, log_scale = RNG.normal(size=(2, *IMAGES.shape)).astype("float32")
    outputs = np.concatenate([mean, log_scale], -1)
    expected = scipy.stats.norm.logpdf(IMAGES, mean, np.exp(log_scale)).sum((1, 2, 3))
    np.testing.assert_allclose(losses.gaussian_log_prob(IMAGES, outputs), expected, rtol=1e-5)


@pytest.mark.parametrize("log_scale", [-6.0, -3.0, 0.0])
def test_discretized_logistic_is_a_distribution(log_scale):
    """The probabilities of the 256 grey levels sum to one, and are SciPy's."""
    levels = (np.arange(256) / 127.5 - 1.0).astype("float32").reshape(-1, 1, 1, 1)
    outputs = np.tile(np.float32([0.3, log_scale]), (256, 1, 1, 1))
    found = np.exp(losses.discretized_logistic_log_prob(levels, outputs))
    assert np.sum(found, dtype="float64") == pytest.approx(1.0, abs=1e-4)
    edges = np.concatenate([[-np.inf], (np.arange(255) + 0.5) / 127.5 - 1.0, [np.inf]])
    expected = np.diff(scipy.stats.logistic.cdf(edges, 0.3, np.exp(log_scale)))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_gaussian_kl_against_integration():
    mean, log_variance = np.float32([[0.7, -1.2]]), np.float32([[0.4, -0.9]])
    expected = 0.0
    for m, v in zip(mean[0], log_variance[0], strict=True):
        q, p = scipy.stats.norm(m, np.exp(v / 2)), scipy.stats.norm(0, 1)

        def integrand(z, q=q, p=p):
            return q.pdf(z) * (q.logpdf(z) - p.logpdf(z))

        expected += scipy.integrate.quad(integrand, -20, 20)[0]
    found = losses.gaussian_kl(mean, log_variance)
    np.testing.assert_allclose(found, [expected], rtol=1e-5)
    np.testing.assert_allclose(losses.gaussian_kl(0 * mean, 0 * mean), [0.0], atol=1e-7)


# Sums that float16, whose largest number is 65504, does not hold.
LARGE = (RNG.uniform(-1, 1, (2, 40, 50, 1))).astype("float16")


def test_likelihoods_of_half_precision_outputs_are_summed_in_float32():
    x, logits = LARGE.astype("float64"), np.where(LARGE > 0, -200.0, 200.0).astype("float16")
    expected = np.sum(0.5 * (x + 1) * logits - np.logaddexp(0, logits.astype("float64")), (1, 2, 3))
    found = losses.bernoulli_log_prob(LARGE, logits)
    assert np.all(expected < -100_000) and found.dtype == "float32"
    np.testing.assert_allclose(found, expected, rtol=1e-5)

    outputs = np.concatenate([0 * LARGE, 0 * LARGE - 5], -1)
    expected = scipy.stats.norm.logpdf(x, 0, np.exp(-5)).sum((1, 2, 3))
    found = losses.gaussian_log_prob(LARGE, outputs)
    assert np.all(expected < -1_000_000) and found.dtype == "float32"
    np.testing.assert_allclose(found, expected, rtol=1e-5)

    # Far above all pixels a bin has CDF(above) (1 - exp(-its width)), but the lowest and highest.
    outputs = np.concatenate([0 * LARGE + 2, 0 * LARGE - 4], -1)
    step, scale = 1.0 / 255.0, np.exp(-4.0)
    tails = scipy.stats.logistic.logcdf((x - 2.0 + step) / scale)
    expected = tails + np.where(np.abs(x) < 1 - step, np.log(-np.expm1(-2 * step / scale)), 0.0)
    expected = np.where(
        x > 1 - step, scipy.stats.logistic.logsf((x - 2.0 - step) / scale), expected
    )
    found = losses.discretized_logistic_log_prob(LARGE, outputs)
    assert np.all(expected.sum((1, 2, 3)) < -100_000) and found.dtype == "float32"
    np.testing.assert_allclose(found, expected.sum((1, 2, 3)), rtol=1e-5)


def test_the_divergence_of_half_precision_codes_is_summed_in_float32():
    mean, log_variance = np.full((2, 100), 300.0, "float16"), np.full((2, 100), 2.0, "float16")
    expected = 0.5 * 100 * (np.expm1(2.0) - 2.0 + 90_000.0)
    found = losses.gaussian_kl(mean, log_variance)
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, [expected, expected], rtol=1e-6)
    # exp(12) alone is more than float16 holds.
    found = losses.gaussian_kl(0 * mean, np.float16(6) * log_variance)
    np.testing.assert_allclose(found, [50 * (np.expm1(12.0) - 12.0)] * 2, rtol=1e-6)
