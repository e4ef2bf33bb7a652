"""The loss of a classifier."""

from keras import ops


def classification_loss(logits, labels):
    """Mean cross-entropy in nats of the classes' logits, `(batch, classes)`, to one-hot labels."""
    log_probabilities = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return -ops.mean(ops.sum(labels * log_probabilities, axis=-1))
