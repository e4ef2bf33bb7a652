"""The core: players taking turns in one `train_step`, their optimizers, noise and averages."""

from kgen.core.linear_decay import LinearDecay
from kgen.core.model import GenerativeModel
from kgen.core.noise import Noise, SeededNoise
from kgen.core.optimizers import PlayerOptimizers
from kgen.core.player import Player

__all__ = [
    "GenerativeModel",
    "LinearDecay",
    "Noise",
    "Player",
    "PlayerOptimizers",
    "SeededNoise",
]
