"""The beta-VAE: a VAE whose latents are told how much they may say, so that each says one thing."""

import keras
from keras import ops

from kgen.core import engine
from kgen.losses import gaussian_kl
from kgen.models.arguments import check_count, check_weight
from kgen.models.vae import VAE


@keras.saving.register_keras_serializable("kgen")
class BetaVAE(VAE):
    """Higgins et al. 2017, beta-VAE, and Burgess et al. 2018, arXiv 1804.03599: its capacity.

    The loss is -E[log p(image | latents)] + beta |KL - C|. Without a capacity C is 0, and the loss
    that of Higgins et al., equation 4: the more each nat costs, the more likely is each factor that
    images vary by to have a dimension of its own, and the less is reconstructed. With a capacity C
    rises linearly from 0 to it, Burgess et al., equation 8: factors are taken up one after the
    other, the one that gains most first, and much is reconstructed in the end.

    Logs `capacity`, C in nats, beside what `VAE` does. `kgen.metrics.disentanglement_scores` says
    whether a dimension stands for a factor, where those are known.

    Example:
        shape = (32, 32, 1)
        model = kgen.models.BetaVAE(
            kgen.networks.convolutional_encoder(shape, latent_dim=10),
            kgen.networks.convolutional_decoder(shape, latent_dim=10),
            beta=4.0,
        )
        model.compile(keras.optimizers.Adam(1e-3))
        model.fit(kgen.data.load("shapes", image_size=32), epochs=1, steps_per_epoch=5000)

    Args:
        encoder, decoder, likelihood: As of `VAE`, conditional or not.
        beta: Weight of the divergence: beta of Higgins et al., 4 for shapes of 64 x 64 pixels, and
            gamma of Burgess et al., 1000.
        capacity: Nats per image that the latents are to say in the end, 25 in Burgess et al.; 0 for
            the loss of Higgins et al.
        capacity_rounds: Rounds in which C gets there; 100,000 in Burgess et al. They are counted by
            the optimizer, over all `fit`s: a loaded model goes on where the saved one was, and one
            that is compiled anew begins anew.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    components = (*VAE.components, "capacity")

    def __init__(
        self,
        encoder,
        decoder,
        likelihood="bernoulli",
        beta=4.0,
        capacity=0.0,
        capacity_rounds=100_000,
        **kwargs,
    ):
        if "importance_samples" in kwargs:
            raise ValueError(
                "`importance_samples` must not be given: the importance-weighted bound has no KL "
                f"divergence to weigh. Received {kwargs['importance_samples']!r}."
            )
        super().__init__(encoder, decoder, likelihood, beta, **kwargs)
        check_weight("capacity", capacity)
        check_count("capacity_rounds", capacity_rounds)
        self.capacity = capacity
        self.capacity_rounds = capacity_rounds

    def default_optimizers(self):
        """Adam with 5e-4, the rate of Burgess et al. 2018."""
        return keras.optimizers.Adam(5e-4)

    def negative_bound(self, data, training):
        _, parts = super().negative_bound(data, training)
        capacity = self.capacity_now()
        loss = parts["reconstruction"] + self.beta * ops.abs(parts["kl"] - capacity)
        return loss, {**parts, "capacity": capacity}

    def divergence(self, mean, log_variance):
        # As in others' runs of the paper, KL is the batch's mean: an image may say more or less.
        # The batch is that of all replicas, whose own means may lie on both sides of C.
        return engine.mean_over_rows(gaussian_kl(mean, log_variance))

    def capacity_now(self):
        """C in nats, a scalar tensor; that of the first round where the model is not compiled."""
        rounds = self.optimizer.iterations if self.compiled else 0
        return self.capacity * ops.minimum(ops.cast(rounds, "float32") / self.capacity_rounds, 1.0)
