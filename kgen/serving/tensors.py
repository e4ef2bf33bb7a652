"""What a client knows of a server's tensors: types and shapes, and the checks of what is sent."""

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2


def is_of_model(signature):
    """Whether a signature is one of the model, and none that starts a SavedModel up."""
    return not signature.startswith("__")


def spec_of(dtype, sizes):
    """Returns the type and shape of a tensor, `(NumPy type, tuple)`.

    Args:
        dtype: TensorFlow's name of the type, such as `"DT_FLOAT"`, or its number.
        sizes: Of the shape, -1 for any; `None` for any shape.
    """
    if isinstance(dtype, str):
        dtype = types_pb2.DataType.Value(dtype)
    shape = None if sizes is None else tuple(None if size < 0 else size for size in sizes)
    return np.dtype(tf.dtypes.as_dtype(dtype).as_numpy_dtype), shape


def as_sent(signature, name, value, spec):
    """Returns a value as an array of a signature's input.

    Raises:
        ValueError: If it is not of the input's type or shape.
    """
    dtype, shape = spec
    if dtype.kind == "O":
        array = np.asarray(value, object)
        if not all(isinstance(entry, bytes) for entry in array.flat):
            raise ValueError(
                f"`{name}` of `{signature}` must be files, bytes, received {value!r:.200}."
            )
    else:
        array = _number(signature, name, value, dtype)
    fits = shape is None or (
        array.ndim == len(shape)
        and all(size in (None, own) for own, size in zip(array.shape, shape, strict=True))
    )
    if not fits:
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(
            f"`{name}` of `{signature}` must be of the shape ({expected}), received {array.shape}."
        )
    return array


def _number(signature, name, value, dtype):
    array = np.asarray(value)
    if dtype.kind == "f" and array.dtype.kind in "iub" and array.ndim == 4:
        raise ValueError(
            f"`{name}` of `{signature}` must be floats in [-1, 1], received an array of "
            f"{array.dtype}; {signature}_uint8 takes whole numbers from 0 to 255."
        )
    with np.errstate(invalid="ignore"):
        converted = array.astype(dtype) if array.dtype.kind in "iufb" else None
    # Not what would be cut off: 0.5 is no label, and 2^40 no seed of 32 bits.
    if converted is None or (dtype.kind in "iu" and not np.array_equal(converted, array)):
        raise ValueError(
            f"`{name}` of `{signature}` must be {dtype.name}, received {value!r:.200}."
        )
    return converted
