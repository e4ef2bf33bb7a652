"""The engine on TensorFlow: tapes, replicas and stateless random numbers."""

import functools
import threading
from typing import Any, NamedTuple

import tensorflow as tf

from kgen.core.engine.python_calls import required
from kgen.core.engine.strategies import is_multiworker, replicas

# What reading and writing files raises: Python's, and TensorFlow's own, as of TensorBoard's logs.
FILE_ERRORS = (OSError, tf.errors.OpError)
VERSION = tf.__version__


def run_step(model, play, data, uneven=False):
    """Plays one round on a replica's rows `data` and returns its logs.

    Args:
        model: The model.
        play: Function from the rows to the logs.
        data: The rows.
        uneven: Whether replicas may have different numbers of them.
    """
    _step.has_uneven_rows = uneven and replicas() > 1
    try:
        logs = play(data)
    finally:
        _step.has_uneven_rows = False
    if is_multiworker(model.distribute_strategy):
        # Keras 3 takes the mean of each replica's logs over their first axis (its issue 20585).
        logs = tf.nest.map_structure(lambda value: tf.reshape(value, (1,)), logs)
    return logs


def minimize(loss_function, variables, optimizer, recording=None):
    """Makes one step of `optimizer` on `variables`, and on nothing else.

    Args:
        loss_function: Function without arguments that returns `(loss, logs)`, `loss` a scalar.
        variables: The Keras variables that may move.
        optimizer: The Keras optimizer of these variables; a `LossScaleOptimizer` scales the loss.
        recording: What `record` returned for the same variables, if the loss starts from it.

    Returns:
        What `loss_function` returned, the loss not scaled.
    """
    values = [variable.value for variable in variables]
    recorded = [] if recording is None else recording.computed
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([values, recorded])
        loss, logs = loss_function()
        # Optimizers sum gradients over replicas; the loss is a mean over one replica's rows.
        scaled_loss = optimizer.scale_loss(loss / replicas())
    gradients, upstream = tape.gradient(scaled_loss, [values, recorded])
    used = [pair for pair in zip(recorded, upstream, strict=True) if pair[1] is not None]
    if used:
        outputs, upstream = zip(*used, strict=True)
        earlier = recording.tape.gradient(outputs, values, output_gradients=upstream)
        gradients = [_sum(pair) for pair in zip(gradients, earlier, strict=True)]
    if replicas() > 1 and hasattr(optimizer, "dynamic_scale"):
        gradients = _finite_together(gradients)
    optimizer.apply(gradients, variables)
    return loss, logs


class Recording(NamedTuple):
    """What a function returned, and how to go back through it later."""

    outputs: Any
    computed: list
    tape: tf.GradientTape


