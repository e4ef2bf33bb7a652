"""Convolutions of stride 2 between many channels and few, by the phases of the larger image."""

from keras import ops

from kgen.core.engine import input_gradient


def conv(inputs, kernel):
    """Returns `ops.conv(inputs, kernel, strides=2, padding="same")`; its gradient is faster.

    Only the gradient at the inputs differs: it is a transposed convolution to few channels.

    Args:
        inputs: (batch, height, width, channels), few channels; height and width known.
        kernel: (kernel height, kernel width, channels, filters).
    """

    @ops.custom_gradient
    def function(inputs, kernel):
        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream
            sizes = inputs.shape[1:3]
            return conv_transpose(upstream, kernel, sizes), _kernel_gradient(
                inputs, kernel, upstream
            )

        return _conv(inputs, kernel), gradient

    # A copy, because a variable may be no argument of a function with a gradient of its own.
    return function(inputs, ops.copy(kernel))


def conv_transpose(inputs, kernel, sizes):
    """Returns the transpose of `conv`, from many channels to few, as `phases` computes it.

    Its gradients are those of the ordinary transposed convolution, which are fast as they are.

    Args:
        inputs: (batch, rows, columns, filters), rows and columns known.
        kernel: (kernel height, kernel width, channels, filters), few channels.
        sizes: (height, width) of the outputs; halved and rounded up, the rows and columns.
    """

    @ops.custom_gradient
    def function(inputs, kernel):
        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream
            return conv(upstream, kernel), _kernel_gradient(upstream, kernel, inputs)

        return phases(inputs, kernel, sizes), gradient

    # A copy, because a variable may be no argument of a function with a gradient of its own.
    return function(inputs, ops.copy(kernel))


def phases(inputs, kernel, sizes):
    """Returns what `conv_transpose` does, with the gradients that follow from the computation.

    Each of the four pixels that one input pixel spreads to (even or odd row, even or odd column)
    is an ordinary convolution with every other row and column of the kernel. They are computed as
    one convolution to four times the channels, then interleaved.
    """
    vertical = _Phases(kernel.shape[0], inputs.shape[1], sizes[0])
    horizontal = _Phases(kernel.shape[1], inputs.shape[2], sizes[1])
    channels, filters = kernel.shape[2:]

    kernel = ops.pad(kernel, (vertical.kernel_padding, horizontal.kernel_padding, (0, 0), (0, 0)))
    kernel = ops.reshape(kernel, (vertical.taps, 2, horizontal.taps, 2, channels, filters))
    kernel = ops.transpose(ops.flip(ops.flip(kernel, 0), 2), (0, 2, 5, 1, 3, 4))
    kernel = ops.reshape(kernel, (vertical.taps, horizontal.taps, filters, 4 * channels))

    inputs = ops.pad(inputs, ((0, 0), vertical.padding, horizontal.padding, (0, 0)))
    outputs = ops.conv(inputs, kernel, padding="valid", data_format="channels_last")
    _, rows, columns, _ = outputs.shape
    outputs = ops.reshape(outputs, (-1, rows, columns, 2, 2, channels))
    outputs = ops.transpose(outputs, (0, 1, 3, 2, 4, 5))  # (batch, rows, 2, columns, 2, channels)
    outputs = ops.reshape(outputs, (-1, 2 * rows, 2 * columns, channels))
    top, left = vertical.crop, horizontal.crop
    return outputs[:, top : top + sizes[0], left : left + sizes[1]]


class _Phases:
    """How one axis is split: output o is the sum of kernel[a] * input[i] over 2 i + a = o + before.

    Attributes:
        taps: Rows of the kernel in each phase.
        kernel_padding: Rows of zeros before and after the kernel that make them twice the taps.
        padding: Rows of zeros before and after the input.
        crop: Outputs too many at the beginning.
    """

    def __init__(self, kernel_size, input_size, output_size):
        # TensorFlow's "same" padding.
        before = max((input_size - 1) * 2 + kernel_size - output_size, 0) // 2
        # A zero before the kernel does what cropping would, and costs nothing if one is due anyway.
        shift = before % 2 if kernel_size % 2 else 0
        before += shift
        self.taps = (kernel_size + shift + 1) // 2
        self.kernel_padding = (shift, 2 * self.taps - kernel_size - shift)
        first, last = before // 2, (before + output_size - 1) // 2
        self.padding = (self.taps - 1 - first, last + 1 - input_size)
        self.crop = before % 2


def _conv(inputs, kernel):
    return ops.conv(inputs, kernel, strides=2, padding="same", data_format="channels_last")


def _kernel_gradient(inputs, kernel, upstream):
    """The gradient of `_conv` at the kernel, of which a graph keeps no other part."""
    return input_gradient(lambda kernel: _conv(inputs, kernel), kernel, upstream)
