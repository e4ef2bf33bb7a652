"""Keras callbacks for generative models."""

from kgen.callbacks.checkpoint import Checkpoint
from kgen.callbacks.doctor import Doctor
from kgen.callbacks.evaluate import Evaluate
from kgen.callbacks.progress import ProgressBar, Throughput
from kgen.callbacks.reconstruction_grid import ReconstructionGrid
from kgen.callbacks.rounds import RoundCallback, StopAfter
from kgen.callbacks.sample_grid import SampleGrid
from kgen.callbacks.step_pictures import DivergedError
from kgen.callbacks.translation_grid import TranslationGrid

__all__ = [
    "Checkpoint",
    "DivergedError",
    "Doctor",
    "Evaluate",
    "ProgressBar",
    "ReconstructionGrid",
    "RoundCallback",
    "SampleGrid",
    "StopAfter",
    "Throughput",
    "TranslationGrid",
]
