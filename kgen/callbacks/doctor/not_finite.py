"""Signal: NaN or Inf, and the first network and layer in which it is found."""

import contextlib

import keras
import numpy as np
from keras import ops

from kgen.callbacks.doctor.diagnosis import Reading
from kgen.callbacks.doctor.examination import undisturbed
from kgen.callbacks.doctor.networks import named_networks
from kgen.core import engine
from kgen.core.keras_private import flatten_layers


class FiniteWeights:
    """Looks through all weights and the optimizers' slots of a model, where they are.

    Args:
        model: A compiled `kgen.GenerativeModel`.
    """

    def __init__(self, model):
        self.model = model
        self.places = [
            (variable, place) for variable, place in _places(model) if "float" in variable.dtype
        ]
        self._all_finite = engine.function(
            lambda: ops.stack([ops.all(ops.isfinite(v)) for v, _ in self.places])
        )

    def first(self):
        """Returns the `Reading` of the first place that is not finite; `None` if all are."""
        finite = ops.convert_to_numpy(self._all_finite())
        if finite.all():
            return None
        variable, place = self.places[int(np.argmin(finite))]
        return _reading(self.model, _count(variable), place)


def first_in_forward_pass(model, data, seed):
    """Returns the `Reading` of the first layer whose output on the fixed batch is not finite.

    The losses are computed layer by layer as in training, without a trace.

    Args:
        model: A `kgen.GenerativeModel`.
        data: What `fixed_batch` returned.
        seed: Integer seed of the noise.
    """
    rows = len(keras.tree.flatten(data)[0])
    rows -= rows % model.evaluation_multiple
    data = keras.tree.map_structure(lambda array: ops.convert_to_tensor(array[:rows]), data)
    with undisturbed(model, seed), _outputs_watched(model) as found:
        prepared = model.prepare(data, training=True)
        for player in model.players:
            model.loss_of(player, prepared, training=True)
    if not found:
        return None
    count, name, layer = found[0]
    place = f"the output of layer {layer.name!r} of the {name}"
    return _reading(model, count, place)


def of_losses(model, names, round_means):
    """Returns the `Reading` of losses that are not finite although all else is."""
    values = ", ".join(f"`{name}` ({round_means[name]:g})" for name in names)
    place = f"{values}, while all weights and the outputs of all layers on a fixed batch are finite"
    return _reading(model, len(names), place)


def of_samples(model):
    """Returns the `Reading` of samples, or their scores, that are not finite though weights are."""
    return _reading(model, 1, "the samples of fixed latents or their gradient, not in a weight")


def _reading(model, count, place):
    rates = ", ".join(
        f"{float(np.asarray(optimizer.learning_rate)):g} ({name})"
        for name, optimizer in model.optimizer.by_player.items()
    )
    return Reading(
        float(count),
        0.0,
        True,
        f"NaN or Inf, first found in {place}.",
        f"See that the data is finite, give the optimizers `clipnorm`, or lower their "
        f"`learning_rate`, now {rates}.",
        urgent=True,
    )


def _places(model):
    """Yields each variable once, with where it is in words."""
    for name, network in named_networks(model).items():
        layers = {}
        for layer in flatten_layers(network):  # Those inside a layer after it.
            layers.update({id(weight): layer for weight in layer.weights})
        for weight in network.weights:
            layer = layers[id(weight)]
            place = f"the {weight.name} of layer {layer.name!r} of the {name}"
            yield weight, place
    for name, optimizer in model.optimizer.by_player.items():
        for slot in optimizer.variables:
            yield slot, f"{slot.path!r} of the {name}'s optimizer"


@contextlib.contextmanager
def _outputs_watched(model):
    """Context that yields a list, which gets the layers whose outputs are not finite, in order."""
    found, hooked = [], {}
    for name, network in named_networks(model).items():
        for layer in flatten_layers(network):
            if id(layer) not in hooked:
                hooked[id(layer)] = layer
                # Past Keras, which would take it for a part of the layer.
                object.__setattr__(layer, "call", _watched(layer, name, found))
    try:
        yield found
    finally:
        for layer in hooked.values():
            object.__delattr__(layer, "call")


def _watched(layer, name, found):
    call = layer.call

    def watched(*args, **kwargs):
        outputs = call(*args, **kwargs)
        count = sum(_count(leaf) for leaf in keras.tree.flatten(outputs))
        if count:
            found.append((count, name, layer))
        return outputs

    return watched


def _count(tensor):
    """How many values are not finite."""
    return int(np.sum(~np.isfinite(np.asarray(tensor, "float64"))))
