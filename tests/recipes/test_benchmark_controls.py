"""What tables are held against: simple methods on the same data, and what was published."""

import dataclasses

import keras
import numpy as np
import pytest

from recipes import benchmark, conditional
from recipes.benchmark import denoising, digit_codes, pix2pix, pretraining, trials, vae
from tests.recipes.conftest import DATA_ARE_TRACED

pytestmark = DATA_ARE_TRACED


def test_every_table_says_what_differs_from_what_was_published():
    for table in benchmark.TABLES.values():
        same = table.departures.startswith("the published protocol")
        assert same == (table.name in ("ring", "grid", "stacked_mnist")), table.name
        told = [table.departures, *(entry.name + entry.source for entry in table.published)]
        assert not any("(m)" in part for part in told), table.name


def test_iwae_has_its_own_numbers_beside_its_network():
    found = {
        entry.row: entry.scores["nll"]
        for entry in vae.VAES.published
        if entry.source.startswith("Burda et al.")
    }
    assert found == {"vae_k1": "88.71", "iwae_k5": "87.63", "iwae_k50": "87.10"}


def test_batches_of_10_are_told_from_batches_of_1():
    """Isola et al.'s table 2 is of another batch than their tables 1 and 3."""
    of_ten = {e.scores["accuracy"] for e in pix2pix.PIX2PIX.published if "batches of 10" in e.name}
    assert of_ten == {"0.35", "0.29", "0.48", "0.55"}
    for entry in pix2pix.PIX2PIX.published:
        assert ("batches of 10" in entry.name) == ("batches of 10" in entry.source)


def test_the_linear_map_is_ridge_regression(monkeypatch):
    """Against the normal equations of one draw, and better than the noise that it takes away."""
    images, _ = conditional.arrays("digits", "train")
    images = images[:300]
    monkeypatch.setattr(denoising, "DRAWS", 1)
    monkeypatch.setattr(denoising, "PENALTIES", (5.0,))
    found = denoising._linear_map(images, "gaussian", seed=2)(images[:4])
    rows = images.reshape(300, -1).astype("float64")
    noisy = denoising._corrupted(images, "gaussian", 3000).reshape(300, -1).astype("float64")
    given, wanted = noisy[30:], rows[30:]
    x, y = given - given.mean(axis=0), wanted - wanted.mean(axis=0)
    weights = np.linalg.solve(x.T @ x + 5.0 * np.eye(x.shape[1]), x.T @ y)
    expected = (rows[:4] - given.mean(axis=0)) @ weights + wanted.mean(axis=0)
    np.testing.assert_allclose(found.reshape(4, -1), expected, atol=1e-3)


def test_the_linear_map_is_ahead_of_the_noise_and_chooses_its_penalty(monkeypatch):
    train, test = (conditional.arrays("digits", split)[0] for split in ("train", "test"))
    noisy = denoising._corrupted(test, "gaussian", 0)

    def error(penalties):
        monkeypatch.setattr(denoising, "PENALTIES", penalties)
        return np.mean(np.square(denoising._linear_map(train, "gaussian", 0)(noisy) - test))

    one, other, chosen = error((1e-3,)), error((1e6,)), error((1e-3, 100.0, 1e6))
    assert chosen <= min(one, other) < np.mean(np.square(noisy - test))


def test_pixels_without_a_network_are_a_row_of_pretraining(monkeypatch):
    monkeypatch.setattr(keras, "Sequential", None)  # Not used.
    monkeypatch.setattr(digit_codes, "trained", None)
    protocol = dataclasses.replace(pretraining.PRETRAINING.small, data="digits")
    found = [
        pretraining.train(protocol, trials.Trial(f"svm_{count}", 0, seed=0))[0]["accuracy"]
        for count in (50, 500)
    ]
    assert 0.7 < found[0] < found[1] and found[1] == pytest.approx(0.97, abs=0.03)
