"""The engine on TensorFlow: tapes, replicas and stateless random numbers."""

import tensorflow as tf


def run_step(model, play, data):
    """Plays one round on `data`; TensorFlow's variables are stateful, so nothing is adapted."""
    return play(data)


def minimize(loss_function, variables, optimizer):
    """Makes one step of `optimizer` on `variables`, and on nothing else.

    Args:
        loss_function: Function without arguments that returns `(loss, logs)`, `loss` a scalar.
        variables: The Keras variables that may move.
        optimizer: The Keras optimizer of these variables; a `LossScaleOptimizer` scales the loss.

    Returns:
        What `loss_function` returned, the loss not scaled.
    """
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss, logs = loss_function()
        # Optimizers sum gradients over replicas; the loss is a mean over one replica's rows.
        scaled_loss = optimizer.scale_loss(loss / _replicas())
    optimizer.apply(tape.gradient(scaled_loss, values), variables)
    return loss, logs


def input_gradient(function, inputs):
    """Returns d sum(function(inputs)) / d inputs, itself differentiable. Same shape as `inputs`."""
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return tape.gradient(outputs, inputs, unconnected_gradients="zero")


def normal(shape, seed):
    """Draws float32 from N(0, 1); `seed` is a pair of integers, as `SeedGenerator.next()` gives."""
    return _rows_of_this_replica(tf.random.stateless_normal, shape, seed)


def uniform(shape, seed):
    """Draws float32 from U[0, 1); `seed` is a pair of integers, as `SeedGenerator.next()` gives."""
    return _rows_of_this_replica(tf.random.stateless_uniform, shape, seed)


def _replicas():
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def _rows_of_this_replica(draw, shape, seed):
    """Draws for the global batch and keeps this replica's rows.

    So the noise of an example does not depend on how many devices share the batch, and no two
    replicas see the same noise. Philox, because the default algorithm is 10 times slower under
    XLA on a CPU.
    """
    seed, replicas = tf.cast(seed, "int64"), _replicas()
    if replicas == 1:
        return draw(shape, seed, alg="philox")
    rows = shape[0]
    everyone = draw((rows * replicas, *shape[1:]), seed, alg="philox")
    first = tf.distribute.get_replica_context().replica_id_in_sync_group * rows
    return everyone[first : first + rows]
