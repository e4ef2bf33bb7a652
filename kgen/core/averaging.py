"""An exponential moving average of a network's weights (Polyak and Juditsky 1992)."""

import keras


def average_of(network):
    """Returns a copy of `network`, with its weights, to hold their moving average."""
    average = keras.models.clone_model(network)
    average.set_weights(network.get_weights())
    average.trainable = False
    return average


def update_average(average, network, momentum):
    """Moves `average`: w <- momentum * w + (1 - momentum) * network's w.

    What is no parameter, such as batch norm's statistics, is a moving average already and is
    copied.
    """
    parameters = {id(variable) for variable in network.trainable_variables}
    for mean, variable in zip(average.weights, network.weights, strict=True):
        if id(variable) in parameters:
            mean.assign(momentum * mean + (1.0 - momentum) * variable)
        else:
            mean.assign(variable)
