"""Traversals: one coordinate moves, the others stay."""

import numpy as np
import pytest

from kgen.latent import traverse


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_one_coordinate_moves(shape):
    latents = normal(*shape)
    moved = traverse(latents, 2, [-1.0, 0.5])
    assert moved.shape == (2, *shape) and moved.dtype == np.float32
    np.testing.assert_array_equal(moved[0, ..., 2], np.full(shape[:-1], -1.0))
    np.testing.assert_array_equal(moved[1, ..., 2], np.full(shape[:-1], 0.5))
    others = [0, 1, 3]
    np.testing.assert_array_equal(moved[..., others], np.stack([latents[..., others]] * 2))


def test_each_of_several():
    latents = normal(3, 4)
    moved = traverse(latents, [3, 0])
    assert moved.shape == (2, 9, 3, 4)
    np.testing.assert_array_equal(moved[0], traverse(latents, 3))
    np.testing.assert_array_equal(moved[1], traverse(latents, 0))
    assert traverse(latents, [1]).shape == (1, 9, 3, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"coordinates": 4}, "`coordinates` must be an integer from 0 to 3, .* received 4"),
        ({"coordinates": [0, -1]}, r"`coordinates` must be .* received \[0, -1\]"),
        ({"coordinates": []}, "`coordinates` must be"),
        ({"coordinates": 1.0}, "`coordinates` must be"),
        ({"coordinates": True}, "`coordinates` must be"),
        ({"values": 1.0}, "`values` must be a list of finite numbers, received 1.0"),
        ({"values": [np.inf]}, "`values` must be a list of finite numbers"),
        ({"latents": [np.nan]}, "`latents` must be finite"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        traverse(**{"latents": normal(4), "coordinates": 0, **arguments})
