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
