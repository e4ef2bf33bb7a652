"""Metrics whose results carry their protocol, on NumPy arrays in float64."""

from kgen.metrics.auroc import auroc
from kgen.metrics.cache import cache_folder
from kgen.metrics.card import Card
from kgen.metrics.codes import code_scores
from kgen.metrics.conditional import (
    class_frechet_distances,
    class_label_agreements,
    cluster_agreement,
    label_agreement,
    matched_classes,
)
from kgen.metrics.disentanglement import (
    beta_vae_score,
    disentanglement_scores,
    factor_vae_score,
    mutual_information_gap,
)
from kgen.metrics.diversity import diversity
from kgen.metrics.evaluation import Evaluation
from kgen.metrics.extractors import Extractor, extractor
from kgen.metrics.frechet import frechet_distance, gaussian_frechet_distance
from kgen.metrics.inception_score import inception_score
from kgen.metrics.kernel import kernel_distance
from kgen.metrics.known_factors import KnownFactors, known_factors
from kgen.metrics.modes import label_scores, mixture_scores
from kgen.metrics.moments import Moments
from kgen.metrics.path_length import perceptual_path_length
from kgen.metrics.precision_recall import coverage, density, manifold_scores, precision, recall
from kgen.metrics.score import Score
from kgen.metrics.score_log import append_scores, read_scores
from kgen.metrics.similarity import l1, psnr, similarity_scores
from kgen.metrics.strokes import stroke_slant, stroke_thickness
from kgen.metrics.structural_similarity import multi_scale_ssim, ssim
from kgen.metrics.translation import TranslationEvaluation

__all__ = [
    "Card",
    "Evaluation",
    "Extractor",
    "KnownFactors",
    "Moments",
    "Score",
    "TranslationEvaluation",
    "append_scores",
    "auroc",
    "beta_vae_score",
    "cache_folder",
    "class_frechet_distances",
    "class_label_agreements",
    "cluster_agreement",
    "code_scores",
    "coverage",
    "density",
    "disentanglement_scores",
    "diversity",
    "extractor",
    "factor_vae_score",
    "frechet_distance",
    "gaussian_frechet_distance",
    "inception_score",
    "kernel_distance",
    "known_factors",
    "l1",
    "label_agreement",
    "label_scores",
    "manifold_scores",
    "matched_classes",
    "mixture_scores",
    "multi_scale_ssim",
    "mutual_information_gap",
    "perceptual_path_length",
    "precision",
    "psnr",
    "read_scores",
    "recall",
    "similarity_scores",
    "ssim",
    "stroke_slant",
    "stroke_thickness",
]
