"""Batches by their number: one pass of them at a time, or all from any number on."""

import functools
import itertools
import numbers

import numpy as np
import tensorflow as tf

from kgen.core import engine
from kgen.core.averaged import averaged

# For functions that ask no tensor a question in Python: AutoGraph, which would look for it in all
# that they call, takes longer than tracing them does.
as_written = tf.autograph.experimental.do_not_convert


class Batches(tf.data.Dataset):
    """A dataset of which an error in reading comes as it was raised, without TensorFlow's.

    Args:
        batches: the `tf.data.Dataset` whose batches these are.
    """

    def __init__(self, batches):
        self._batches = batches
        super().__init__(tf.data.experimental.to_variant(batches))

    def __iter__(self):
        iterator = super().__iter__()
        return engine.naming_errors(iterator) if tf.executing_eagerly() else iterator

    def _inputs(self):
        return [self._batches]

    @property
    def element_spec(self):
        """The shapes and types of a batch."""
        return self._batches.element_spec


class Stream(Batches):
    """A `tf.data.Dataset` of one pass over a set, which can also start anywhere.

    Batches are numbered over all passes, and each is a function of its number alone: with n
    batches a pass, pass p holds the batches p n .. (p + 1) n - 1. Every iterator over this dataset
    goes through the next pass, whether `.repeat()` makes it or a loop of one's own; the passes of
    one `Stream` are counted together. `starting_at` counts nothing: it begins where it is told.

    Attributes:
        steps_per_pass: batches a pass, which is also `len(stream)`.
        fingerprint: hash of the examples that it is of, 16 hexadecimal digits, or None where nobody
            knows: `kgen.data` says it of arrays by their bytes, of files by their names and sizes.
        skipped: list of the files left out so far with `on_bad_file="skip"`, as strings.

    Args:
        batch_at: function from the number of a batch, an int64 scalar tensor of at least 0, to the
            batch: a tensor or a tuple of tensors. It is traced once, so what varies has to be
            drawn from the number, as `tf.random.stateless_uniform` does.
        steps_per_pass: batches a pass, at least 1.
        skipped: list that whoever reads the files appends to.
        fingerprint: function that returns the fingerprint, called when it is first asked for, or
            None.
        shrunk_at: function from such a number and a factor to the batch of that number with its
            images `kgen.core.averaged`, for large ones that it need not hold all at once; None to
            average what `batch_at` returns.

    Raises:
        ValueError: an argument is not as described.

    Example:
        >>> import tensorflow as tf
        >>> from kgen.data import Stream
        >>> stream = Stream(lambda step: tf.fill([4], step), steps_per_pass=10)
        >>> len(stream), int(next(iter(stream.starting_at(10**9)))[0])
        (10, 1000000000)
    """

    def __init__(self, batch_at, steps_per_pass, skipped=None, fingerprint=None, shrunk_at=None):
        if not callable(batch_at):
            raise ValueError(f"batch_at: expected a function of a step, got {batch_at!r}.")
        steps_per_pass = _checked_integer("steps_per_pass", steps_per_pass, least=1)
        self.batch_at = batch_at
        self._shrunk_at = shrunk_at or (lambda step, factor: _averaged(batch_at(step), factor))
        self._traced = functools.cache(self._trace)
        self.steps_per_pass = steps_per_pass
        self.skipped = [] if skipped is None else skipped
        self._fingerprint = functools.cache(fingerprint or (lambda: None))

        # A counter in Python and no tf.Variable: a strategy's scope would mirror that. It counts
        # outside of flat_map, so that a restored iterator keeps the pass that it was in, and calls
        # itself stateless, because an iterator with a stateful function cannot be saved.
        passes = itertools.count()

        @as_written
        def number(zero):
            counted = engine.python_calls(lambda _: np.int64(next(passes)), [zero], tf.int64)
            return tf.ensure_shape(counted, [])

        @as_written
        def steps_of(number):
            return tf.data.Dataset.range(number * steps_per_pass, (number + 1) * steps_per_pass)

        steps = tf.data.Dataset.range(1).map(number).flat_map(steps_of)
        steps = steps.apply(tf.data.experimental.assert_cardinality(steps_per_pass))
        super().__init__(self._batches_of(steps, shrink=1))

    def starting_at(self, step, shrink=1):
        """Return the endless dataset of all batches from one on; earlier ones cost nothing.

        Args:
            step: number of the first batch, counted over all passes from 0.
            shrink: side of the squares of pixels that images are averaged over, as for the small
                sizes of a model that grows; 1 leaves them as they are.

        Returns:
            `tf.data.Dataset` that never ends: `fit` needs `steps_per_epoch` with it.

        Raises:
            ValueError: `step` is no integer of at least 0, or `shrink` none that divides height and
                width.
        """
        step = _checked_integer("step", step, least=0)
        shrink = _checked_integer("shrink", shrink, least=1)
        for spec in tf.nest.flatten(self.element_spec):
            if _is_of_images(spec) and any((side or 0) % shrink for side in spec.shape[1:3]):
                raise ValueError(
                    f"shrink: expected a divisor of height and width of the images {spec.shape}, "
                    f"got {shrink}."
                )
        return Batches(self._batches_of(tf.data.Dataset.counter(step), shrink))

    @property
    def fingerprint(self):
        """The hash of the examples, or None."""
        return self._fingerprint()

    def _trace(self, shrink):
        """Return the graph from a number to its batch."""
        batch_at = self.batch_at
        if shrink > 1:
            batch_at = as_written(functools.partial(self._shrunk_at, factor=shrink))
        return tf.function(batch_at, input_signature=[tf.TensorSpec((), "int64")])

    def _batches_of(self, steps, shrink):
        """Return the dataset of the batches whose numbers a dataset holds."""
        batches = steps.map(
            self._traced(shrink), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        return batches.prefetch(tf.data.AUTOTUNE)


def _is_of_images(tensor):
    return tensor.shape.rank == 4


def _averaged(batch, factor):
    """Return a batch with its images averaged; clips, points and labels stay as they are."""
    return tf.nest.map_structure(
        lambda part: averaged(part, factor) if _is_of_images(part) else part, batch
    )


def _checked_integer(name, value, least):
    """Return a value as a Python integer of at least `least` and 63 bits."""
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_integer or not least <= value < 2**63:
        raise ValueError(f"{name}: expected an integer of at least {least}, got {value!r}.")
    return int(value)
