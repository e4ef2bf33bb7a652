"""Minibatch standard deviation: lets a discriminator see how varied its batch is."""

import keras
from keras import ops

from kgen.core.numbers import is_count, plain_arguments


@keras.saving.register_keras_serializable("kgen")
class MinibatchStandardDeviation(keras.layers.Layer):
    """Appends one channel that holds the standard deviation within a group of examples.

    Karras et al., "Progressive Growing of GANs", 2018, section 3 (arXiv:1710.10196): the standard
    deviation of each feature at each position over the group, then the mean of all of these, one
    number a group, as one more feature map.

    Grouping: a batch of `batch` examples makes `groups = max(1, batch // group_size)` groups, and
    example `i` belongs to group `i % groups`. So a batch that `group_size` divides is grouped as by
    the authors' code; a smaller batch is one group; any other batch has groups of `group_size`
    examples or a few more (9 examples by 4: groups of 5 and 4). The batch size may be unknown until
    the graph runs.

    Args:
        group_size: Integer, examples in a group, at least 2; the default is the authors'.
        epsilon: Positive float added to the variance; the square root has no finite gradient at
            zero, where identical examples are.

    Input shape: `(batch, ..., channels)`. Output shape: `(batch, ..., channels + 1)`. The
    statistics are computed in float32 also under mixed precision.

    Raises:
        ValueError: If `group_size` is not an integer of at least 2, or `epsilon` is not positive.

    Example:
    >>> kgen.layers.MinibatchStandardDeviation()(keras.random.normal((8, 4, 4, 16))).shape
    TensorShape([8, 4, 4, 17])
    """

    @plain_arguments
    def __init__(self, group_size=4, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        if not is_count(group_size, 2):
            raise ValueError(
                "MinibatchStandardDeviation: `group_size` should be an integer of at least 2, a "
                f"single example has no deviation. Received: group_size={group_size}"
            )
        if not epsilon > 0:
            raise ValueError(
                "MinibatchStandardDeviation: `epsilon` should be positive. Received: "
                f"epsilon={epsilon}"
            )
        self.group_size = group_size
        self.epsilon = epsilon
        self.built = True

    def call(self, inputs):
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        batch, *rest = ops.shape(x)
        groups = ops.maximum(batch // self.group_size, 1)
        if isinstance(batch, int):
            groups = max(batch // self.group_size, 1)
        members = (batch + groups - 1) // groups  # in the largest group

        # Rows of zeros fill up the last examples of the smaller groups; `present` masks them out.
        missing = members * groups - batch
        x = ops.concatenate([x, ops.zeros((missing, *rest), x.dtype)])  # (members * groups, ...)
        present = ops.arange(members * groups) < batch
        present = ops.reshape(ops.cast(present, x.dtype), (members, groups, *(1 for _ in rest)))
        x = ops.reshape(x, (members, groups, *rest))  # (members, groups, ...)

        count = ops.sum(present, axis=0)
        mean = ops.sum(x, axis=0) / count
        variance = ops.sum(ops.square((x - mean) * present), axis=0) / count
        deviation = ops.sqrt(variance + self.epsilon)
        deviation = ops.mean(deviation, axis=tuple(range(1, len(rest) + 1)))  # (groups,)

        deviation = ops.tile(deviation, [members])[:batch]  # (batch,)
        deviation = ops.reshape(deviation, (batch, *(1 for _ in rest)))
        feature_map = ops.broadcast_to(deviation, (batch, *rest[:-1], 1))  # (batch, ..., 1)
        return ops.concatenate([inputs, ops.cast(feature_map, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self):
        return {
            **super().get_config(),
            "group_size": self.group_size,
            "epsilon": self.epsilon,
        }
