"""Serving: SavedModels for TensorFlow Serving."""

from kgen.serving.export import export, load

__all__ = ["export", "load"]
