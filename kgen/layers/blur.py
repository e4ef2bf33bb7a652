"""Low-pass filters along height and width: what the layers share that blur and change the size."""

from keras import ops

# Longer axes than two of these are filtered in blocks of so many pixels.
_BLOCK = 64


def along_axes(images, matrix, kernel):
    """Returns images whose columns and then rows are multiplied by a matrix.

    Args:
        images: Tensor `(batch, height, width, channels)`.
        matrix: Function of a size (an integer, or a tensor where it is unknown beforehand) that
            returns `(new size, size)`, zero beyond a band as wide as the kernel.
        kernel: List of the weights of the filter in it.

    Returns:
        A tensor `(batch, new height, new width, channels)`.
    """
    batch, height, width, channels = ops.shape(images)
    # On a CPU no slower than a 3x3 convolution of images of 64 pixels. Sums of shifted images take
    # up to 20 times as long without XLA, and a depthwise convolution 10 times as long with it.
    outputs = ops.reshape(images, (batch, height, width * channels))
    outputs = _filtered(outputs, matrix, len(kernel) // 2)  # (batch, new height, ...)
    new_height = ops.shape(outputs)[1]  # And not -1, for a size that is known to stay so.
    outputs = ops.reshape(outputs, (batch * new_height, width, channels))
    outputs = _filtered(outputs, matrix, len(kernel) // 2)  # (..., new width, channels)
    return ops.reshape(outputs, (batch, new_height, ops.shape(outputs)[1], channels))


def _filtered(columns, matrix, radius):
    """Multiplies columns `(batch, size, count)` by a matrix that reaches `radius` pixels far."""
    batch, size, count = ops.shape(columns)
    in_blocks = isinstance(size, int) and size > 2 * _BLOCK and not size % _BLOCK
    if not in_blocks or radius >= _BLOCK:
        return ops.matmul(ops.cast(matrix(size), columns.dtype), columns)
    # The whole matrix would take the square of the size: blocks, with what they see of others.
    margin = 2 * max(1, (radius + 1) // 2)  # Even, as pairs may become one.
    number = size // _BLOCK
    blocks = ops.reshape(columns, (batch, number, _BLOCK, count))
    beyond = ops.zeros_like(blocks[:, :1, :margin])
    before = ops.concatenate([beyond, blocks[:, :-1, -margin:]], axis=1)
    after = ops.concatenate([blocks[:, 1:, :margin], beyond], axis=1)
    blocks = ops.concatenate(
        [before, blocks, after], axis=2
    )  # (batch, blocks, 64 + margins, count)
    band = ops.cast(matrix(_BLOCK + 2 * margin), columns.dtype)
    cut = margin * band.shape[0] // band.shape[1]
    blocks = ops.matmul(band[cut:-cut], blocks)  # (batch, blocks, new size / blocks, count)
    return ops.reshape(blocks, (batch, number * ops.shape(blocks)[2], count))


def blur_matrix(size, kernel, dtype):
    """The `(size, size)` matrix that filters an axis of this size; beyond the borders is zero.

    Args:
        size: Integer, or integer tensor.
        kernel: List of an odd number of weights, which are divided by their sum.
        dtype: Of the matrix.

    Example:
    >>> blur_matrix(3, [1, 2, 1], "float32").numpy()
    array([[0.5 , 0.25, 0.  ],
           [0.25, 0.5 , 0.25],
           [0.  , 0.25, 0.5 ]], dtype=float32)
    """
    places = ops.arange(size, dtype="int32")
    distance = places - places[:, None] + len(kernel) // 2
    return sum(
        ops.cast(distance == place, dtype) * (weight / sum(kernel))
        for place, weight in enumerate(kernel)
    )


def check_kernel(name, kernel):
    """Returns the kernel as a list of floats; a ValueError names the layer if it is none."""
    is_list = isinstance(kernel, (list, tuple)) and len(kernel) % 2 == 1
    if is_list and all(isinstance(weight, (int, float)) for weight in kernel) and sum(kernel) > 0:
        return [float(weight) for weight in kernel]
    raise ValueError(
        f"{name}: `kernel` should be a list of an odd number of weights with a positive sum. "
        f"Received: kernel={kernel!r}"
    )
