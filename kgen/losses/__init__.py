"""Losses as pure functions: adversarial, penalties, likelihoods, divergences, reconstruction."""

from kgen.losses.adversarial import (
    ADVERSARIAL_LOSSES,
    AdversarialLoss,
    adversarial_loss,
    hinge_discriminator_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
    minimax_discriminator_loss,
    minimax_generator_loss,
    non_saturating_generator_loss,
    relativistic_average_discriminator_loss,
    relativistic_average_generator_loss,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from kgen.losses.classification import classification_loss
from kgen.losses.code_penalties import (
    contractive_penalty,
    kl_sparsity,
    l1_sparsity,
    scale_free_contraction,
)
from kgen.losses.divergences import gaussian_kl
from kgen.losses.likelihood import (
    LIKELIHOODS,
    bernoulli_log_prob,
    discretized_logistic_log_prob,
    gaussian_log_prob,
)
from kgen.losses.penalties import (
    PENALTIES,
    dragan_penalty,
    gradient_penalty,
    r1_penalty,
    r2_penalty,
)
from kgen.losses.reconstruction import (
    RECONSTRUCTIONS,
    Reconstruction,
    absolute_error,
    squared_error,
    weighted_squared_error,
)

__all__ = [
    "ADVERSARIAL_LOSSES",
    "LIKELIHOODS",
    "PENALTIES",
    "RECONSTRUCTIONS",
    "AdversarialLoss",
    "Reconstruction",
    "absolute_error",
    "adversarial_loss",
    "bernoulli_log_prob",
    "classification_loss",
    "contractive_penalty",
    "discretized_logistic_log_prob",
    "dragan_penalty",
    "gaussian_kl",
    "gaussian_log_prob",
    "gradient_penalty",
    "hinge_discriminator_loss",
    "kl_sparsity",
    "l1_sparsity",
    "least_squares_discriminator_loss",
    "least_squares_generator_loss",
    "minimax_discriminator_loss",
    "minimax_generator_loss",
    "non_saturating_generator_loss",
    "r1_penalty",
    "r2_penalty",
    "relativistic_average_discriminator_loss",
    "relativistic_average_generator_loss",
    "scale_free_contraction",
    "squared_error",
    "wasserstein_critic_loss",
    "wasserstein_generator_loss",
    "weighted_squared_error",
]
