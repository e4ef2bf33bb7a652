"""A look at the first batch of a dataset as it passes, which changes nothing of the dataset."""

import contextlib
import functools

import numpy as np
import tensorflow as tf

from kgen.core.engine.python_calls import python_calls

as_written = tf.autograph.experimental.do_not_convert


@contextlib.contextmanager
def first_batch_shown(dataset, look):
    """Context that yields a dataset of the same batches, of which `look` is shown the first.

    A batch drawn beforehand would shuffle anew what follows, or be lost to a generator. What `look`
    raises leaves the context, and the batch is given to nobody.

    Args:
        dataset: A `tf.data.Dataset`; of another kind of data nothing is shown.
        look: Function of a batch, of NumPy arrays.
    """
    if not isinstance(dataset, tf.data.Dataset):
        yield dataset
        return
    raised = []

    def shown(*leaves):
        try:
            look(tf.nest.pack_sequence_as(dataset.element_spec, leaves))
        except Exception as error:  # Out of a graph it would come with TensorFlow's traceback.
            raised.append(error)
        return np.bool_(not raised)

    look_once = functools.partial(python_calls, shown, types=tf.bool, stateful=True)

    @as_written
    def step(seen, batch):
        leaves = tf.nest.flatten(batch)
        first = as_written(lambda: tf.ensure_shape(look_once(leaves), ()))
        return tf.constant(True), (tf.cond(seen, lambda: True, first), batch)

    watched = dataset.scan(tf.constant(False), step)
    watched = watched.take_while(as_written(lambda good, batch: good))
    watched = watched.map(as_written(lambda good, batch: batch))
    known = dataset.cardinality()
    if known != tf.data.UNKNOWN_CARDINALITY:
        watched = watched.apply(tf.data.experimental.assert_cardinality(known))
    try:
        yield watched
    except Exception:
        if raised:
            raise raised[0] from None
        raise
    if raised:
        raise raised[0]
