"""Metrics whose results carry their protocol, on NumPy arrays in float64."""

from kgen.metrics.auroc import auroc
from kgen.metrics.cache import cache_folder
from kgen.metrics.card import Card
from kgen.metrics.diversity import diversity
from kgen.metrics.evaluation import Evaluation
from kgen.metrics.extractors import Extractor, extractor
from kgen.metrics.frechet import frechet_distance, gaussian_frechet_distance
from kgen.metrics.inception_score import inception_score
from kgen.metrics.kernel import kernel_distance
from kgen.metrics.modes import label_scores, mixture_scores
from kgen.metrics.moments import Moments
from kgen.metrics.precision_recall import coverage, density, manifold_scores, precision, recall
from kgen.metrics.score import Score
from kgen.metrics.score_log import append_scores, read_scores
from kgen.metrics.similarity import multi_scale_ssim, psnr, similarity_scores, ssim

__all__ = [
    "Card",
    "Evaluation",
    "Extractor",
    "Moments",
    "Score",
    "append_scores",
    "auroc",
    "cache_folder",
    "coverage",
    "density",
    "diversity",
    "extractor",
    "frechet_distance",
    "gaussian_frechet_distance",
    "inception_score",
    "kernel_distance",
    "label_scores",
    "manifold_scores",
    "mixture_scores",
    "multi_scale_ssim",
    "precision",
    "psnr",
    "read_scores",
    "recall",
    "similarity_scores",
    "ssim",
]
