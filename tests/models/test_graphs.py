"""Losses of all systems as graphs: a question of a tensor's value in Python would not trace."""

import keras
import pytest
import tensorflow as tf

from kgen.core import engine
from tests.systems import SYSTEMS

# Systems of large graphs, whose losses test_biggan.py and test_gan.py train as graphs.
TRAINED = ("biggan", "sagan")
# A variant whose losses have all the terms that those of a GAN may have.
NAMES = [name for name, system in SYSTEMS.items() if not system.is_variant or name == "packed_gan"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TRAINED])
def test_a_graph_of_every_player_s_loss(name):
    keras.utils.set_random_seed(0)
    model, batch = SYSTEMS[name].make(), SYSTEMS[name].batch()
    model.compile("sgd")  # A lazy penalty counts the rounds.

    def losses(data):
        data = model.prepare(data, training=True)
        return [model.loss_of(player, data, training=True)[0] for player in model.players]

    specs = keras.tree.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), batch)
    graph = engine.function(losses).get_concrete_function(specs)
    assert all(loss.shape == () for loss in graph.outputs) and len(graph.outputs) > 0
