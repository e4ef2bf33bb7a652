"""Batches: dividing one among a player's updates, and refusing those that cannot be divided."""

import keras
from keras import ops


def split(data, count):
    """Divides each array of `data` into `count` parts, each of every `count`-th row.

    Strided, not contiguous: so that with the batch spread over replicas, the parts of all replicas
    together are the parts of the whole batch.
    """
    if count == 1:
        return [data]
    leaves = [_strided(leaf, count) for leaf in keras.tree.flatten(data)]
    return [keras.tree.pack_sequence_as(data, part) for part in zip(*leaves, strict=True)]


def without_weights(data):
    """Returns x, or (x, y) if labels were given, of a batch as Keras hands it to `train_step`."""
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    if sample_weight is not None:
        raise ValueError("`sample_weight` is not supported: a generative loss weighs images alike.")
    return x if y is None else (x, y)


def check(x, batch_size, multiple, method):
    """Raises if a batch of `x`, as given to `fit` or `evaluate`, is no multiple of `multiple`.

    Arrays and `tf.data` datasets are seen through; of a generator nothing is known beforehand.

    Raises:
        ValueError: If images are integers or a batch, the last one included, cannot be divided.
    """
    for leaf in keras.tree.flatten(getattr(x, "element_spec", x)):
        dtype = str(getattr(getattr(leaf, "dtype", None), "name", ""))
        if leaf is _images(x) and dtype.startswith(("int", "uint", "bool")):
            raise ValueError(
                f"{method}(): images must be floats, by convention in [-1, 1], received {dtype}. "
                "`kgen.data.load` converts files and arrays."
            )
    if multiple == 1:
        return
    if hasattr(x, "element_spec"):
        _check_batch(_images(x).shape[0], multiple, f"{method}(): the dataset's batch size")
    elif hasattr(x, "shape"):
        batch_size = batch_size or 32  # Keras' default.
        _check_batch(batch_size, multiple, f"{method}(): `batch_size`")
        _check_batch(
            x.shape[0] % batch_size or batch_size,
            multiple,
            f"{method}(): the last batch of {x.shape[0]} images in batches of {batch_size}",
        )


def _check_batch(size, multiple, name):
    if size is None:
        raise ValueError(
            f"{name} is not known, but a round divides it by {multiple}: batch with "
            "`drop_remainder=True`."
        )
    if size % multiple:
        raise ValueError(f"{name} must be a multiple of {multiple}, received {size}.")


def _images(x):
    return keras.tree.flatten(getattr(x, "element_spec", x))[0]


def _strided(leaf, count):
    shape = ops.shape(leaf)
    size = leaf.shape[0]
    if size is not None and size % count:
        raise ValueError(f"A batch of {size} cannot be divided among {count} updates.")
    rows = -1 if size is None else size // count
    leaf = ops.reshape(leaf, (rows, count, *shape[1:]))  # (batch / count, count, ...)
    return [leaf[:, part] for part in range(count)]
