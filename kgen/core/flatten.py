"""All layers of a network."""

from kgen.core.keras_private import flatten_layers

__all__ = ["flatten_layers"]
