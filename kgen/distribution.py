"""Training on several devices and several hosts: the strategies, and what goes with them."""

from kgen.core import engine
from kgen.core.engine import WorkerLostError
from kgen.core.replicas import batch_norms

__all__ = [
    "WorkerLostError",
    "is_chief",
    "is_multiworker",
    "largest",
    "strategy",
    "synchronize_batch_norm",
    "told_by_chief",
    "wait_for_all",
]


def strategy(name, replicas=None):
    """Returns the `tf.distribute.Strategy` in whose scope a model is made and compiled.

    To be called before TensorFlow is first used, that is before any data or model. The batch given
    to `fit` stays that of all replicas together, which have to divide it.

    Example:
        with kgen.distribution.strategy("mirrored").scope():
            model = kgen.models.GAN(generator, discriminator)
            model.compile()
        model.fit(images)

    Args:
        name: `"mirrored"`, all GPUs of this host, or without any, logical CPU devices;
            `"multiworker"`, all hosts that the environment variable TF_CONFIG names, on each of
            which the same script has to run; `"none"`, TensorFlow's default.
        replicas: Devices of this host; `None` for all its GPUs. Without GPU the logical CPU devices
            of `"mirrored"`, by default 2; a worker is then one replica.

    Raises:
        ValueError: If there is no such strategy, there are not so many devices, TensorFlow is in
            use already, or TF_CONFIG is missing or wrong.
    """
    return engine.make_strategy(name, replicas)


def is_chief(strategy):
    """Whether this process is the one that writes files; without other workers it always is."""
    return engine.is_chief(strategy)


def is_multiworker(strategy):
    """Whether other processes take part in the trainings of a strategy."""
    return engine.is_multiworker(strategy)


def largest(strategy, numbers):
    """Returns the largest of each integer over all hosts, which wait for each other.

    For a callback that has to decide the same on all. All hosts have to call it, in the same order.

    Args:
        strategy: The model's `distribute_strategy`.
        numbers: List of integers, as many on all hosts.
    """
    return engine.largest(strategy, numbers)


def told_by_chief(strategy, text):
    """Returns the chief's text on all hosts, which wait for it; the others may give `None`."""
    return engine.told_by_chief(strategy, text)


def wait_for_all(strategy):
    """Returns once all hosts have come here; without other workers at once."""
    engine.largest(strategy, [0])


def synchronize_batch_norm(model):
    """Has every batch norm in a model normalise by the rows of all replicas together.

    To be called before the model is trained. Then replicas end at the weights of a single device.

    Args:
        model: A `keras.Model` or layer.

    Returns:
        How many batch norms it holds.
    """
    found = batch_norms(model)
    for layer in found:
        layer.synchronized = True
    return len(found)
