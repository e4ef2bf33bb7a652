"""A model's networks by the names that a user knows them by."""

import keras


def named_networks(model):
    """Returns a dict from names to networks: the players' in the order of turns, then averages.

    A network's name is that of the model's attribute that holds it, such as `"generator_average"`.
    """
    held = {id(value): name for name, value in vars(model).items() if _is_network(value)}
    played = [network for player in model.players for network in player.networks]
    named = {held.get(id(network), network.name): network for network in played}
    others = {name: value for name, value in vars(model).items() if _is_network(value)}
    return {**named, **{name: value for name, value in others.items() if name not in named}}


def _is_network(value):
    return isinstance(value, keras.Model)
