"""Batches: dividing one among a player's updates, and refusing those that cannot be divided."""

import keras
from keras import ops

from kgen.core.arrays import fits


def split(data, count):
    """Divides each array of `data` into `count` parts, each of every `count`-th row.

    Strided, not contiguous: so that with the batch spread over replicas, the parts of all replicas
    together are the parts of the whole batch.
    """
    if count == 1:
        return [data]
    leaves = [_strided(leaf, count) for leaf in keras.tree.flatten(data)]
    return [keras.tree.pack_sequence_as(data, part) for part in zip(*leaves, strict=True)]


def unpack(data, uses_targets):
    """Returns what a player's loss takes of a batch as Keras hands it to `train_step`.

    Args:
        data: x, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.
        uses_targets: Whether the model's losses take `(x, y)`, and not x alone.

    Raises:
        ValueError: If the model has no use for what came, or images are integers.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    if sample_weight is not None:
        raise ValueError("`sample_weight` is not supported: a generative loss weighs images alike.")
    _check_contents(_first_leaf(x), y is not None, uses_targets)
    return (x, y) if uses_targets else x


def targets_of(x, y):
    """Returns the targets given to `fit`: an array, the spec of a dataset's, or `None`."""
    spec = getattr(x, "element_spec", None)
    return spec[1] if y is None and isinstance(spec, tuple) and len(spec) > 1 else y


def check(x, y, batch_size, multiple, uses_targets, method):
    """Raises if what `fit` or `evaluate` was given does not suit the model.

    Arrays and `tf.data` datasets are seen through; of a generator nothing is known beforehand.

    Args:
        x, y, batch_size: As given to the method.
        multiple: What a batch must be a multiple of.
        uses_targets: Whether the model's losses use y.
        method: Name of the method, for the message.

    Raises:
        ValueError: If there are no images or they are integers, labels are given to a model that
            has no use for them or missing for one that has, or a batch, the last one included,
            cannot be divided.
    """
    spec = getattr(x, "element_spec", None)
    images = _first_leaf(x if spec is None else spec)
    has_targets = targets_of(x, y) is not None
    is_seen_through = spec is not None or hasattr(x, "shape")
    _check_contents(images, has_targets or (uses_targets and not is_seen_through), uses_targets)
    if spec is None and hasattr(images, "shape") and not images.shape[0]:
        raise ValueError(f"{method}(): `x` must hold images, received an array of {images.shape}.")
    if multiple == 1:
        return
    if spec is not None:
        _check_batch(images.shape[0], multiple, f"{method}(): the dataset's batch size")
    elif hasattr(images, "shape"):
        batch_size = batch_size or 32  # Keras' default.
        rows = images.shape[0]
        _check_batch(batch_size, multiple, f"{method}(): `batch_size`")
        name = f"{method}(): the last batch of {rows} images in batches of {batch_size}"
        _check_batch(rows % batch_size or batch_size, multiple, name)


def check_shape(x, shape, method):
    """Raises a ValueError if images given to `fit` or `evaluate` are of another shape.

    Args:
        x: As given to the method; of what cannot be seen through nothing is known.
        shape: That of one image, where `None` stands for any size; `None` for any.
        method: Name of the method, for the message.
    """
    spec = getattr(x, "element_spec", None)
    images = _first_leaf(x if spec is None else spec)
    found = getattr(images, "shape", None)
    if shape is None or found is None or getattr(found, "rank", 0) is None:
        return
    found = tuple(found)
    if not found or not fits(found[1:], shape):
        raise ValueError(
            f"{method}(): `x` must be images of the shape {tuple(shape)}, received "
            f"{'an array' if spec is None else 'batches'} of {found}."
        )


def _check_contents(images, has_targets, uses_targets):
    if has_targets and not uses_targets:
        raise ValueError(
            "This model is trained on images alone, but labels or targets came with them. Pass the "
            "images without."
        )
    if uses_targets and not has_targets:
        raise ValueError(
            "This model is trained on images with labels or targets, (x, y), but images came alone."
        )
    dtype = keras.backend.standardize_dtype(images.dtype) if hasattr(images, "dtype") else ""
    if dtype.startswith(("int", "uint", "bool")):
        raise ValueError(
            f"Images must be floats, by convention in [-1, 1], received {dtype}. "
            "`kgen.data.load` converts files and arrays."
        )


def _check_batch(size, multiple, name):
    if size is None:
        raise ValueError(
            f"{name} is not known, but a round divides it by {multiple}: batch with "
            "`drop_remainder=True`."
        )
    if size % multiple:
        raise ValueError(f"{name} must be a multiple of {multiple}, received {size}.")


def _first_leaf(structure):
    return keras.tree.flatten(structure)[0]


def _strided(leaf, count):
    shape = ops.shape(leaf)
    size = leaf.shape[0]
    if size is not None and size % count:
        raise ValueError(f"A batch of {size} cannot be divided among {count} updates.")
    rows = -1 if size is None else size // count
    leaf = ops.reshape(leaf, (rows, count, *shape[1:]))  # (batch / count, count, ...)
    return [leaf[:, part] for part in range(count)]
