"""Which pixels of its input a pixel of a layer's output sees, along one axis."""

import math

from keras import layers

import kgen.layers

EVERYTHING = (-math.inf, math.inf)

# Layers whose output pixel sees the input pixel at its own place.
_POINTWISE = (
    layers.Activation,
    layers.ActivityRegularization,
    layers.Add,
    layers.Average,
    layers.BatchNormalization,
    layers.Concatenate,
    layers.Dense,
    layers.Dropout,
    layers.ELU,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.GroupNormalization,
    layers.Identity,
    layers.LayerNormalization,
    layers.LeakyReLU,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.Normalization,
    layers.PReLU,
    layers.ReLU,
    layers.Rescaling,
    layers.RMSNormalization,
    layers.SpatialDropout2D,
    layers.Subtract,
    layers.UnitNormalization,
    kgen.layers.Dropout,
    kgen.layers.EqualizedDense,
    kgen.layers.InstanceNormalization,
    kgen.layers.LayerNormalization,
    kgen.layers.Maxout,
    kgen.layers.MinibatchStandardDeviation,
    kgen.layers.PixelNormalization,
)
_WINDOWS = (
    layers.AveragePooling2D,
    layers.Conv2D,
    layers.DepthwiseConv2D,
    layers.MaxPooling2D,
    layers.SeparableConv2D,
    kgen.layers.EqualizedConv2D,
)
_UPSAMPLING = (
    layers.UpSampling2D,
    kgen.layers.BicubicUpsampling2D,
    kgen.layers.PixelShuffle,
)
_PADDING = (layers.ZeroPadding2D, kgen.layers.ReflectionPadding2D)
_WHOLE = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)
_KNOWN = (
    *_POINTWISE,
    *_WINDOWS,
    *_UPSAMPLING,
    *_PADDING,
    *_WHOLE,
    layers.Conv2DTranspose,
    layers.Cropping2D,
)
_WRAPPERS = (layers.SpectralNormalization, kgen.layers.SpectralNormalization)


def unwrapped(layer):
    """The layer itself or the one that it normalises the weights of."""
    return layer.layer if isinstance(layer, _WRAPPERS) else layer


def is_known(layer):
    """Whether `interval_before` is right for this layer."""
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return False
    if isinstance(layer, layers.Concatenate):
        return layer.axis in (-1, 3)
    if isinstance(layer, layers.UpSampling2D):
        return layer.interpolation == "nearest"
    return isinstance(layer, _KNOWN)


def interval_before(layer, axis, interval, size, output_size):
    """Returns the first and the last input pixel that an interval of output pixels sees.

    Borders are left out of account: pixels may be negative, and larger than the image.

    Args:
        layer: A layer that `is_known`.
        axis: 0 for rows, 1 for columns.
        interval: First and last pixel of the output, or `EVERYTHING`.
        size, output_size: Pixels along the axis before and after the layer, or `None`.

    Returns:
        The pair, or `None` where no input pixel is seen, as between those of a transposed
        convolution of stride 2 and kernel size 1.

    Example:
    >>> interval_before(keras.layers.Conv2D(1, 4, strides=2), 0, (0, 1), 8, 3)
    (0, 5)
    """
    if isinstance(layer, _WHOLE):
        return EVERYTHING
    if size == 1 and output_size != 1 and isinstance(layer, _POINTWISE):
        return EVERYTHING  # Broadcast: the farthest output is the whole image away.
    if interval == EVERYTHING:
        return interval
    first, last = interval
    if isinstance(layer, _WINDOWS):
        extent, stride, before = _window(layer, axis, size, output_size)
        return (first * stride - before, last * stride - before + extent - 1)
    if isinstance(layer, layers.Conv2DTranspose):
        extent, stride, before = _window(layer, axis, output_size, size)
        # Rounded up, and rounded down.
        first, last = -((extent - 1 - first - before) // stride), (last + before) // stride
        return (first, last) if first <= last else None
    if isinstance(layer, _UPSAMPLING):
        factor = _factor(layer, axis)
        if isinstance(layer, kgen.layers.BicubicUpsampling2D):
            # Less than 2 pixels from their centres.
            first, last = ((one + 0.5) / factor - 0.5 for one in (first, last))
            return (math.floor(first - 2.0) + 1, math.ceil(last + 2.0) - 1)
        return (first // factor, last // factor)
    if isinstance(layer, _PADDING):
        return (first - layer.padding[axis][0], last - layer.padding[axis][0])
    if isinstance(layer, layers.Cropping2D):
        return (first + layer.cropping[axis][0], last + layer.cropping[axis][0])
    return interval


def period_after(layer, axis, period):
    """Returns after how many output pixels the pattern repeats of what they see.

    `period` is that of the layer's inputs, in pixels, 1 for the image.
    """
    if isinstance(layer, (*_UPSAMPLING, layers.Conv2DTranspose)):
        return period * _factor(layer, axis)
    if isinstance(layer, _WINDOWS):
        return period // math.gcd(period, layer.strides[axis])
    return period


def _window(layer, axis, larger, smaller):
    """Extent and stride of a window over the larger of its two sides, and the padding before it."""
    sides = layer.pool_size if hasattr(layer, "pool_size") else layer.kernel_size
    dilation = getattr(layer, "dilation_rate", (1, 1))[axis]
    extent, stride = (sides[axis] - 1) * dilation + 1, layer.strides[axis]
    if layer.padding == "valid":
        return extent, stride, 0
    # TensorFlow's "same" padding; of an unknown size, the one for multiples of the stride.
    total = extent - stride if larger is None else (smaller - 1) * stride + extent - larger
    return extent, stride, max(total, 0) // 2


def _factor(layer, axis):
    """By how much a layer enlarges images."""
    if isinstance(layer, (kgen.layers.BicubicUpsampling2D, kgen.layers.PixelShuffle)):
        return layer.factor
    return (layer.size if isinstance(layer, layers.UpSampling2D) else layer.strides)[axis]
