"""Low-pass filters along height and width: what the layers share that blur and change the size."""

from keras import ops


def along_axes(images, matrix):
    """Returns images whose columns and then rows are multiplied by a matrix.

    Args:
        images: Tensor `(batch, height, width, channels)`.
        matrix: Function of a size (an integer, or a tensor where it is unknown beforehand) that
            returns `(new size, size)`.

    Returns:
        A tensor `(batch, new height, new width, channels)`.
    """
    batch, height, width, channels = ops.shape(images)
    columns = ops.cast(matrix(height), images.dtype)  # (new height, height)
    rows = ops.cast(matrix(width), images.dtype)  # (new width, width)
    # On a CPU no slower than a 3x3 convolution of images of 64 pixels; the products grow with the
    # cube of the size. Sums of shifted images take up to 20 times as long as these products without
    # XLA, a depthwise convolution 10 times with it.
    outputs = ops.matmul(columns, ops.reshape(images, (batch, height, width * channels)))
    outputs = ops.reshape(outputs, (batch, ops.shape(columns)[0], width, channels))
    return ops.matmul(rows, outputs)


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
