"""WGAN-GP: a Wasserstein GAN whose critic is kept Lipschitz by a gradient penalty."""

import keras

from kgen.core import Player
from kgen.core.precision import full_precision
from kgen.core.second_order import refuse_wrong_second_order
from kgen.losses import gradient_penalty, wasserstein_critic_loss, wasserstein_generator_loss
from kgen.losses.adversarial import float32
from kgen.models.adversarial import AdversarialModel


@keras.saving.register_keras_serializable("kgen")
class WGANGP(AdversarialModel):
    """Gulrajani et al. 2017, algorithm 1, arXiv 1704.00028.

    Logs `critic_loss`, `generator_loss`, `critic_distance` (the critic's estimate of the
    Wasserstein distance, up to its Lipschitz constant) and `critic_penalty`. The batch given to
    `fit` is `critic_updates` times that of one update (64 in the paper).

    Example:
        model = kgen.models.WGANGP(
            kgen.networks.resnet_generator((28, 28, 1)), kgen.networks.resnet_critic((28, 28, 1))
        )
        adam = {"learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9}
        model.compile({"class_name": "Adam", "config": adam})
        model.fit(kgen.data.load("mnist5k", batch_size=5 * 64), epochs=100)

    Args:
        generator: Built `keras.Model`, latents `(batch, dimensions)` -> images.
        critic: Built `keras.Model`, images -> scores of any shape; without batch norm.
        critic_updates: Critic's updates per generator's update, each on fresh data; the paper's 5.
        penalty_weight: Weight of the gradient penalty; the paper's lambda, 10.
        latent_distribution: `"normal"` or `"uniform"` in [-1, 1].
        ema_momentum: Momentum of the generator's moving average; `None` for no average.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form, or the critic holds a layer whose
            second-order gradient is wrong.
    """

    def __init__(
        self,
        generator,
        critic,
        critic_updates=5,
        penalty_weight=10.0,
        latent_distribution="normal",
        ema_momentum=None,
        **kwargs,
    ):
        super().__init__(
            [
                Player(
                    "critic",
                    critic,
                    self.critic_loss,
                    updates=critic_updates,
                    components=("distance", "penalty"),
                ),
                Player("generator", generator, self.generator_loss),
            ],
            generator,
            latent_distribution,
            ema_momentum,
            **kwargs,
        )
        refuse_wrong_second_order(critic, "WGANGP")
        self.critic = critic
        self.critic_updates = critic_updates
        self.penalty_weight = penalty_weight

    def critic_loss(self, data, training):
        images, fakes = data
        loss = wasserstein_critic_loss(
            self.critic(images, training=training), self.critic(fakes, training=training)
        )
        with full_precision(self.critic):
            penalty = gradient_penalty(
                lambda points: self.critic(points, training=training), images, fakes, self.noise
            )
        return loss + self.penalty_weight * penalty, {"distance": -loss, "penalty": penalty}

    def generator_loss(self, data, training):
        _, fakes = data
        return wasserstein_generator_loss(self.critic(fakes, training=training))

    def score_step(self, images, given, domain):
        return float32(self.critic(images, training=False))
