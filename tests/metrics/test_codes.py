"""What is said of codes, against NumPy on codes that are known."""

import keras
import numpy as np
import pytest

from kgen import models
from kgen.metrics import code_scores

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1.0, 1.0, (30, 2, 3, 1)).astype("float32")


def autoencoder(matrix):
    """One whose codes are the pixels times `matrix`, and 1."""
    images, codes = keras.Input((2, 3, 1)), keras.Input((matrix.shape[1],))
    code = keras.layers.Dense(matrix.shape[1])
    encoder = keras.Model(images, code(keras.layers.Flatten()(images)))
    code.set_weights([matrix, np.ones(matrix.shape[1])])
    decoded = keras.layers.Reshape((2, 3, 1))(keras.layers.Dense(6)(codes))
    return models.Autoencoder(encoder, keras.Model(codes, decoded))


@pytest.mark.parametrize("batch_size", [1, 7, 512])
def test_they_are_those_of_numpy(batch_size):
    matrix = RNG.normal(size=(6, 4))
    matrix[:, 1] = 0.0  # A unit that is always 1.
    matrix[:, 2] *= 1e-3  # One that hardly moves.
    pixels = IMAGES.reshape(30, 6).astype("float64")
    covariance = np.cov(pixels.T, bias=True)
    scores = code_scores(autoencoder(matrix), IMAGES, batch_size=batch_size)
    assert scores["active_units"] == 2
    assert scores["mean_activation"] == pytest.approx(np.mean(pixels @ matrix + 1.0), rel=1e-5)
    assert scores["mean_activation"].interval[0] < scores["mean_activation"]
    expected = np.sum(matrix**2) / np.trace(matrix.T @ covariance @ matrix)
    assert scores["contraction"] == pytest.approx(expected, rel=1e-4)
    again = code_scores(autoencoder(50.0 * matrix), IMAGES, threshold=25.0)
    assert again["contraction"] == pytest.approx(expected, rel=1e-4)
    assert again["active_units"] == 2


def test_a_code_that_is_always_the_same():
    scores = code_scores(autoencoder(np.zeros((6, 2))), IMAGES)
    assert scores["active_units"] == 0
    assert scores["mean_activation"] == 1.0
    assert scores["contraction"] == np.inf


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"images": IMAGES[:1]}, "`images` must have at least 2 images; received 1"),
        ({"threshold": -1.0}, "`threshold` must be"),
        ({"batch_size": 0}, "`batch_size` must be"),
    ],
)
def test_what_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        code_scores(**{"model": autoencoder(np.zeros((6, 2))), "images": IMAGES} | arguments)
