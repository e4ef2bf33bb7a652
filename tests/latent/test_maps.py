"""Planes and maps of codes: by hand, and against NumPy's eigenvectors."""

import numpy as np
import pytest
from scipy import stats

from kgen.latent import code_map, quantile_plane


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape)


def test_a_plane_is_evenly_spaced_in_probability():
    plane = quantile_plane(rows=4, columns=7, outermost=0.1)
    assert plane.shape == (4, 7, 2) and plane.dtype == np.float32
    probabilities = stats.norm.cdf(plane)
    np.testing.assert_allclose(probabilities[2, :, 0], np.linspace(0.1, 0.9, 7), atol=1e-6)
    np.testing.assert_allclose(probabilities[:, 3, 1], np.linspace(0.9, 0.1, 4), atol=1e-6)
    np.testing.assert_allclose(plane, -plane[::-1, ::-1], atol=1e-6)
    np.testing.assert_array_equal(quantile_plane(1, 1), [[[0.0, 0.0]]])


def test_pca_against_the_eigenvectors_of_the_covariance():
    codes = normal(200, 2, 3) * np.array([3.0, 0.5, 1.0])
    places = code_map(codes)
    rows = codes.reshape(200, 6)
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    for axis in range(2):
        vector = vectors[:, -1 - axis]
        vector = vector * np.sign(vector[np.argmax(np.abs(vector))])
        np.testing.assert_allclose(places[:, axis], (rows - rows.mean(0)) @ vector, atol=1e-9)
        assert places[:, axis].var(ddof=1) == pytest.approx(values[-1 - axis])


def test_tsne_keeps_groups_together_and_repeats():
    codes = normal(60, 5) + 20.0 * np.repeat(np.eye(5)[:3], 20, axis=0)
    places = code_map(codes, "tsne", perplexity=10.0, seed=1)
    assert places.shape == (60, 2)
    np.testing.assert_array_equal(places, code_map(codes, "tsne", perplexity=10.0, seed=1))
    distances = np.linalg.norm(places[:, None] - places, axis=-1)
    nearest = np.argsort(distances, axis=1)[:, 1:6]
    assert (nearest // 20 == np.arange(60)[:, None] // 20).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"codes": normal(2, 5)}, r"`codes` must be at least 3 rows of .* received the shape"),
        ({"codes": normal(5, 1)}, "`codes` must be at least 3 rows of at least 2 numbers"),
        ({"method": "umap"}, "`method` must be one of .*pca.*tsne.* received 'umap'"),
        ({"method": "tsne", "perplexity": 5}, "`perplexity` must be less than .* 5, received 5"),
        ({"method": "tsne", "perplexity": 0}, "`perplexity` must be a finite number above 0"),
        ({"seed": 0.5}, "`seed` must be an integer"),
    ],
)
def test_refused_maps(arguments, message):
    with pytest.raises(ValueError, match=message):
        code_map(**{"codes": normal(5, 5), **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": 0}, "`rows` must be an integer of at least 1"),
        ({"columns": 1.5}, "`columns` must be an integer of at least 1"),
        ({"outermost": 0.0}, "`outermost` must be a finite number above 0"),
        ({"outermost": 0.5}, r"`outermost` must lie in \(0, 0.5\), received 0.5"),
    ],
)
def test_refused_planes(arguments, message):
    with pytest.raises(ValueError, match=message):
        quantile_plane(**arguments)
