"""The engine on TensorFlow: tapes, replicas and stateless random numbers."""

from typing import Any, NamedTuple

import tensorflow as tf


def run_step(model, play, data):
    """Plays one round on `data`; TensorFlow's variables are stateful, so nothing is adapted."""
    return play(data)


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
        scaled_loss = optimizer.scale_loss(loss / _replicas())
    gradients, upstream = tape.gradient(scaled_loss, [values, recorded])
    used = [pair for pair in zip(recorded, upstream, strict=True) if pair[1] is not None]
    if used:
        outputs, upstream = zip(*used, strict=True)
        earlier = recording.tape.gradient(outputs, values, output_gradients=upstream)
        gradients = [_sum(pair) for pair in zip(gradients, earlier, strict=True)]
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
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return tape.gradient(outputs, inputs, upstream, unconnected_gradients="zero")


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
    pixels = tf.reshape(inputs, (-1, 1, 1, channels))
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=pixels, scale=scale, offset=offset, mean=[], variance=[], epsilon=epsilon
    )
    count = tf.cast(tf.shape(pixels)[0], variance.dtype)
    # The operation's variance is the unbiased one, which it does not normalise by.
    biased = variance * (count - 1.0) / count
    return tf.reshape(outputs, tf.shape(inputs)), mean, biased


def normal(shape, seed):
    """Draws float32 from N(0, 1); `seed` is a pair of integers, as `SeedGenerator.next()` gives."""
    # Of the 2^23 midpoints of (0, 1) that the bits choose from, so never 0 or 1.
    return tf.math.ndtri((_bits(shape, seed) + 0.5) * 2.0**-23)


def uniform(shape, seed):
    """Draws float32 from U[0, 1); `seed` is a pair of integers, as `SeedGenerator.next()` gives."""
    return _bits(shape, seed) * 2.0**-23


def require(condition, message):
    """Ends a training with `message` where a boolean scalar tensor is false; not under XLA."""
    tf.debugging.Assert(condition, [message])


def function(step):
    """Compiles a function of tensors into a graph; as in an export, so that both agree."""
    return tf.function(step, autograph=False, reduce_retracing=True)


def value_of(variable):
    """Returns a Keras variable's value as a NumPy array, also while a graph is traced."""
    with tf.init_scope():
        return variable.numpy()


def mirrored(count):
    """Returns a strategy over `count` logical CPU devices, to test replicas without a GPU."""
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    if len(devices) < count:
        raise RuntimeError(
            f"{count} replicas need {count} logical CPU devices, found {len(devices)}: call "
            "`tf.config.set_logical_device_configuration` before TensorFlow is first used."
        )
    # Not by collectives, which two strategies in one process would mix up.
    reduction = tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(devices[:count], cross_device_ops=reduction)


def _sum(gradients):
    """The sum of two gradients, of which `None` is zero; `None` if both are."""
    present = [gradient for gradient in gradients if gradient is not None]
    if len(present) == 2:
        return tf.add(*(tf.convert_to_tensor(gradient) for gradient in present))
    return present[0] if present else None


def _replicas():
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def _bits(shape, seed):
    """Draws integers from [0, 2^23), as float32, for the rows of this replica.

    Integers, because only they are the same with and without XLA; by Philox, because the default
    algorithm is 10 times slower under XLA on a CPU. They are drawn for the global batch, of which a
    replica keeps its rows: so the noise of an example does not depend on how many devices share the
    batch, and no two replicas see the same noise.
    """
    rows, replicas = shape[0], _replicas()
    bits = tf.random.stateless_uniform(
        (rows * replicas, *shape[1:]),
        tf.cast(seed, "int64"),
        minval=None,
        maxval=None,
        dtype="uint32",
        alg="philox",
    )
    if replicas > 1:
        first = tf.distribute.get_replica_context().replica_id_in_sync_group * rows
        bits = bits[first : first + rows]
    return tf.cast(tf.bitwise.right_shift(bits, tf.constant(9, "uint32")), "float32")
