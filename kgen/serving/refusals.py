"""Refusals of a graph: one plain sentence, whoever reads it in the end."""

import re

import tensorflow as tf

# Around what an operation says stands where the graph has it, and around what an assertion says
# that it failed. Spaces are not looked for: in a long message of them that takes minutes.
_PLACE = re.compile(r"^.*stack traces unavailable>\n|\[\[\{\{node .*$|\[Op:.*$", re.DOTALL)
_FAILED = "assertion failed: ["


def required(tensor, condition, *sentence):
    """Returns a tensor; where a boolean scalar is false, ends the request with a sentence.

    What needs the tensor is not computed then.

    Args:
        tensor: The tensor.
        condition: The boolean scalar.
        *sentence: Texts and tensors, which are joined.
    """
    template = "".join(part if isinstance(part, str) else "{}" for part in sentence)
    tensors = [part for part in sentence if not isinstance(part, str)]
    text = tf.strings.format(template, tensors) if tensors else tf.constant(template)
    with tf.control_dependencies([tf.debugging.Assert(condition, [text])]):
        return tf.identity(tensor)


def sentence_of(message):
    """Returns what TensorFlow's message of an error says, without the names of operations."""
    message = _PLACE.sub("", message).rstrip()
    _, failed, sentence = message.rpartition(_FAILED)
    return sentence[:-1] if failed and sentence.endswith("]") else message