def record(function, data, variables):
    """Runs `function(data)` and keeps what gradients with respect to `variables` need.

    `minimize` pulls a loss's gradient back through it, as if `function` had run inside that loss.
    The variables must not move in between.

    Returns:
        A `Recording`; its `outputs` are what the function returned.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([variable.value for variable in variables])
        outputs = function(data)
    given = {id(leaf) for leaf in tf.nest.flatten(data)}
    # Each once, for a tape would count the gradient of one that comes twice double.
    leaves = {id(leaf): leaf for leaf in tf.nest.flatten(outputs)}
    return Recording(outputs, [leaves[key] for key in leaves.keys() - given], tape)


def input_gradient(function, inputs, upstream=None):
    """Returns d sum(function(inputs)) / d inputs, itself differentiable. Same shape as `inputs`.

    With `upstream`, a tensor of the shape of the outputs, their sum is weighted by it.
    """
    return value_and_input_gradient(function, inputs, upstream)[1]


def value_and_input_gradient(function, inputs, upstream=None, part=None):
    """Returns function(inputs) and its `input_gradient`, of one pass.

    With `part`, a function of the outputs, the gradient is that of what it returns.
    """
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        outputs = function(inputs)
        target = outputs if part is None else part(outputs)
    return outputs, tape.gradient(target, inputs, upstream, unconnected_gradients="zero")


def rows_of_all(tensor):
    """Returns the rows that all replicas together have, and the number of the first own one.

    Replicas must have equally many. No gradient flows back.
    """
    if replicas() == 1:
        return tensor, 0
    context = tf.distribute.get_replica_context()
    first = context.replica_id_in_sync_group * tf.shape(tensor)[0]
    return context.all_gather(tf.stop_gradient(tensor), axis=0), first


def batch_norm(inputs, scale, offset, epsilon):
    """Normalises each channel over the other axes of a batch, by one fused operation.

    Args:
        inputs: `(batch, ..., channels)`, float32 or half precision.
        scale, offset: float32 `(channels,)`.
        epsilon: Added to the variance.

    Returns:
        The outputs, of the type and shape of the inputs; the mean and the variance of each channel,
        float32 `(channels,)`.
    """
    channels = inputs.shape[-1]
    # Images go as they are: of as many images of one pixel cuDNN takes no more than 65,535.
    pixels = inputs if len(inputs.shape) == 4 else tf.reshape(inputs, (-1, 1, 1, channels))
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=pixels, scale=scale, offset=offset, mean=[], variance=[], epsilon=epsilon
    )
    count = tf.cast(tf.reduce_prod(tf.shape(pixels)[:-1]), variance.dtype)
    # The operation's variance is the unbiased one, which it does not normalise by.
    biased = variance * (count - 1.0) / count
    return tf.reshape(outputs, tf.shape(inputs)), mean, biased


def synchronized_batch_norm(inputs, scale, offset, epsilon):
    """Normalises as `batch_norm`, by the moments of the rows of all replicas together."""
    if replicas() == 1:
        return batch_norm(inputs, scale, offset, epsilon)
    axes = list(range(len(inputs.shape) - 1))
    values = tf.cast(inputs, "float32")
    # In two steps: the mean square less the square of the mean would lose digits.
    mean = mean_over_replicas([tf.reduce_mean(values, axes)])[0]
    centred = values - mean
    variance = mean_over_replicas([tf.reduce_mean(tf.square(centred), axes)])[0]
    outputs = centred * (scale * tf.math.rsqrt(variance + epsilon)) + offset
    return tf.cast(outputs, inputs.dtype), mean, variance


def mean_over_replicas(tensors):
    """Returns the means of tensors over all replicas, each of a replica's own; differentiable."""
    if replicas() == 1:
        return tensors
    context = tf.distribute.get_replica_context()
    # As outputs of operations: a variable's value has no device, which several hosts need.
    tensors = [tf.identity(tensor) for tensor in tensors]
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, tensors)


def mean_over_rows(rows):
    """Returns the mean of rows `(n, ...)` over those of all replicas; differentiable.

    Each replica may have another number of them, or none.
    """
    if replicas() == 1:
        return tf.reduce_mean(rows, axis=0)
    context = tf.distribute.get_replica_context()
    parts = [tf.reduce_sum(rows, axis=0), tf.cast(tf.shape(rows)[0], rows.dtype)]
    total, count = context.all_reduce(tf.distribute.ReduceOp.SUM, parts)
    return total / count


def normal(shape, seed):
    """Draws float32 from N(0, 1); `seed` is a pair of integers, as `SeedGenerator.next()` gives."""
    # Of the 2^23 midpoints of (0, 1) that the bits choose from, so never 0 or 1.
    return tf.math.ndtri((_bits(shape, seed) + 0.5) * 2.0**-23)


def uniform(shape, seed, common=False):
    """Draws float32 from U[0, 1); `seed` is a pair of integers, as `SeedGenerator.next()` gives.

    With `common` all replicas draw the same numbers, and not each the rows of its own.
    """
    return _bits(shape, seed, common) * 2.0**-23


