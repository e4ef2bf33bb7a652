"""All layers of a network."""


def flatten_layers(network):
    """Returns the network and all layers in it, however deep: nested, wrapped or in a layer."""
    return network._flatten_layers()  # Keras has no public way to the layers inside a layer.
