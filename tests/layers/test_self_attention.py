"""Self-attention by its equations."""

import numpy as np
import pytest
from keras import ops

from kgen.layers import SelfAttention, SpectralNormalization

X = np.random.default_rng(0).standard_normal((2, 4, 6, 16)).astype("float32")


def _expected(layer, x, pool):
    """Equations 1 to 3, pixel by pixel."""
    w_f, w_g, w_h, w_v = (
        one.kernel.numpy()[0, 0] for one in (layer.keys, layer.queries, layer.values, layer.outputs)
    )
    outputs = np.empty_like(x)
    for index, image in enumerate(x):
        keys, values = image @ w_f, image @ w_h
        if pool:
            keys, values = (_pooled(maps) for maps in (keys, values))
        keys, values = (maps.reshape(-1, maps.shape[-1]) for maps in (keys, values))
        for place in np.ndindex(image.shape[:2]):
            scores = np.exp(keys @ (image[place] @ w_g))
            attended = (scores / scores.sum()) @ values
            outputs[index][place] = image[place] + float(layer.gamma) * attended @ w_v
    return outputs


def _pooled(maps):
    rows, columns = (range(0, size, 2) for size in maps.shape[:2])
    return np.array([[maps[i : i + 2, j : j + 2].max((0, 1)) for j in columns] for i in rows])


@pytest.mark.parametrize("pool", [True, False])
@pytest.mark.parametrize("size", [(4, 6), (3, 5), (1, 1)])
def test_equations_1_to_3(size, pool):
    x = X[:, : size[0], : size[1]]
    layer = SelfAttention(pool=pool)
    np.testing.assert_array_equal(layer(x), x)
    layer.gamma.assign(0.5)
    np.testing.assert_allclose(layer(x), _expected(layer, x, pool), rtol=1e-4, atol=1e-5)


def test_channels():
    for channels, reduction, narrow, half in (
        (16, 8, 2, 8),
        (16, 4, 4, 8),
        (3, 8, 1, 1),
        (1, 8, 1, 1),
    ):
        layer = SelfAttention(reduction=reduction)
        layer.build((None, 4, 4, channels))
        assert layer.keys.filters == layer.queries.filters == narrow
        assert (layer.values.filters, layer.outputs.filters) == (half, channels)


def test_spectral_normalises_all_four_convolutions_in_training():
    layer = SelfAttention(spectral=True)
    layer(X)
    layer.gamma.assign(0.5)
    convolutions = (layer.keys, layer.queries, layer.values, layer.outputs)
    assert all(isinstance(one, SpectralNormalization) for one in convolutions)
    before = [one.vector_u.numpy() for one in convolutions]
    layer(X)
    for one, vector in zip(convolutions, before, strict=True):
        np.testing.assert_array_equal(one.vector_u, vector)
    layer(X, training=True)
    for one, vector in zip(convolutions, before, strict=True):
        assert np.max(np.abs(one.vector_u - vector)) > 1e-3
        one.converge()
    plain = SelfAttention()
    plain.build(X.shape)
    plain.gamma.assign(0.5)
    names = ("keys", "queries", "values", "outputs")
    for one, name in zip(convolutions, names, strict=True):
        kernel = one.layer.kernel.numpy()
        largest = np.linalg.svd(kernel[0, 0], compute_uv=False)[0]
        getattr(plain, name).kernel.assign(kernel / largest)
    np.testing.assert_allclose(layer(X), plain(X), rtol=1e-3, atol=1e-4)


def test_softmax_is_float32_under_mixed_precision(monkeypatch):
    dtypes, softmax = [], ops.softmax

    def record(scores, axis):
        dtypes.append(scores.dtype)
        return softmax(scores, axis)

    monkeypatch.setattr(ops, "softmax", record)
    for policy in ("mixed_float16", "float64"):
        SelfAttention(dtype=policy)(X)
    assert dtypes == ["float32", "float64"]


def test_refusals():
    for reduction in (0, 1.5, None):
        with pytest.raises(ValueError, match=f"`reduction` should be a positive.*{reduction}"):
            SelfAttention(reduction=reduction)
    with pytest.raises(ValueError, match="expected ndim=4"):
        SelfAttention()(X[0])
