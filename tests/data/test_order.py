"""Which rows a batch holds."""

import numpy as np
import pytest
import tensorflow as tf

from kgen.data import order
from kgen.data.order import derived_seed, rows_at


def passes(count, number, seed):
    """Return the orders of the first passes, `(number, count)`."""
    steps = tf.data.Dataset.range(number)
    (orders,) = steps.map(lambda step: rows_at(step, count, count, seed)).batch(number)
    return orders.numpy()


@pytest.fixture(params=["sorted", "by cipher"])
def method(request, monkeypatch):
    """Both ways to an order, whatever the number of rows."""
    monkeypatch.setattr(order, "SORTED_ROWS", 10**9 if request.param == "sorted" else 0)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 17, 100, 1437, 5000])
def test_every_pass_is_a_permutation(count, method):
    orders = passes(count, 20, seed=5)
    assert (np.sort(orders) == np.arange(count)).all()
    assert count < 8 or len({order.tobytes() for order in orders}) == 20


# So few rows as take the cipher 20 us each are always sorted but in a test.
@pytest.mark.parametrize(
    ("count", "number", "method"),
    [
        pytest.param(
            *case, method, marks=[pytest.mark.slow] if "cipher" in method and case[0] < 1437 else []
        )
        for case in [(2, 500), (8, 1000), (100, 1500), (1437, 200)]
        for method in ("sorted", "by cipher")
    ],
    indirect=["method"],
)
def test_every_row_is_as_often_at_every_place(count, number, method):
    orders = passes(count, number, seed=0)
    places = orders[:, :100]
    times = np.stack([np.bincount(column, minlength=count) for column in places.T])
    expected = number / count
    freedom = (count - 1) * min(count - 1, 100)
    chi_square = ((times - expected) ** 2 / expected).sum()
    assert abs(chi_square - freedom) < 4 * np.sqrt(2 * freedom)  # 4 deviations
    # Neighbours: every distance is as frequent, so that no row follows another by rule.
    distances = np.bincount(((orders[:, 1:] - orders[:, :-1]) % count).ravel())[1:]
    expected = distances.sum() / (count - 1)
    chi_square, freedom = ((distances - expected) ** 2 / expected).sum(), max(count - 2, 1)
    assert chi_square < freedom + 5 * np.sqrt(2 * freedom)


def test_passes_agree_as_often_as_chance_would_have_it(method):
    orders = passes(1437, 600, seed=1)
    for lag in (1, 2, 256):
        agreeing = (orders[lag:] == orders[:-lag]).sum() / (600 - lag)
        assert abs(agreeing - 1) < 5 / np.sqrt(600 - lag)  # Poisson's, 5 deviations


def test_all_bits_of_seed_and_pass_count(method):
    seeds = [0, 1, 256, 2**16, 2**32, 2**32 + 1, 2**63 - 1, -1, -(2**63)]
    orders = [rows_at(0, 100, 100, seed).numpy() for seed in seeds]
    orders += [rows_at(step, 100, 100, 0).numpy() for step in (256, 2**16, 2**32, 2**40)]
    assert len({order.tobytes() for order in orders}) == len(orders)


def test_the_order_is_fixed_for_good():
    """A training of an older version goes on with the same batches."""
    assert rows_at(7, 20, 4, seed=3).numpy().tolist() == [13, 18, 9, 12]
    assert rows_at(7, 10**6, 4, seed=3).numpy().tolist() == [540601, 453304, 683936, 336219]
    assert derived_seed(0, "first") == 6636279743996125035


def test_batches_of_a_pass():
    batches = [rows_at(step, 10, 3, seed=2).numpy().tolist() for step in range(6)]
    first, second = np.concatenate(batches[:3]), np.concatenate(batches[3:])
    assert len(set(first)) == len(set(second)) == 9
    assert not np.array_equal(first, second)
    in_order = [rows_at(step, 10, 3).numpy().tolist() for step in (0, 2, 3)]
    assert in_order == [[0, 1, 2], [6, 7, 8], [0, 1, 2]]


def test_derived_seeds():
    seeds = {derived_seed(seed, name) for seed in range(-50, 50) for name in ("a", "b")}
    assert len(seeds) == 200
    assert all(-(2**63) <= seed < 2**63 for seed in seeds)
