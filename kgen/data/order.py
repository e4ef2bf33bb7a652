"""Which rows a batch holds: a function of the seed and the batch's number alone."""

import hashlib

import tensorflow as tf

# Rows. Up to here a pass is sorted by random numbers for each batch, which takes 0.1 ms. Beyond, a
# cipher of the row numbers does; for few rows it takes ten times as long and a key has but 24 bits.
SORTED_ROWS = 2048
ROUNDS = 12  # of the cipher; its 4 by default leave traces that show in tests, 8 leave none


def rows_at(step, count, batch_size, seed=None, drop_remainder=True):
    """Return the rows of one batch of an endless sequence of passes over a set.

    Pass p holds the batches p n .. (p + 1) n - 1, with n = count // batch_size: every row at most
    once, and all but the remainder that fills no batch; or with that as a smaller last batch, and n
    one larger. No state is kept, so any batch costs the same.

    Args:
        step: int64 scalar tensor, the number of the batch, at least 0.
        count: number of rows, at least `batch_size`.
        batch_size: rows a batch.
        seed: integer of 64 bits from which the order of every pass comes, or None for 0, 1, 2 ...
        drop_remainder: whether the rows that fill no batch are left out.

    Returns:
        int64 tensor `(batch_size,)` of row numbers in 0..count - 1.

    Example:
        >>> import tensorflow as tf
        >>> from kgen.data.order import rows_at
        >>> rows_at(tf.constant(4, tf.int64), count=10, batch_size=3).numpy()
        array([3, 4, 5])
    """
    step = tf.cast(step, tf.int64)
    remainder = 0 if drop_remainder else count % batch_size
    steps_per_pass = count // batch_size + (remainder > 0)
    places = step % steps_per_pass * batch_size + tf.range(batch_size, dtype=tf.int64)
    if remainder:
        places = places[: count - places[0]]
    if seed is None:
        return places
    number = tf.stack([tf.constant(seed, tf.int64), step // steps_per_pass])
    rows = (_sorted if count <= SORTED_ROWS else _enciphered)(number, count, places)
    rows.set_shape(places.shape)
    return rows


def _traced_once(function):
    """Returns a graph, one for all sets, of a function of `number`, `count` and `places`."""
    shapes = ([2], [], [None])
    specs = [tf.TensorSpec(shape, tf.int64) for shape in shapes]
    return tf.function(function, input_signature=specs, autograph=False)


@_traced_once
def _sorted(number, count, places):
    draws = tf.random.stateless_uniform([count], number, None, None, tf.int64, alg="philox")
    return tf.cast(tf.gather(tf.argsort(draws), places), tf.int64)


@_traced_once
def _enciphered(number, count, places):
    # The cipher reads but the low bits of each word of its key, 8 of them for fewer than 65,536
    # rows: without this hash, seeds or passes that are 256 apart would have the same order.
    key = tf.random.stateless_uniform([3], number, None, None, tf.int32, alg="philox")
    return tf.raw_ops.RandomIndexShuffle(index=places, seed=key, max_index=count - 1, rounds=ROUNDS)


def derived_seed(seed, purpose):
    """Return a seed for one purpose, unrelated to the seeds of others.

    Args:
        seed: any integer.
        purpose: a name.

    Returns:
        Integer of 64 bits with a sign.

    Example:
        >>> from kgen.data.order import derived_seed
        >>> derived_seed(0, "first") == derived_seed(0, "second")
        False
    """
    digest = hashlib.blake2b(f"{int(seed)} {purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
