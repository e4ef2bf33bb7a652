"""WGAN-GP: a Wasserstein GAN whose critic is kept Lipschitz by a gradient penalty."""

import keras

from kgen.core import Player
from kgen.core.precision import full_precision
from kgen.core.second_order import refuse_wrong_second_order
from kgen.losses import gradient_penalty, wasserstein_critic_loss, wasserstein_generator_loss
from kgen.losses.adversarial import float32
from kgen.models.arguments import check_weight
from kgen.models.conditional import ConditionalModel
from kgen.models.gan_arguments import check_shapes, compares_images


@keras.saving.register_keras_serializable("kgen")
class WGANGP(ConditionalModel):
    """Gulrajani et al. 2017, algorithm 1, arXiv 1704.00028.

    Logs `critic_loss`, `generator_loss`, `critic_distance` (the critic's estimate of the
    Wasserstein distance, up to its Lipschitz constant) and `critic_penalty`, and with
    `condition="auxiliary"` `critic_classification` and `generator_classification`. The batch given
    to `fit` is `critic_updates` times that of one update (64 in the paper).

    Example:
        shape = (28, 28, 1)
        model = kgen.models.WGANGP(
            kgen.networks.dcgan_generator(shape, filters=16),
            kgen.networks.dcgan_discriminator(shape, filters=16, normalization="layer"),
            critic_updates=3,
            ema_momentum=0.9,
        )
        model.compile(keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9))
        model.fit(kgen.data.load("mnist5k", batch_size=3 * 64), epochs=40)
        images = model.sample(16, seed=0)  # (16, 28, 28, 1)

    Args:
        generator: Built `keras.Model`, latents `(batch, dimensions)` -> images.
        critic: Built `keras.Model`, images -> scores of any shape; without batch norm.
        critic_updates: Critic's updates per generator's update, each on fresh data; the paper's 5.
        penalty_weight: Weight of the gradient penalty; the paper's lambda, 10.
        latent_distribution: `"normal"` or `"uniform"` in [-1, 1].
        ema_momentum: Momentum of the generator's moving average; `None` for no average.
        condition, classification_weight: As of `kgen.models.GAN`, the critic being what knows of
            classes. `"auxiliary"` is Odena et al.'s (2017), as in the paper's conditional model,
            which differs in two things: its critic classifies real images alone, and the
            cross-entropy weighs 1 in the critic's loss and 0.1 in the generator's. The penalty is
            that of scores for the batch's labels.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form, two do not go together, or the critic holds
            a layer whose second-order gradient is wrong.
    """

    judge = "critic"

    # The names of what `further_terms` returns as components.
    further_components = ()

    def __init__(
        self,
        generator,
        critic,
        critic_updates=5,
        penalty_weight=10.0,
        latent_distribution="normal",
        ema_momentum=None,
        condition=None,
        classification_weight=1.0,
        **kwargs,
    ):
        head = self.head_components(condition)
        terms = ("distance", "penalty", *self.further_components)
        super().__init__(
            [
                Player(
                    "critic",
                    critic,
                    self.critic_loss,
                    updates=critic_updates,
                    components=(*terms, *head),
                ),
                Player("generator", generator, self.generator_loss, components=head),
            ],
            generator,
            latent_distribution,
            ema_momentum,
            condition,
            classification_weight,
            **kwargs,
        )
        check_weight("penalty_weight", penalty_weight)
        check_shapes(generator, critic, name="critic")
        self.check_networks(generator, critic, condition, packing=1)
        refuse_wrong_second_order(critic, type(self).__name__)
        self.critic = critic
        self.critic_updates = critic_updates
        self.penalty_weight = penalty_weight

    def default_optimizers(self):
        """The paper's, algorithm 1."""
        return keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)

    def critic_loss(self, data, training):
        images, fakes, *codes = data
        real_scores, real_head = self.judged(images, codes, training)
        fake_scores, fake_head = self.judged(fakes, codes, training)
        loss = wasserstein_critic_loss(real_scores, fake_scores)
        with full_precision(self.critic):
            penalty = gradient_penalty(
                lambda points: self.judged(points, codes, training)[0], images, fakes, self.noise
            )
        head, of_head = self.head_loss(codes, fake_head, real_head)
        further, components = self.further_terms(real_scores)
        return (
            loss + self.penalty_weight * penalty + head + further,
            {"distance": -loss, "penalty": penalty, **of_head, **components},
        )

    def further_terms(self, real_scores):
        """Returns what else a subclass's critic minimises, weighed, and its components."""
        return 0.0, {}

    def generator_loss(self, data, training):
        _, fakes, *codes = data
        fake_scores, fake_head = self.judged(fakes, codes, training)
        head, components = self.head_loss(codes, fake_head)
        return wasserstein_generator_loss(fake_scores) + head, components

    @property
    def abilities(self):
        # A critic that compares images judges none alone.
        alone = not compares_images(self.critic)
        return [name for name in super().abilities if alone or name not in ("score", "classify")]

    def score_step(self, images, given, domain):
        return float32(self.judged(images, self.given_labels(given), training=False)[0])
