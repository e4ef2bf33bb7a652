"""Zero mean and unit variance along given axes: what the normalisation layers share."""

import keras
from keras import ops


def standardize(x, axes, epsilon, scale=1.0):
    """Returns `(x - mean) / sqrt(variance + epsilon)` over `axes`, right to every order.

    Args:
        x: Floating-point tensor.
        axes: Tuple of the axes to take the mean and the variance over.
        epsilon: Float added to the variance.
        scale: What the result is multiplied by: joined to the small factor, not the large tensor.

    Returns:
        A tensor of the shape of `x`, in float32 or wider: half precision has neither the range nor
        the digits for a sum of squares.

    Example:
    >>> standardize(keras.ops.array([[1.0, 3.0]]), axes=(1,), epsilon=0.0).numpy()
    array([[-1.,  1.]], dtype=float32)
    """
    x = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
    # Not `ops.moments`: on TensorFlow it stops the gradient at the mean inside the variance. That
    # is exact to first order only, so that a gradient penalty would be differentiated wrongly.
    centred = x - ops.mean(x, axis=axes, keepdims=True)
    variance = ops.mean(ops.square(centred), axis=axes, keepdims=True)
    return centred * (ops.rsqrt(variance + epsilon) * scale)
