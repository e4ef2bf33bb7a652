"""Injected noise, by its formula."""

import numpy as np
import pytest

from kgen.layers import NoiseInjection

GENERATOR = np.random.default_rng(0)
MAPS = GENERATOR.standard_normal((3, 4, 5, 2)).astype("float32")
NOISE = GENERATOR.standard_normal((3, 4, 5, 1)).astype("float32")


def test_formula_and_start():
    layer = NoiseInjection()
    np.testing.assert_array_equal(layer([MAPS, NOISE]), MAPS)
    layer.strength.assign([2.0, -1.0])
    for noise in (NOISE, NOISE[:1]):
        expected = np.stack(
            [MAPS[..., 0] + 2.0 * noise[..., 0], MAPS[..., 1] - noise[..., 0]], axis=-1
        )
        np.testing.assert_allclose(layer([MAPS, noise]), expected, rtol=1e-6, atol=1e-6)


def test_refusals():
    wrong = (NOISE[..., 0], MAPS, NOISE[:, :1], NOISE[:, :, :1])
    for inputs in (MAPS, [MAPS], [MAPS, NOISE, NOISE], *([MAPS, noise] for noise in wrong)):
        with pytest.raises(ValueError, match=r"noise \(batch or 1, height, width, 1\)"):
            NoiseInjection()(inputs)
