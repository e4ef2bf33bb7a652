"""What is said of codes, against NumPy on codes that are known."""

import keras
import numpy as np
import pytest

from kgen import models
from kgen.metrics import code_scores

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1.0, 1.0, (30, 2, 3, 1)).astype("float32")


def autoencoder(matrix, back):
    """One whose codes are 1 + pixels @ matrix and whose images are 0.01 codes @ back."""
    images, codes = keras.Input((2, 3, 1)), keras.Input((matrix.shape[1],))
    code, decode = keras.layers.Dense(matrix.shape[1]), keras.layers.Dense(6, use_bias=False)
    encoder = keras.Model(images, code(keras.layers.Flatten()(images)))
    decoder = keras.Model(codes, keras.layers.Reshape((2, 3, 1))(decode(codes)))
    code.set_weights([matrix, np.ones(matrix.shape[1])])
    decode.set_weights([0.01 * back])
    return models.Autoencoder(encoder, decoder)


@pytest.mark.parametrize("batch_size", [1, 7, 512])
def test_they_are_those_of_numpy(batch_size):
    matrix, back = RNG.normal(size=(6, 4)), RNG.normal(size=(4, 6))
    matrix[:, 1] = 0.0  # A unit that is always 1.
    pixels = IMAGES.reshape(30, 6).astype("float64")
    codes = 1.0 + pixels @ matrix
    scores = code_scores(autoencoder(matrix, back), IMAGES, batch_size=batch_size)
    assert scores["mean_activation"] == pytest.approx(codes.mean(), rel=1e-5)
    assert scores["mean_activation"].interval[0] < scores["mean_activation"]
    covariance = np.cov(pixels.T, bias=True)
    of_codes = np.trace(matrix.T @ covariance @ matrix)
    expected = np.sum(matrix**2) * np.trace(covariance) / of_codes
    assert scores["contraction"] == pytest.approx(expected, rel=1e-4)

    # Of a matrix the images move by (h_j - E[h_j]) times its row: by Var(h_j) times the row's norm.
    shares = codes.var(axis=0) * np.sum((0.01 * back) ** 2, axis=1) / pixels.var(axis=0).sum()
    low, middle, high = np.sort(np.delete(shares, 1))
    for threshold, active in ((0.0, 3), (0.9 * low, 3), (1.1 * low, 2), (1.1 * high, 0)):
        model = autoencoder(matrix, back)
        found = code_scores(model, IMAGES, threshold=threshold, batch_size=batch_size)
        assert found["active_units"] == active
    assert low < middle < high


def test_a_code_may_have_any_scale():
    matrix, back = RNG.normal(size=(6, 4)), RNG.normal(size=(4, 6))
    scores = code_scores(autoencoder(matrix, back), IMAGES, 1e-5)
    others = code_scores(autoencoder(50.0 * matrix, back / 50.0), IMAGES, 1e-5)
    assert others["contraction"] == pytest.approx(scores["contraction"], rel=1e-4)
    assert others["active_units"] == scores["active_units"] == 4


def test_a_code_that_is_always_the_same():
    scores = code_scores(autoencoder(np.zeros((6, 2)), np.ones((2, 6))), IMAGES)
    assert scores["active_units"] == 0
    assert scores["mean_activation"] == 1.0
    assert scores["contraction"] == np.inf


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"images": IMAGES[:1]}, "`images` must have at least 2 images; received 1"),
        ({"images": np.repeat(IMAGES[:1], 3, axis=0)}, "`images` must differ from each other"),
        ({"threshold": -1.0}, "`threshold` must be"),
        ({"batch_size": 0}, "`batch_size` must be"),
    ],
)
def test_what_is_refused(arguments, words):
    model = autoencoder(np.zeros((6, 2)), np.ones((2, 6)))
    with pytest.raises(ValueError, match=words):
        code_scores(**{"model": model, "images": IMAGES} | arguments)
