"""Keras callbacks for generative models."""

from kgen.callbacks.progress import ProgressBar, Throughput
from kgen.callbacks.rounds import RoundCallback, StopAfter
from kgen.callbacks.sample_grid import SampleGrid

__all__ = ["ProgressBar", "RoundCallback", "SampleGrid", "StopAfter", "Throughput"]
