"""The variational autoencoder, trained on the evidence bound or its importance-weighted form."""

import math

import keras
from keras import ops

from kgen.core import GenerativeModel, Player
from kgen.losses import LIKELIHOODS, gaussian_kl
from kgen.models.arguments import check_choice, check_count, check_weight, network_shapes
from kgen.models.labels import check_labels, of_known_labels, with_labels
from kgen.networks.conditioning import inputs


@keras.saving.register_keras_serializable("kgen")
class VAE(GenerativeModel):
    """Kingma and Welling 2014, arXiv 1312.6114: maximises a lower bound of log p(image).

    Logs `loss`, the negated bound, `reconstruction`, -E[log p(image | latents)], and `kl`, all in
    nats per image. Calling the model, `predict` included, reconstructs images from their latents'
    means; `encode` returns those means, `(batch, latent dimensions)`.

    Of networks that take labels, too, it is conditional (Sohn, Lee and Yan 2015, "Learning
    structured output representation using deep conditional generative models"; model M2 of Kingma
    et al. 2014, arXiv 1406.5298, where all labels are known): the bound is one of log p(image |
    label). It is trained on `(images, labels)`, labels integers, is called with `[images, labels]`,
    and its `encode`, `reconstruct` and `log_prob` take `labels=`; `latents` end with the one-hot
    label.

    Example:
        model = kgen.models.VAE(
            kgen.networks.convolutional_encoder((28, 28, 1)),
            kgen.networks.convolutional_decoder((28, 28, 1)),
        )
        model.compile()
        model.fit(kgen.data.load("mnist5k"), epochs=50)
        model.log_prob(images)  # (count,), in nats.

    Args:
        encoder: Built `keras.Model`, images -> (mean, log variance), each `(batch, d)`; of a
            conditional model it takes `[images, labels]`, labels being one-hot `(batch, classes)`.
        decoder: Built `keras.Model`, latents `(batch, d)` -> parameters of the likelihood; of a
            conditional model it takes `[latents, labels]`.
        likelihood: `"bernoulli"` (the decoder gives a logit a channel; for binary images, and
            customary for grey ones), `"gaussian"` or `"discretized_logistic"` (mean and log_scale a
            channel); see `kgen.losses.likelihood`. `log_prob` and `bits_per_dimension` are
            those of 8-bit images under the last alone: the first is a probability of binary images,
            the second a density on [-1, 1], per bin of width 2/255 log2(127.5) = 7 bits less.
        beta: Weight of the KL divergence; 1 is the bound, and what more is for `BetaVAE` says.
        importance_samples: k >= 1: with k > 1 the loss is the importance-weighted bound of k
            samples (Burda et al. 2016, eq. 8, arXiv 1509.00519).
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form or two do not go together.
    """

    # What the loss is made of, for the logs.
    components = ("reconstruction", "kl")

    def __init__(
        self, encoder, decoder, likelihood="bernoulli", beta=1.0, importance_samples=1, **kwargs
    ):
        player = Player("vae", (encoder, decoder), self.negative_bound, components=self.components)
        super().__init__([player], **kwargs)
        _check_labels_of(encoder, decoder)
        _check_likelihood(likelihood, encoder, decoder)
        check_weight("beta", beta)
        check_count("importance_samples", importance_samples)
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

    def default_optimizers(self):
        """Adam (Kingma and Ba 2015) at its paper's rate."""
        # Differs from the paper: Adagrad, which Adam has replaced.
        return keras.optimizers.Adam(1e-3)

    def prepare(self, data, training):
        """Returns images, or of a conditional model `(images, one-hot labels)`."""
        if self.classes is None:
            return data
        images, labels = data
        return images, of_known_labels(self._one_hot(labels), labels, self.classes)

    def negative_bound(self, data, training):
        images, labels = (data, None) if self.classes is None else data
        mean, log_variance = self.encoder(inputs(images, labels), training=training)
        log_likelihood, log_ratio = self.draw(
            images, labels, mean, log_variance, self.noise, self.importance_samples, training
        )
        reconstruction, kl = -ops.mean(log_likelihood), self.divergence(mean, log_variance)
        if self.importance_samples == 1:
            loss = reconstruction + self.beta * kl  # Kingma and Welling, eq. 10.
        else:
            loss = -ops.mean(log_mean_exp(log_likelihood + log_ratio))
        return loss, {"reconstruction": reconstruction, "kl": kl}

    def divergence(self, mean, log_variance):
        """E[KL(q(z | image) || p(z))], the mean over the batch: a scalar in nats."""
        return ops.mean(gaussian_kl(mean, log_variance))

    def log_prob_step(self, images, noise, samples, labels=None):
        """Log (1/k) sum_i p(image | z_i) p(z_i) / q(z_i | image), z_i ~ q: (batch,) in nats.

        Burda et al. 2016, eq. 8: a lower bound in expectation, tight as k grows.
        """
        labels = self._one_hot(labels)
        mean, log_variance = self.encoder(inputs(images, labels), training=False)
        total = None
        for start in range(0, samples, 16):  # Bounds the memory.
            count = min(16, samples - start)
            log_weights = sum(
                self.draw(images, labels, mean, log_variance, noise, count, training=False)
            )  # (batch, count)
            chunk = ops.logsumexp(log_weights, axis=1)
            total = chunk if total is None else ops.logaddexp(total, chunk)
        return total - math.log(samples)

    def draw(self, images, labels, mean, log_variance, noise, samples, training):
        """Draws z ~ q and returns log p(image | z) and log p(z) - log q(z), (batch, samples)."""
        batch, dimensions = ops.shape(mean)
        mean, log_variance = ops.expand_dims(mean, 1), ops.expand_dims(log_variance, 1)
        # Rows first, then samples, as the noise of replicas is told apart by rows.
        epsilon = noise.normal((batch, samples, dimensions))
        latents = mean + ops.exp(0.5 * log_variance) * epsilon  # (batch, samples, d)
        # log N(z; 0, 1) - log N(z; mean, variance), by epsilon = (z - mean) / deviation.
        log_ratio = 0.5 * ops.sum(ops.square(epsilon) + log_variance - ops.square(latents), axis=-1)

        flat = ops.reshape(latents, (-1, dimensions))  # (batch * samples, d)
        if labels is not None:
            labels = ops.repeat(labels, samples, axis=0)
        parameters = self.decoder(inputs(flat, labels), training=training)
        repeated = ops.repeat(images, samples, axis=0)  # (batch * samples, ...)
        log_likelihood = LIKELIHOODS[self.likelihood].log_prob(repeated, parameters)
        return ops.reshape(log_likelihood, (-1, samples)), log_ratio

    @property
    def image_shape(self):
        return tuple(self.encoder.inputs[0].shape[1:])

    @property
    def call_inputs(self):
        images = [("images", self.image_shape)]
        return images if self.classes is None else [*images, ("labels", ())]

    @property
    def classes(self):
        """How many classes a conditional model knows; `None` of another."""
        return self.encoder.inputs[1].shape[1] if len(self.encoder.inputs) > 1 else None

    @property
    def uses_targets(self):
        return self.classes is not None

    @property
    def encoded_with(self):
        """What images are encoded together with, `"labels"` or nothing."""
        return None if self.classes is None else "labels"

    def check_targets(self, targets):
        if self.classes is not None and targets is not None:
            check_labels(targets, self.classes)

    def call(self, data, training=False):
        images, labels = (data, None) if self.classes is None else data
        latents = self._means(images, labels, training)
        if labels is not None:
            latents = of_known_labels(latents, labels, self.classes)
        return self._decoded(latents, training)

    def draw_latents(self, count, noise, labels=None):
        latents = noise.normal((count, self.decoder.inputs[0].shape[1]))
        if self.classes is None:
            return latents
        return with_labels(latents, labels, self.classes, noise)

    def decode_step(self, latents):
        return self._decoded(latents, training=False)

    def encode_step(self, images, labels=None):
        return self._means(images, labels, training=False)

    def _means(self, images, labels, training):
        """The means of images' latents, which end with the one-hot label if there is one."""
        labels = self._one_hot(labels)
        mean, _ = self.encoder(inputs(images, labels), training=training)
        return mean if labels is None else ops.concatenate([mean, labels], axis=-1)

    def _decoded(self, latents, training):
        """The mean images of rows of latents, which end with the one-hot label if there is one."""
        labels = None
        if self.classes is not None:
            latents, labels = latents[:, : -self.classes], latents[:, -self.classes :]
        parameters = self.decoder(inputs(latents, labels), training=training)
        return LIKELIHOODS[self.likelihood].mean(parameters)

    def _one_hot(self, labels):
        return None if labels is None else ops.one_hot(ops.cast(labels, "int32"), self.classes)


