"""Divergences between distributions of latents, in nats per example."""

from keras import ops


def gaussian_kl(mean, log_variance):
    """KL(N(mean, exp(log_variance)) || N(0, 1)), summed: (batch, d), (batch, d) -> (batch,).

    Kingma and Welling 2014, appendix B, arXiv 1312.6114.
    """
    mean, log_variance = ops.cast(mean, "float32"), ops.cast(log_variance, "float32")
    terms = ops.expm1(log_variance) - log_variance + ops.square(mean)
    return 0.5 * ops.sum(terms, axis=-1)
