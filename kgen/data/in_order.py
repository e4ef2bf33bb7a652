"""Every example of a split once, in a fixed order: what scores are held against."""

import tensorflow as tf

from kgen.data.arguments import checked_count, checked_flag, checked_request
from kgen.data.examples import held
from kgen.data.pipeline import read_examples
from kgen.data.skipping import SkippedFiles
from kgen.data.splitting import shuffled_rows
from kgen.data.stream import Batches, as_written


class InOrder(Batches):
    """A `tf.data.Dataset` of one pass over all examples of a split.

    Attributes:
        count: examples in all; the last batch holds what is left.

    Args:
        batch_of: function from rows, int64 `(k,)` with k known, and the number of the batch, an
            int64 scalar tensor, to the batch: a tensor or a tuple of tensors.
        count: number of examples, at least 1.
        batch_size: examples a batch.
    """

    def __init__(self, batch_of, count, batch_size):
        self.count = count
        full, rest = divmod(count, batch_size)
        # The last batch apart, so that every function is traced with the number of its rows.
        parts = []
        for first, last, size in ((0, full, batch_size), (full, full + (rest > 0), rest)):
            if first < last:
                parts.append(_batches(batch_of, first, last, size, batch_size))
        batches = parts[0] if len(parts) == 1 else parts[0].concatenate(parts[1])
        super().__init__(batches.prefetch(tf.data.AUTOTUNE))


def _batches(batch_of, first, last, size, batch_size):
    """Return the dataset of the batches of some numbers, each of `size` rows."""

    @as_written
    def batch_at(number):
        return batch_of(number * batch_size + tf.range(size, dtype=tf.int64), number)

    numbers = tf.data.Dataset.range(first, last)
    return numbers.map(batch_at, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def in_order(
    name_or_path,
    image_size=None,
    batch_size=64,
    split="test",
    channels=None,
    labels=False,
    value_range=None,
    length=None,
    on_bad_file="error",
    follow_links=False,
    limit=None,
):
    """Return every example of a split once, unchanged, in a fixed order, the last batch smaller.

    Args:
        name_or_path, image_size, channels, labels, value_range, length, on_bad_file, follow_links:
            as of `kgen.data.load`.
        batch_size: examples a batch; the last one holds what is left.
        split: as of `kgen.data.load`.
        limit: most examples to take, None for all. Where there are more, they are drawn by a fixed
            seed and come in the order of the draw: sorted by class or not, all classes are there.

    Returns:
        `InOrder`, a `tf.data.Dataset` of what `load` yields, whose attribute `count` is the number
        of examples.

    Raises:
        ValueError: an argument or a file is not as described. The message names it.

    Example:
        >>> import kgen.data
        >>> dataset = kgen.data.in_order("mnist5k", batch_size=300)
        >>> dataset.count, len(dataset)
        (1000, 4)
    """
    request = checked_request(
        split, image_size, channels, 0, length, None, value_range, on_bad_file, follow_links
    )
    batch_size = checked_count("batch_size", batch_size)
    skipped = SkippedFiles()
    examples = read_examples(name_or_path, request, skipped)
    if checked_flag("labels", labels) and not examples.has_labels:
        raise ValueError(
            f"labels: expected False because split={split!r} of {name_or_path} has no labels, got "
            "True."
        )
    skipped.report()

    place = places_in_order(examples.count, limit)

    def batch_of(rows, number):
        images, *rest = examples.fetch(place(rows))
        return (images, *rest) if labels else images

    return InOrder(batch_of, count_of(examples.count, limit), batch_size)


def count_of(count, limit):
    """Return how many examples are left of `count` if at most `limit` are taken."""
    return count if limit is None else min(count, checked_count("limit", limit))


def places_in_order(count, limit):
    """Return the function from the numbers of a pass to rows, int64 tensors `(k,)`."""
    if count_of(count, limit) == count:
        return lambda numbers: numbers
    taken = held(shuffled_rows(count, limit))
    return lambda numbers: tf.gather(taken, numbers)
