"""A few real images of a training's data, taken without a trace in what `fit` will see of it."""

import itertools

import keras
import numpy as np
from keras import ops

ROWS = 128


def fixed_batch(arguments, images, seed, uses_targets):
    """Returns the real images, and targets where there are some, that every check is made on.

    The first batches of a set of `kgen.data`, read by a dataset of their own; of arrays, rows drawn
    by the seed. Any other data cannot be looked into without moving its shuffling.

    Args:
        arguments: Dict of `fit`'s keyword arguments.
        images: What the user gave in place of it, as one batch of `fit`'s data, or `None`.
        seed: Integer seed of the rows drawn.
        uses_targets: Whether the model's data is `(x, y)`.

    Returns:
        Arrays of at most 128 rows: x, or `(x, y)`.

    Raises:
        ValueError: If `images` is needed, or the images are fewer than 2, no floats or not finite.
    """
    if images is not None:
        data, name = _first(images, ROWS), "`images`"
    else:
        data, name = _of_data(arguments, seed), "fit(): `x`"
    data = keras.tree.map_structure(ops.convert_to_numpy, data)
    if isinstance(data, list | tuple) and not uses_targets:
        data = data[0]
    for array in keras.tree.flatten(data)[:1]:
        if len(array) < 2 or array.dtype.kind in "iub" or not np.isfinite(array).all():
            raise ValueError(
                f"Doctor: {name} must hold at least 2 images, floats without NaN and Inf, received "
                f"an array of {array.dtype} of the shape {array.shape}, of which "
                f"{int(np.sum(~np.isfinite(array)))} values are not finite."
            )
    return data


def _of_data(arguments, seed):
    x, y = arguments.get("x"), arguments.get("y")
    if hasattr(x, "starting_at"):
        return _of_stream(x)
    leaves = keras.tree.flatten(x)
    if hasattr(x, "element_spec") or not all(hasattr(leaf, "shape") for leaf in leaves):
        raise ValueError(
            f"Doctor: `images` must be a batch of real images, at best {ROWS}, where fit() is "
            f"given a {type(x).__name__}: to look into it would move its shuffling. With arrays "
            "and sets of kgen.data it is not needed if the Doctor stands before the Checkpoint in "
            "`callbacks`; received images=None."
        )
    kept = int(len(leaves[0]) * (1.0 - (arguments.get("validation_split") or 0.0)))
    rows = np.random.default_rng(seed).permutation(kept)[:ROWS]
    data = x if y is None else (x, y)
    return keras.tree.map_structure(lambda array: ops.convert_to_numpy(array)[rows], data)


def _of_stream(stream):
    batches, rows = [], 0
    for batch in itertools.islice(stream.starting_at(0), stream.steps_per_pass):
        batches.append(keras.tree.map_structure(ops.convert_to_numpy, batch))
        rows += len(keras.tree.flatten(batches[-1])[0])
        if rows >= ROWS:
            break
    whole = keras.tree.map_structure(lambda *parts: np.concatenate(parts), *batches)
    return _first(whole, ROWS)


def _first(data, rows):
    return keras.tree.map_structure(lambda array: array[:rows], data)
