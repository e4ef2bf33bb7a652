"""The VAE: its bounds, and its likelihood against models where it is known."""

import keras
import numpy as np
import pytest
import scipy.stats

from kgen import losses, models, networks
from tests.systems import SHAPE, SYSTEMS

BATCH = SYSTEMS["vae"].batch()


def linear_gaussian(image_dims=(2, 2, 1), latent_dim=2, scale=0.5, encoder_scale=1.0):
    """Probabilistic PCA: x = W z + b + scale * noise, whose log p(x) is a normal density's.

    The encoder is the exact posterior, its deviation multiplied by `encoder_scale`.
    """
    rng = np.random.default_rng(0)
    size = int(np.prod(image_dims))
    loadings, offset = rng.normal(size=(latent_dim, size)), rng.normal(size=size)
    precision = np.eye(latent_dim) + loadings @ loadings.T / scale**2
    # Orthogonal loadings make the posterior's covariance diagonal, as the encoder's is.
    loadings = np.linalg.svd(loadings, full_matrices=False)[2]
    precision = np.eye(latent_dim) + loadings @ loadings.T / scale**2
    covariance = np.linalg.inv(precision)
    gain = covariance @ loadings / scale**2  # (latent_dim, size)

    latents = keras.Input((latent_dim,))
    mean = keras.layers.Dense(size, name="mean")(latents)
    mean = keras.layers.Reshape(image_dims)(mean)
    log_scale = keras.layers.Lambda(lambda x: 0.0 * x + np.log(scale))(mean)
    decoder = keras.Model(latents, keras.layers.Concatenate()([mean, log_scale]))
    decoder.get_layer("mean").set_weights([loadings, offset])

    images = keras.Input(image_dims)
    flat = keras.layers.Flatten()(images)
    posterior_mean = keras.layers.Dense(latent_dim, name="posterior")(flat)
    log_variance = np.log(np.diag(covariance) * encoder_scale**2)
    constant = keras.layers.Lambda(lambda x: 0.0 * x + log_variance.astype("float32"))
    encoder = keras.Model(images, [posterior_mean, constant(posterior_mean)])
    encoder.get_layer("posterior").set_weights([gain.T, -gain @ offset])

    model = models.VAE(encoder, decoder, likelihood="gaussian", seed=0)
    marginal = scipy.stats.multivariate_normal(
        offset, loadings.T @ loadings + scale**2 * np.eye(size)
    )
    x = 0.4 * marginal.rvs(8, random_state=1).astype("float32")  # In [-1, 1], as images are.
    return model, x.reshape(8, *image_dims), marginal.logpdf(x)


def test_log_prob_of_a_known_model_is_exact_under_its_posterior():
    """With q the true posterior every importance weight is p(x), so one sample is enough."""
    model, x, expected = linear_gaussian()
    np.testing.assert_allclose(model.log_prob(x, samples=1), expected, rtol=1e-4)


def test_log_prob_of_a_known_model_under_another_encoder():
    model, x, expected = linear_gaussian(encoder_scale=1.5)
    few, many = model.log_prob(x, samples=1, seed=1), model.log_prob(x, samples=500, seed=1)
    np.testing.assert_allclose(many, expected, atol=0.05)
    assert np.abs(few - expected).max() > 0.1
    np.testing.assert_array_equal(few, model.log_prob(x, samples=1, seed=1))


def test_bits_per_dimension():
    model, x, expected = linear_gaussian()
    found = model.bits_per_dimension(x, samples=1)
    np.testing.assert_allclose(found, -expected / (4 * np.log(2)), rtol=1e-4)


def test_bound_is_that_of_the_paper():
    """Under the exact posterior the evidence bound is log p(x) in expectation."""
    model, x, expected = linear_gaussian()
    x = np.repeat(x, 500, axis=0)
    loss, parts = model.negative_bound(x, training=False)
    assert float(loss) == pytest.approx(-expected.mean(), abs=0.05)
    assert float(loss) == pytest.approx(float(parts["reconstruction"] + parts["kl"]), rel=1e-5)


def test_more_importance_samples_tighten_the_bound():
    """IWAE's bounds rise with k towards log p(x); Burda et al. 2016, theorem 1."""
    model, x, expected = linear_gaussian(encoder_scale=2.0)
    x = np.repeat(x, 500, axis=0)
    bounds = []
    for samples in (1, 5, 50):
        copy = models.VAE(
            model.encoder, model.decoder, likelihood="gaussian", importance_samples=samples, seed=0
        )
        bounds.append(-float(copy.negative_bound(x, training=False)[0]))
    assert bounds[0] + 0.2 < bounds[1] < bounds[2] < expected.mean() + 0.02
    assert bounds[2] == pytest.approx(expected.mean(), abs=0.05)


def test_beta_weighs_the_divergence():
    one, four = (
        models.VAE(
            networks.dense_encoder(SHAPE, 3, 8), networks.dense_decoder(SHAPE, 3, 8), beta=b, seed=0
        )
        for b in (1.0, 4.0)
    )
    four.set_weights(one.get_weights())
    loss, parts = four.negative_bound(BATCH, training=False)
    assert float(loss) == pytest.approx(
        float(parts["reconstruction"] + 4.0 * parts["kl"]), rel=1e-5
    )


@pytest.mark.parametrize("likelihood", losses.LIKELIHOODS)
def test_each_likelihood_learns_to_reconstruct(likelihood):
    model = models.VAE(
        networks.dense_encoder(SHAPE, 4, hidden_layers=0),
        networks.dense_decoder(SHAPE, 4, likelihood=likelihood, hidden_layers=0),
        likelihood=likelihood,
    )
    model.compile(keras.optimizers.Adam(1e-2), steps_per_execution=50)
    before = np.mean((model.reconstruct(BATCH) - BATCH) ** 2)
    model.fit(np.tile(BATCH, (50, 1, 1, 1)), batch_size=8, epochs=2, verbose=0)
    images = model.reconstruct(BATCH)
    assert np.mean((images - BATCH) ** 2) < 0.3 * before
    assert images.shape == BATCH.shape and np.abs(images).max() <= 1.0
    assert model.encode(BATCH).shape == (8, 4)
    np.testing.assert_allclose(model.decode(model.encode(BATCH)), images, atol=1e-5)
    np.testing.assert_allclose(model.predict(BATCH, verbose=0), images, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"likelihood": "poisson"}, "`likelihood` must be one of .*'poisson'"),
        ({"likelihood": "gaussian"}, r"expected one output \(8, 8, 2\), received \[\(8, 8, 1\)\]"),
        ({"beta": -1.0}, "`beta`.*-1.0"),
        ({"importance_samples": 0}, "`importance_samples`.*0"),
        ({"importance_samples": 5, "beta": 2.0}, "beta=2.0 with importance_samples=5"),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    encoder, decoder = networks.dense_encoder(SHAPE, 3, 8), networks.dense_decoder(SHAPE, 3, 8)
    with pytest.raises(ValueError, match=message):
        models.VAE(encoder, decoder, **arguments)


def test_networks_that_do_not_fit():
    encoder, decoder = networks.dense_encoder(SHAPE, 3, 8), networks.dense_decoder(SHAPE, 4, 8)
    with pytest.raises(ValueError, match=r"latents \(3,\), received an input of \(4,\)"):
        models.VAE(encoder, decoder)
    with pytest.raises(ValueError, match="two tensors"):
        models.VAE(decoder, decoder)