def require(condition, message, tensor):
    """Returns a tensor; where a boolean scalar is false ends what needs it with `message`.

    Nothing that depends on the tensor comes about then. XLA knows no such end. Out of
    `errors_as_raised` it comes as a ValueError.
    """
    required.add(message)
    with tf.control_dependencies([tf.debugging.Assert(condition, [message])]):
        return tf.identity(tensor)


def function(step):
    """Compiles a function of tensors into a graph; as in an export, so that both agree."""
    return tf.function(step, autograph=False, reduce_retracing=True)


def is_tracing():
    """Whether what runs now is traced into a graph."""
    return not tf.executing_eagerly()


def value_of(variable):
    """Returns a Keras variable's value as a NumPy array, also while a graph is traced."""
    with tf.init_scope():
        return variable.numpy()


def _sum(gradients):
    """The sum of two gradients, of which `None` is zero; `None` if both are."""
    present = [gradient for gradient in gradients if gradient is not None]
    if len(present) == 2:
        return tf.add(*(tf.convert_to_tensor(gradient) for gradient in present))
    return present[0] if present else None


def _finite_together(gradients):
    """Gradients of which no replica's are finite where one replica's are not.

    A `LossScaleOptimizer` skips a move whose gradients are not, and takes that of one replica's
    alone, or decides for each: replicas would part, or wait for each other for ever.
    """
    present = [tf.reduce_all(tf.math.is_finite(g)) for g in gradients if g is not None]
    finite = tf.cast(tf.reduce_all(present), "float32")
    share = mean_over_replicas([finite])[0]
    factor = tf.where(share < 1.0, float("nan"), 1.0)
    return [g if g is None else g * tf.cast(factor, g.dtype) for g in gradients]


# What is known of the step that a replica's thread traces.
_step = threading.local()


def _bits(shape, seed, common=False):
    """Draws integers from [0, 2^23), as float32, for the rows of this replica.

    Integers, because only they are the same with and without XLA; by Philox, because the default
    algorithm is 10 times slower under XLA on a CPU. They are drawn for the global batch, of which a
    replica keeps its rows: so the noise of an example does not depend on how many devices share the
    batch, and no two replicas see the same noise.
    """
    rows = shape[0]
    first, total = (0, rows) if common else _place(rows)
    bits = _philox((total, *shape[1:]), seed)
    if replicas() > 1 and not common:
        bits = bits[first : first + rows]
    return tf.cast(tf.bitwise.right_shift(bits, tf.constant(9, "uint32")), "float32")


# The algorithm and the key by which TensorFlow mixes a seed before it draws from it.
_PHILOX, _MIXING_KEY = 1, 0x02461E293EC8F720


def _philox(shape, seed):
    """What `tf.random.stateless_uniform(shape, seed, None, None, "uint32", "philox")` draws.

    That one takes the mixed seed apart in 24 operations, where these are 6: a training draws often,
    and tracing it takes as long as it has operations.
    """
    draw = functools.partial(tf.raw_ops.StatelessRandomUniformFullIntV2, alg=_PHILOX)
    seed = tf.cast(tf.cast(seed, "int64"), "uint64")
    mixed = draw(shape=[2], key=tf.constant([_MIXING_KEY], "uint64"), counter=seed, dtype="uint64")
    counter = tf.stack([tf.zeros_like(mixed[1]), mixed[1]])
    return draw(shape=shape, key=mixed[:1], counter=counter, dtype="uint32")


def _place(rows):
    """The number of the first of a replica's rows among those of all, and how many these are."""
    count = replicas()
    if count == 1:
        return 0, rows
    context = tf.distribute.get_replica_context()
    replica = context.replica_id_in_sync_group
    if not getattr(_step, "has_uneven_rows", False):
        return replica * rows, count * rows
    own = tf.one_hot(replica, count, dtype="int32") * tf.cast(rows, "int32")
    of_all = context.all_reduce(tf.distribute.ReduceOp.SUM, own)  # (replicas,)
    return tf.cumsum(of_all, exclusive=True)[replica], tf.reduce_sum(of_all)
