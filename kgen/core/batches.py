"""Batches: dividing one among a player's updates, and what a batch may be."""

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


def unpack(data, uses_targets):
    """Returns what a player's loss takes of a batch as Keras hands it to `train_step`.

    Args:
        data: x, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; or a dictionary with `image`, `label`.
        uses_targets: Whether the model's losses take `(x, y)`, and not x alone.

    Raises:
        ValueError: If the model has no use for what came, or images are integers.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    if sample_weight is not None:
        raise ValueError("`sample_weight` is not supported: a generative loss weighs images alike.")
    if isinstance(x, dict) and y is None:
        x = by_name(x, uses_targets, "train_step()")
        x, y = x if uses_targets else (x, None)
    check_contents(keras.tree.flatten(x)[0], y is not None, uses_targets, "train_step()")
    return (x, y) if uses_targets else x


def by_name(batch, uses_targets, where):
    """Returns what a model takes of a dictionary: its `image`, or that and its `label`.

    Args:
        batch: Dictionary of arrays, tensors or their specs, such as those of TFDS.
        uses_targets: Whether the model takes labels.
        where: Who takes it, for the message.

    Raises:
        ValueError: If one is missing.
    """
    names = ("image", "label") if uses_targets else ("image",)
    if not set(names) <= set(batch):
        form = "(images, labels or targets)" if uses_targets else "images"
        raise ValueError(
            f"{where}: a batch must be {form} or a dictionary with "
            f"{' and '.join(f'`{name}`' for name in names)}, received one with {sorted(batch)}."
        )
    return tuple(batch[name] for name in names) if uses_targets else batch["image"]


def targets_of(x, y):
    """Returns the targets given to `fit`: an array, the spec of a dataset's, or `None`."""
    spec = getattr(x, "element_spec", None)
    return spec[1] if y is None and isinstance(spec, tuple) and len(spec) > 1 else y


def check_contents(images, has_targets, uses_targets, where):
    """Raises a ValueError if images are no floats, or labels are missing or of no use."""
    if has_targets and not uses_targets:
        raise ValueError(
            f"{where}: this model is trained on images alone, but labels or targets came with "
            "them. Pass the images without."
        )
    if uses_targets and not has_targets:
        raise ValueError(
            f"{where}: this model is trained on images with labels or targets, (x, y), but images "
            "came alone."
        )
    dtype = keras.backend.standardize_dtype(images.dtype) if hasattr(images, "dtype") else ""
    if dtype.startswith(("int", "uint", "bool")):
        raise ValueError(
            f"{where}: images must be floats, by convention in [-1, 1], received {dtype}. "
            "`kgen.data.load` converts files and arrays."
        )


def _strided(leaf, count):
    shape = ops.shape(leaf)
    size = leaf.shape[0]
    if size is not None and size % count:
        raise ValueError(f"A batch of {size} cannot be divided among {count} updates.")
    rows = -1 if size is None else size // count
    leaf = ops.reshape(leaf, (rows, count, *shape[1:]))  # (batch / count, count, ...)
    return [leaf[:, part] for part in range(count)]
