"""Every name of Keras that kgen uses and Keras does not call public.

A release of Keras may change any of them. tests/core/test_keras_private.py asks for each, so that
one which has gone is called by its name, and for no other in all of kgen.
"""

import keras
from keras.src.random.seed_generator import global_seed_generator

# What a callback has of Keras beside `model`, and of TensorBoard how far its steps are.
CALLBACKS_MODEL = "_model"
STEPS_OF_TENSORBOARD = ("_global_train_batch", "_global_test_batch")


def flatten_layers(network):
    """Returns the network and all layers in it, however deep: nested, wrapped or in a layer."""
    return network._flatten_layers()


def call_of(tensor):
    """Returns the call that made a tensor of a functional model: its layer, inputs and outputs."""
    layer, index, _ = tensor._keras_history
    node = layer._inbound_nodes[index]
    return layer, node.input_tensors, node.output_tensors


def learning_rate_of(optimizer):
    """Returns an optimizer's learning rate as it is held, a variable or a schedule.

    `optimizer.learning_rate` is a schedule's present value, and there is no way to tell.
    """
    return optimizer._learning_rate


def trained_by(optimizer):
    """Returns the variables that an optimizer was built for, in their order."""
    return optimizer._trainable_variables


def own_variables(optimizer):
    """Returns an optimizer's variables, for one whose `variables` are more than these."""
    return optimizer._variables


def global_seed_state():
    """Returns the variable of the random state from which unseeded `keras.random` draws."""
    return global_seed_generator().state


class BuildsOptimizerAlone(keras.Model):
    """A model whose networks come built: before training only its optimizer may be left to build.

    Keras would trace a call of the mean of the replicas' rows, which fails where these are not
    equally many.
    """

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        if self.compiled and not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)
