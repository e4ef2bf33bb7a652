"""An exponential moving average of a network's weights (Polyak and Juditsky 1992)."""

import zlib

import keras
from keras import ops

from kgen.core.replicas import batch_norms


def average_of(network):
    """Returns a copy of `network`, with its weights, to hold their moving average."""
    average = keras.models.clone_model(network)
    copy_weights(average, network)
    average.trainable = False
    return average


def copy_weights(average, network):
    """Gives an average the weights of its network."""
    for mean, variable in zip(average.weights, network.weights, strict=True):
        mean.assign(variable)


def update_average(average, network, momentum):
    """Moves `average`: w <- momentum * w + (1 - momentum) * network's w.

    What is no parameter, such as batch norm's statistics, is copied: `measure_moments` makes those
    of the average itself.
    """
    parameters = {id(variable) for variable in network.trainable_variables}
    for mean, variable in zip(average.weights, network.weights, strict=True):
        if id(variable) in parameters:
            factor = ops.cast(momentum, mean.dtype)
            mean.assign(factor * mean + (1.0 - factor) * variable)
        else:
            mean.assign(variable)


def warmed_up(momentum, rounds):
    """Returns the momentum of a round, at most (1 + rounds) / (10 + rounds).

    An average begins near weights that are worth nothing: with 0.999 alone they would be a third of
    it after 1,000 rounds. So at first it spans the last ninth of the training, as TensorFlow's
    `tf.train.ExponentialMovingAverage` does with `num_updates`.

    Args:
        momentum: In (0, 1), from about 9 / (1 - momentum) rounds on.
        rounds: Integer scalar tensor, those that the average has followed before.
    """
    rounds = ops.cast(rounds, "float32")
    return ops.minimum(momentum, (1.0 + rounds) / (10.0 + rounds))


def measure_moments(network, batches):
    """Gives the batch norms in a network the means of the moments of batches; nothing else changes.

    Brock et al. 2019, section 4.1 and appendix, "standing statistics", arXiv 1809.11096.

    Args:
        network: Built `keras.Model`.
        batches: Iterable of what it takes.
    """
    norms = batch_norms(network)
    moments = {id(v) for norm in norms for v in (norm.moving_mean, norm.moving_variance)}
    others = [(v, v.numpy()) for v in network.variables if id(v) not in moments]
    settings = [(norm, norm.momentum, norm.trainable) for norm in norms]
    try:
        for number, batch in enumerate(batches):
            for norm in norms:
                # Of a moving average that makes the mean of all; a frozen one would not move.
                norm.momentum, norm.trainable = number / (number + 1.0), True
            network(batch, training=True)
    finally:
        for norm, momentum, trainable in settings:
            norm.momentum, norm.trainable = momentum, trainable
        for variable, value in others:  # Random states, power iterations.
            variable.assign(value)


def fingerprint(average, network):
    """Returns a number that tells whether the parameters of an average are those of before."""
    parameters = {id(variable) for variable in network.trainable_variables}
    checksum = 0
    for mean, variable in zip(average.weights, network.weights, strict=True):
        if id(variable) in parameters:
            checksum = zlib.crc32(mean.numpy().tobytes(), checksum)
    return checksum
