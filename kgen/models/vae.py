"""The variational autoencoder, trained on the evidence bound or its importance-weighted form."""

import math

import keras
from keras import ops

from kgen.core import GenerativeModel, Player
from kgen.losses import LIKELIHOODS, gaussian_kl


@keras.saving.register_keras_serializable("kgen")
class VAE(GenerativeModel):
    """Kingma and Welling 2014, arXiv 1312.6114: maximises a lower bound of log p(image).

    Logs `loss`, the negated bound, `reconstruction`, -E[log p(image | latents)], and `kl`, all in
    nats per image. Calling the model, `predict` included, reconstructs images from their latents'
    means; `encode` returns those means, `(batch, latent dimensions)`.

    Example:
        model = kgen.models.VAE(
            kgen.networks.convolutional_encoder((28, 28, 1)),
            kgen.networks.convolutional_decoder((28, 28, 1)),
        )
        model.compile(keras.optimizers.Adam(1e-3))
        model.fit(kgen.data.load("mnist5k"), epochs=50)
        model.log_prob(images)  # (count,), in nats.

    Args:
        encoder: Built `keras.Model`, images -> (mean, log variance), each `(batch, d)`.
        decoder: Built `keras.Model`, latents `(batch, d)` -> parameters of the likelihood.
        likelihood: `"bernoulli"` (the decoder gives a logit a channel; for binary images, and
            customary for grey ones), `"gaussian"` or `"discretized_logistic"` (mean and log_scale a
            channel); see `kgen.losses.likelihood`. `log_prob` and `bits_per_dimension` are
            those of 8-bit images under the last alone: the first is a probability of binary images,
            the second a density on [-1, 1], per bin of width 2/255 log2(127.5) = 7 bits less.
        beta: Weight of the KL divergence (Higgins et al. 2017, beta-VAE); 1 is the bound.
        importance_samples: k >= 1: with k > 1 the loss is the importance-weighted bound of k
            samples (Burda et al. 2016, eq. 8, arXiv 1509.00519).
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form or two do not go together.
    """

    def __init__(
        self, encoder, decoder, likelihood="bernoulli", beta=1.0, importance_samples=1, **kwargs
    ):
        player = Player(
            "vae", (encoder, decoder), self.negative_bound, components=("reconstruction", "kl")
        )
        super().__init__([player], **kwargs)
        _check_likelihood(likelihood, encoder, decoder)
        if not isinstance(beta, int | float) or not beta >= 0.0:
            raise ValueError(f"`beta` must be a number of at least 0, received {beta!r}.")
        if not isinstance(importance_samples, int) or importance_samples < 1:
            raise ValueError(
                f"`importance_samples` must be a positive integer, received {importance_samples!r}."
            )
        if beta != 1.0 and importance_samples > 1:
            raise ValueError(
                "`beta` weighs a divergence that the importance-weighted bound does not have; "
                f"received beta={beta} with importance_samples={importance_samples}."
            )
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.beta = beta
        self.importance_samples = importance_samples

    def negative_bound(self, images, training):
        mean, log_variance = self.encoder(images, training=training)
        log_likelihood, log_ratio = self.draw(
            images, mean, log_variance, self.noise, self.importance_samples, training
        )
        reconstruction, kl = -ops.mean(log_likelihood), ops.mean(gaussian_kl(mean, log_variance))
        if self.importance_samples == 1:
            loss = reconstruction + self.beta * kl  # Kingma and Welling, eq. 10.
        else:
            loss = -ops.mean(log_mean_exp(log_likelihood + log_ratio))
        return loss, {"reconstruction": reconstruction, "kl": kl}

    def log_prob_step(self, images, noise, samples):
        """Log (1/k) sum_i p(image | z_i) p(z_i) / q(z_i | image), z_i ~ q: (batch,) in nats.

        Burda et al. 2016, eq. 8: a lower bound in expectation, tight as k grows.
        """
        mean, log_variance = self.encoder(images, training=False)
        total = None
        for start in range(0, samples, 16):  # Bounds the memory.
            count = min(16, samples - start)
            log_weights = sum(
                self.draw(images, mean, log_variance, noise, count, training=False)
            )  # (batch, count)
            chunk = ops.logsumexp(log_weights, axis=1)
            total = chunk if total is None else ops.logaddexp(total, chunk)
        return total - math.log(samples)

    def draw(self, images, mean, log_variance, noise, samples, training):
        """Draws z ~ q and returns log p(image | z) and log p(z) - log q(z), (batch, samples)."""
        batch, dimensions = ops.shape(mean)
        mean, log_variance = ops.expand_dims(mean, 1), ops.expand_dims(log_variance, 1)
        # Rows first, then samples, as the noise of replicas is told apart by rows.
        epsilon = noise.normal((batch, samples, dimensions))
        latents = mean + ops.exp(0.5 * log_variance) * epsilon  # (batch, samples, d)
        # log N(z; 0, 1) - log N(z; mean, variance), by epsilon = (z - mean) / deviation.
        log_ratio = 0.5 * ops.sum(ops.square(epsilon) + log_variance - ops.square(latents), axis=-1)

        flat = ops.reshape(latents, (-1, dimensions))  # (batch * samples, d)
        parameters = self.decoder(flat, training=training)
        repeated = ops.repeat(images, samples, axis=0)  # (batch * samples, ...)
        log_likelihood = LIKELIHOODS[self.likelihood].log_prob(repeated, parameters)
        return ops.reshape(log_likelihood, (-1, samples)), log_ratio

    @property
    def image_shape(self):
        return self.encoder.input_shape[1:]

    def call(self, images, training=False):
        mean, _ = self.encoder(images, training=training)
        return LIKELIHOODS[self.likelihood].mean(self.decoder(mean, training=training))

    def draw_latents(self, count, noise):
        return noise.normal((count, *self.decoder.input_shape[1:]))

    def decode_step(self, latents):
        return LIKELIHOODS[self.likelihood].mean(self.decoder(latents, training=False))

    def encode_step(self, images):
        return self.encoder(images, training=False)[0]

    def reconstruct_step(self, images):
        return self(images, training=False)


def log_mean_exp(log_weights):
    """Log of the mean of exp over the last axis: (batch, k) -> (batch,)."""
    return ops.logsumexp(log_weights, axis=-1) - math.log(log_weights.shape[-1])


def _check_likelihood(likelihood, encoder, decoder):
    if likelihood not in LIKELIHOODS:
        raise ValueError(
            f"`likelihood` must be one of {sorted(LIKELIHOODS)}, received {likelihood!r}."
        )
    if not isinstance(encoder.output, list | tuple) or len(encoder.output) != 2:
        raise ValueError("`encoder` must return two tensors, the latents' mean and log variance.")
    *pixels, channels = encoder.input_shape[1:]
    expected = (*pixels, channels * LIKELIHOODS[likelihood].outputs)
    if decoder.output_shape[1:] != expected:
        raise ValueError(
            f"`decoder` must return the parameters of a {likelihood} likelihood of images "
            f"{tuple(encoder.input_shape[1:])}: expected outputs {expected}, received "
            f"{decoder.output_shape[1:]}."
        )
    if decoder.input_shape[1:] != encoder.output_shape[0][1:]:
        raise ValueError(
            f"`decoder` must take the encoder's latents {encoder.output_shape[0][1:]}, received an "
            f"input of {decoder.input_shape[1:]}."
        )
