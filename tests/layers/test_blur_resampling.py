"""Enlargement and reduction with a blur, against SciPy's convolution."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import signal

from kgen.layers import BlurDownsampling2D, BlurUpsampling2D

X = np.random.default_rng(0).standard_normal((2, 4, 6, 3)).astype("float32")


def _filtered(x, kernel, mode="same"):
    """Each map convolved with the outer product of a kernel (not turned: ops correlate)."""
    taps = np.outer(kernel, kernel)[None, :, :, None]
    return signal.correlate(x.astype("float64"), taps, mode=mode, method="fft")


@pytest.mark.parametrize("kernel", [[1, 2, 1], [1], [1, 4, 6, 4, 1], [3, 1, 2], [1] * 9])
def test_repetition_then_filter_and_filter_then_average(kernel):
    normalised = np.array(kernel) / sum(kernel)
    repeated = X.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(
        BlurUpsampling2D(kernel)(X), _filtered(repeated, normalised), rtol=1e-4, atol=1e-5
    )
    average = _filtered(X, normalised).reshape(2, 2, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(BlurDownsampling2D(kernel)(X), average, rtol=1e-4, atol=1e-5)


def test_1_2_1_is_1_3_3_1_between_zeros_and_with_a_stride_borders_too():
    taps = np.array([1.0, 3.0, 3.0, 1.0]) / 4.0
    zeros = np.zeros((2, 8, 12, 3))
    zeros[:, ::2, ::2] = X
    zeros = np.pad(zeros, ((0, 0), (2, 1), (2, 1), (0, 0)))
    expected = _filtered(zeros, taps, "valid")
    np.testing.assert_allclose(BlurUpsampling2D()(X), expected, rtol=1e-4, atol=1e-5)
    padded = np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = _filtered(padded, taps / 2.0, "valid")[:, ::2, ::2]
    np.testing.assert_allclose(BlurDownsampling2D()(X), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kernel", [[1, 2, 1], [1], [1, 4, 6, 4, 1], [3, 1, 2], list(range(1, 12))])
def test_long_axes_are_filtered_in_blocks_as_if_at_once(kernel):
    x = np.random.default_rng(0).standard_normal((2, 256, 192, 2)).astype("float32")
    normalised = np.array(kernel) / sum(kernel)
    repeated = x.repeat(2, axis=1).repeat(2, axis=2)
    expected = _filtered(repeated, normalised)
    np.testing.assert_allclose(BlurUpsampling2D(kernel)(x), expected, rtol=1e-4, atol=1e-5)
    average = _filtered(x, normalised).reshape(2, 128, 2, 96, 2, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(BlurDownsampling2D(kernel)(x), average, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [8, 256])
def test_what_is_known_of_a_shape_stays_known_where_the_batch_is_not(size):
    def shape_of(layer):
        spec = tf.TensorSpec((None, size, 2 * size, 3))
        return tf.function(layer).get_concrete_function(spec).output_shapes.as_list()

    assert shape_of(BlurUpsampling2D()) == [None, 2 * size, 4 * size, 3]
    assert shape_of(BlurDownsampling2D()) == [None, size // 2, size, 3]


def test_by_hand():
    row = np.zeros((1, 1, 4, 1), "float32")
    row[0, 0, :, 0] = [0.0, 16.0, 0.0, 32.0]
    # The only row loses a quarter to the zeros above and below.
    up = np.array([0.0, 4.0, 12.0, 12.0, 4.0, 8.0, 24.0, 24.0])
    np.testing.assert_array_equal(BlurUpsampling2D()(row)[0, :, :, 0], [0.75 * up, 0.75 * up])
    square = np.repeat(row, 2, axis=1)
    np.testing.assert_array_equal(
        BlurDownsampling2D()(square)[0, 0, :, 0], 0.75 * np.array([6.0, 14.0])
    )


def test_the_mean_of_the_inner_pixels_stays():
    inner = BlurUpsampling2D()(np.full((1, 4, 4, 1), 3.0))[:, 1:-1, 1:-1]
    np.testing.assert_array_equal(inner, np.full((1, 6, 6, 1), 3.0))
    inner = BlurDownsampling2D()(np.full((1, 8, 8, 1), 3.0))[:, 1:-1, 1:-1]
    np.testing.assert_array_equal(inner, np.full((1, 2, 2, 1), 3.0))


@pytest.mark.parametrize("make", [BlurUpsampling2D, BlurDownsampling2D])
def test_refusals(make):
    for kernel in ([], [1, 1], [1, -2, 1], 3, None, ["1"]):
        with pytest.raises(ValueError, match=f"{make.__name__}: `kernel` should be a list of an"):
            make(kernel)
    with pytest.raises(ValueError, match="expected ndim=4"):
        make()(X[0])


def test_refuses_odd_sizes():
    for sizes in ((5, 6), (4, 7)):
        with pytest.raises(ValueError, match=rf"should be even.*\(2, {sizes[0]}, {sizes[1]}, 3\)"):
            BlurDownsampling2D()(np.zeros((2, *sizes, 3)))
