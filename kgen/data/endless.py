"""What `fit` is given, as a stream that starts at any round."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from kgen.data.order import rows_at
from kgen.data.stream import Stream, as_written


@dataclasses.dataclass(frozen=True)
class Endless:
    """Batches without end.

    Attributes:
        starting_at: Function from a round, and the round that training began with, to an endless
            `tf.data.Dataset` whose first batch is that of the round; of a `Stream` it takes that
            one's further arguments, too.
        steps: Batches of an epoch.
        held_out: What `validation_split` left out, as `validation_data`, or None.
    """

    starting_at: Callable
    steps: int
    held_out: Any = None


def endless(data, shuffle, seed):
    """Returns the training data of a `fit` as a stream that starts at any round.

    Args:
        data: Dict of `fit`'s arguments `x`, `y`, `batch_size`, `validation_split` and
            `steps_per_epoch`.
        shuffle: Whether arrays are shuffled, anew for each pass.
        seed: Integer that decides their order.

    Raises:
        ValueError: If the data cannot be started at a round, or the length of an epoch is unknown.
    """
    x, steps = data["x"], data["steps_per_epoch"]
    if isinstance(x, Stream):
        steps = steps or x.steps_per_pass
        return Endless(lambda at, first, **further: x.starting_at(at, **further), steps)
    if isinstance(x, tf.data.Dataset):
        steps = steps or int(x.cardinality())
        if steps < 1:
            raise ValueError(
                "x: to checkpoint a training, the length of an epoch must be known; expected "
                f"`steps_per_epoch`, or a dataset of known length, got {x!r}."
            )
        return Endless(lambda at, first: x.repeat().skip(at - first), steps)
    leaves = keras.tree.flatten(x)
    if not leaves or not all(hasattr(leaf, "shape") and len(leaf.shape) for leaf in leaves):
        raise ValueError(
            "x: to checkpoint a training, its data must start at any round; expected arrays or a "
            f"tf.data.Dataset, got {type(x).__name__}."
        )
    return _of_arrays(data, shuffle, seed)


def _of_arrays(data, shuffle, seed):
    arrays = (data["x"],) if data["y"] is None else (data["x"], data["y"])
    count, batch_size = len(keras.tree.flatten(arrays)[0]), data["batch_size"] or 32
    kept = math.floor(count * (1.0 - (data["validation_split"] or 0.0)))  # As Keras.
    held_out = None
    if kept < count:
        held_out = keras.tree.map_structure(lambda array: array[kept:], arrays)
        held_out = held_out if len(held_out) > 1 else held_out[0]
    with tf.device("CPU:0"):  # Where tf.data runs.
        arrays = keras.tree.map_structure(lambda array: tf.constant(array[:kept]), arrays)

    @as_written
    def batch_at(step):
        rows = rows_at(step, kept, batch_size, seed if shuffle else None, drop_remainder=False)
        return keras.tree.map_structure(lambda array: tf.gather(array, rows), arrays)

    stream = Stream(batch_at, steps_per_pass=-(-kept // batch_size))
    steps = data["steps_per_epoch"] or stream.steps_per_pass
    return Endless(lambda at, first: stream.starting_at(at - first), steps, held_out)
