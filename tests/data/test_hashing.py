"""Random numbers by their place: SplitMix64's numbers, uniform, and independent every way."""

import hashlib

import numpy as np
import pytest
import scipy.stats

from kgen.data import hashing
from kgen.data.hashing import normals, uniforms

SEEDS = (-(2**63), -1, 0, 1, 2**63 - 1)


def splitmix64(state, index):
    """The index-th output of SplitMix64, in Python's integers."""
    bits = (state + (index + 1) * 0x9E3779B97F4A7C15) % 2**64
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) % 2**64
    return bits ^ (bits >> 31)


def test_known_answers():
    # The first outputs of the reference implementation for the state 0.
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [splitmix64(0, index) for index in range(3)] == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_uniforms_are_splitmix64_twice(seed):
    digest = hashlib.blake2b(f"{seed} name".encode(), digest_size=8).digest()
    key = int.from_bytes(digest, "little")
    rows = np.array([0, 5, 10**12], np.int64)
    expected = [
        [(splitmix64(splitmix64(key, int(row)), index) >> 11) * 2.0**-53 for index in range(3)]
        for row in rows
    ]
    assert uniforms(seed, "name", rows, 3).tolist() == expected


def test_a_number_depends_on_its_place_alone():
    rows = np.random.default_rng(0).integers(0, 2**62, 50)
    together = uniforms(3, "a", rows, 4)
    assert np.array_equal(uniforms(3, "a", rows[::-1], 4), together[::-1])
    assert np.array_equal(uniforms(3, "a", rows, 9)[:, :4], together)
    alone = np.concatenate([uniforms(3, "a", rows[i : i + 1], 4) for i in range(50)])
    assert np.array_equal(alone, together)
    assert uniforms(3, "a", rows[:0], 4).shape == (0, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_uniform(seed):
    numbers = uniforms(seed, "a", np.arange(20000), 5)
    assert numbers.dtype == np.float64
    assert numbers.min() >= 0.0 and numbers.max() < 1.0
    assert scipy.stats.kstest(numbers.ravel(), "uniform").pvalue > 1e-3
    low_bits = (numbers * 2**32) % 1.0
    assert scipy.stats.kstest(low_bits.ravel(), "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    "other",
    [
        lambda rows: uniforms(0, "a", rows + 1, 1),
        lambda rows: uniforms(0, "a", rows + 2**32, 1),
        lambda rows: uniforms(0, "a", rows, 2)[:, 1:],
        lambda rows: uniforms(0, "a", rows + 1, 2)[:, 1:],
        lambda rows: uniforms(1, "a", rows, 1),
        lambda rows: uniforms(-1, "a", rows, 1),
        lambda rows: uniforms(0, "b", rows, 1),
    ],
    ids=["next row", "far row", "next index", "diagonal", "next seed", "minus seed", "stream"],
)
def test_pairs_fill_the_square(other):
    """Neighbours in any direction are independent: chi-squared over 16 x 16 cells."""
    rows = np.arange(100_000)
    pairs = np.concatenate([uniforms(0, "a", rows, 1), other(rows)], axis=1)
    counts, _, _ = np.histogram2d(*pairs.T, bins=16, range=[[0, 1], [0, 1]])
    assert scipy.stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_normals():
    numbers = normals(0, "a", np.arange(20000), 5)
    assert scipy.stats.kstest(numbers.ravel(), "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(numbers.T) - np.eye(5)).max() < 0.03


def test_normals_are_finite_at_the_ends(monkeypatch):
    ends = np.array([[0, 2**64 - 1]], np.uint64)
    monkeypatch.setattr(hashing, "_bits", lambda *arguments: ends)
    low, high = normals(0, "a", [0], 2)[0]
    assert -8.3 < low < -8.1 and 8.1 < high < 8.3
    assert uniforms(0, "a", [0], 2).tolist() == [[0.0, 1.0 - 2.0**-53]]
