"""NumPy's numbers: Python's own by the time that a constructor sees them."""

import inspect

import numpy as np
import pytest

import kgen
from kgen import networks
from kgen.core.numbers import plain, plain_arguments


def test_numbers_of_numpy_become_python_s_and_nothing_else_changes():
    rows = np.ones(3)
    given = [np.float32(0.5), np.array(3), np.bool_(True), (np.int64(2), "a"), {"x": np.array(1.5)}]
    assert plain(given) == [0.5, 3, True, (2, "a"), {"x": 1.5}]
    assert [type(x) for x in plain(given)] == [float, int, bool, tuple, dict]
    assert plain(rows) is rows


def test_a_function_keeps_its_name_and_signature():
    def made(size, *, scale=1.0):
        return size, scale

    wrapped = plain_arguments(made)
    assert wrapped(np.int64(3), scale=np.array(2.0)) == (3, 2.0)
    assert wrapped.__name__ == "made" and inspect.signature(wrapped) == inspect.signature(made)


def test_networks_schedules_and_players_take_them():
    size = np.int64(8)
    generator = networks.dense_generator((size, size, 1), latent_dim=np.array(4), units=np.int32(6))
    assert generator.input_shape == (None, 4) and generator.output_shape == (None, 8, 8, 1)
    growing = networks.ProgressiveGenerator((size, size, 1), np.int64(4), filters=np.int64(2))
    assert growing.get_config()["image_shape"] == [8, 8, 1]
    assert kgen.LinearDecay(np.float32(0.5), np.int64(3), np.array(2)).get_config() == {
        "initial_learning_rate": 0.5,
        "constant_steps": 3,
        "decay_steps": 2,
    }
    player = kgen.core.Player("generator", generator, loss=None, updates=np.int64(2))
    assert type(player.updates) is int
    with pytest.raises(ValueError, match="`generator_updates` must be a positive integer"):
        kgen.core.Player("generator", generator, loss=None, updates=True)