def log_mean_exp(log_weights):
    """Log of the mean of exp over the last axis: (batch, k) -> (batch,)."""
    return ops.logsumexp(log_weights, axis=-1) - math.log(log_weights.shape[-1])


def _check_labels_of(encoder, decoder):
    networks = {"encoder": encoder, "decoder": decoder}
    taken = [network_shapes(*pair)[0][1:] for pair in networks.items()]
    fits = taken[0] == taken[1] and len(taken[0]) < 2 and all(len(shape) == 1 for shape in taken[0])
    if not fits:
        raise ValueError(
            "`encoder` and `decoder` must both take one-hot labels (classes,) as their second "
            "input, or neither; received networks that take, beside images and latents, "
            f"{taken[0]} and {taken[1]}. `kgen.networks` makes them with `classes`."
        )


def _check_likelihood(likelihood, encoder, decoder):
    check_choice("likelihood", likelihood, sorted(LIKELIHOODS))
    (images, *_), codes = network_shapes("encoder", encoder)
    if len(codes) != 2 or codes[0] != codes[1] or len(codes[0]) != 1:
        raise ValueError(
            "`encoder` must return two tensors, the latents' mean and log variance, both (batch, "
            f"d); received outputs of {codes}."
        )
    (latents, *_), outputs = network_shapes("decoder", decoder)
    *pixels, channels = images
    expected = (*pixels, channels * LIKELIHOODS[likelihood].outputs)
    if outputs != [expected]:
        raise ValueError(
            f"`decoder` must return the parameters of a {likelihood} likelihood of images "
            f"{images}: expected one output {expected}, received {outputs}."
        )
    if latents != codes[0]:
        raise ValueError(
            f"`decoder` must take the encoder's latents {codes[0]}, received an input of {latents}."
        )
