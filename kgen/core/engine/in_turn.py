"""Datasets one after the other, of batches of several sizes."""

import tensorflow as tf


def in_turn(makers):
    """Returns the batches of several datasets in turn, each of which is made as its turn comes.

    Unlike `concatenate`, by which each dataset has a copy of the arrays that it holds, all share
    one.

    Args:
        makers: List of functions that return a `tf.data.Dataset`, the last an endless one. Their
            batches may differ in shape, of which is then known what they have in common.

    Returns:
        An endless `tf.data.Dataset`.
    """
    if len(makers) == 1:
        return makers[0]()
    first, *others = (maker().element_spec for maker in makers)
    spec = tf.nest.map_structure(
        lambda one, *rest: one.most_specific_common_supertype(rest), first, *others
    )
    branches = [lambda maker=maker: tf.data.experimental.to_variant(maker()) for maker in makers]

    @tf.autograph.experimental.do_not_convert
    def of_turn(turn):
        made = tf.switch_case(tf.cast(turn, tf.int32), branches)
        return tf.data.experimental.from_variant(made, spec)

    batches = tf.data.Dataset.range(len(makers)).flat_map(of_turn)
    return batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
