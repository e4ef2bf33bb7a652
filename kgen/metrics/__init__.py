"""Metrics whose results carry their protocol, on NumPy arrays in float64."""

from kgen.metrics.card import Card
from kgen.metrics.score import Score

__all__ = ["Card", "Score"]
