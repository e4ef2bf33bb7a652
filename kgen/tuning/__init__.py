"""Searches over the fields of recipes' configs, with KerasTuner."""

from kgen.tuning.hypermodel import WORST, RecipeHyperModel, RefusedError, hypermodel
from kgen.tuning.objectives import objective
from kgen.tuning.results import Trial, best_fields, results
from kgen.tuning.space import Choice, Float, Int
from kgen.tuning.tuner import RecipeTuner, tuner

__all__ = [
    "WORST",
    "Choice",
    "Float",
    "Int",
    "RecipeHyperModel",
    "RecipeTuner",
    "RefusedError",
    "Trial",
    "best_fields",
    "hypermodel",
    "objective",
    "results",
    "tuner",
]
