"""Generative models for Keras: one `train_step`, trained with `fit`, saved and served."""

from kgen import layers, losses, models, networks
from kgen.core import GenerativeModel, Player

__version__ = "0.1.0"

__all__ = ["GenerativeModel", "Player", "layers", "losses", "models", "networks"]
