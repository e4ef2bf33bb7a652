"""Modulated convolution against a convolution with each example's own weights."""

import numpy as np
import pytest
from scipy import signal

from kgen.layers import EqualizedConv2D, ModulatedConv2D

GENERATOR = np.random.default_rng(0)
MAPS = GENERATOR.standard_normal((3, 4, 5, 6)).astype("float32")
STYLES = GENERATOR.standard_normal((3, 4)).astype("float32")


def _per_example(layer, gain=1.0, epsilon=1e-8):
    """Equations 1 to 3 with weights of each example's own, and then its bias."""
    kernel = layer.kernel.numpy().astype("float64")
    kernel *= gain / np.sqrt(np.prod(kernel.shape[:3]))
    affine, shift = (weight.numpy() for weight in (layer.affine.kernel, layer.affine.bias))
    outputs = []
    for maps, style in zip(MAPS, STYLES @ affine / np.sqrt(STYLES.shape[1]) + shift, strict=True):
        weights = kernel * style[:, None]
        if layer.demodulate:
            weights /= np.sqrt(np.square(weights).sum(axis=(0, 1, 2)) + epsilon)
        maps_of = [
            sum(
                signal.correlate(maps[:, :, i], weights[:, :, i, o], mode="same")
                for i in range(maps.shape[-1])
            )
            for o in range(layer.filters)
        ]
        outputs.append(np.stack(maps_of, axis=-1))
    return np.stack(outputs) + (0.0 if layer.bias is None else layer.bias.numpy())


@pytest.mark.parametrize(
    "kernel_size, kwargs",
    [(3, {}), (1, {"demodulate": False, "gain": 2.0}), (3, {"use_bias": False, "epsilon": 1.0})],
)
def test_equations_1_to_3(kernel_size, kwargs):
    layer = ModulatedConv2D(7, kernel_size, **kwargs)
    layer([MAPS, STYLES])
    for variable in layer.trainable_variables:
        variable.assign(variable + GENERATOR.standard_normal(variable.shape))
    expected = _per_example(layer, kwargs.get("gain", 1.0), kwargs.get("epsilon", 1e-8))
    np.testing.assert_allclose(layer([MAPS, STYLES]), expected, rtol=1e-4, atol=1e-5)


def test_start():
    layer = ModulatedConv2D(400, 3, demodulate=False)
    outputs = layer([MAPS, 0.0 * STYLES])
    np.testing.assert_array_equal(layer.affine.bias, np.ones(6))
    np.testing.assert_array_equal(layer.bias, np.zeros(400))
    np.testing.assert_allclose(np.std(layer.kernel), 1.0, rtol=0.05)
    # A style of zeros leaves an equalised convolution.
    plain = EqualizedConv2D(400, 3, gain=1.0)
    plain.build(MAPS.shape)
    plain.set_weights([layer.kernel, layer.bias])
    np.testing.assert_allclose(outputs, plain(MAPS), rtol=1e-4, atol=1e-5)


def test_demodulated_outputs_of_unit_inputs_have_unit_deviation_whatever_the_style():
    maps = GENERATOR.standard_normal((2, 64, 64, 8)).astype("float32")
    layer = ModulatedConv2D(4, 3)
    layer([maps, STYLES[:2]])
    for size in (0.1, 1.0, 10.0):
        outputs = layer([maps, size * STYLES[:2]]).numpy()[:, 1:-1, 1:-1]
        np.testing.assert_allclose(outputs.std(axis=(1, 2)), 1.0, rtol=0.1)


def test_refusals():
    for name, value in (("filters", 0), ("filters", 1.5), ("kernel_size", 0)):
        with pytest.raises(ValueError, match=f"`{name}` should be a positive.*{name}={value}"):
            ModulatedConv2D(**{"filters": 3, "kernel_size": 3, name: value})
    for name in ("gain", "epsilon"):
        with pytest.raises(ValueError, match=f"`{name}` should be positive.*{name}=-1"):
            ModulatedConv2D(3, 3, **{name: -1})
    for inputs in (MAPS, [MAPS], [MAPS, MAPS], [STYLES, MAPS]):
        with pytest.raises(ValueError, match="ModulatedConv2D: expected a list of two inputs"):
            ModulatedConv2D(3, 3)(inputs)
