"""Generative models for Keras: one `train_step`, trained with `fit`, saved and served."""

import importlib

from kgen import augmentation, layers, losses, models, networks
from kgen.core import GenerativeModel, LinearDecay, Player
from kgen.version import __version__

# Imported when first used, so that `import kgen` stays light.
_ON_DEMAND = (
    "anomaly",
    "callbacks",
    "data",
    "distribution",
    "latent",
    "metrics",
    "plotting",
    "serving",
    "testing",
    "tuning",
)

__all__ = [
    "GenerativeModel",
    "LinearDecay",
    "Player",
    "__version__",
    "augmentation",
    "layers",
    "losses",
    "models",
    "networks",
    *_ON_DEMAND,
]


def __getattr__(name):
    if name in _ON_DEMAND:
        return importlib.import_module(f"kgen.{name}")
    raise AttributeError(f"module 'kgen' has no attribute {name!r}")
