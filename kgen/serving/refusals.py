"""Refusals of a graph: one plain sentence, whoever reads it in the end."""

import re

import tensorflow as tf

# Around what an operation says stands where the graph has it, and around what an assertion says
# that it failed.
_PLACE = re.compile(r"^.*stack traces unavailable>\n|\s*\[\[\{\{node .*$|\s*\[Op:.*$", re.DOTALL)
_ASSERTION = re.compile(r"^.*assertion failed: \[(.*)\]$", re.DOTALL)


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
    return _ASSERTION.sub(r"\1", _PLACE.sub("", message))
