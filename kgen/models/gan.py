"""The GAN with its loss, penalty, packing and the rest as independent arguments."""

import keras
from keras import ops

from kgen.augmentation import differentiable_augmentation
from kgen.core import Player
from kgen.core.keras_private import flatten_layers
from kgen.core.precision import full_precision
from kgen.core.second_order import refuse_wrong_second_order
from kgen.layers import SpectralNormalization, WeightClipping
from kgen.losses import PENALTIES, adversarial_loss
from kgen.losses.adversarial import float32
from kgen.losses.penalties import AT_JUDGED_IMAGES, judged_and_penalized
from kgen.models.arguments import check_choice, check_count, check_flag, check_weight
from kgen.models.conditional import ConditionalModel, pack
from kgen.models.gan_arguments import (
    check_augmentation,
    check_clipping,
    check_shapes,
    check_smoothing,
    compares_images,
)


@keras.saving.register_keras_serializable("kgen")
class GAN(ConditionalModel):
    """Goodfellow et al. 2014, arXiv 1406.2661, and what was proposed since for its losses.

    Logs `discriminator_loss` and `generator_loss`; with a penalty also `discriminator_penalty`, and
    with `condition="auxiliary"` `discriminator_classification` and `generator_classification`,
    these three without their weights. The batch given to `fit` is `discriminator_updates` times
    that of one update.

    Example:
        shape = (28, 28, 1)
        model = kgen.models.GAN(
            kgen.networks.dcgan_generator(shape, filters=16, kernel_size=5),
            kgen.networks.dcgan_discriminator(shape, filters=16, kernel_size=5),
            ema_momentum=0.99,
        )
        model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5))
        model.fit(kgen.data.load("mnist5k"), epochs=40)  # A minute on two cores.
        images = model.sample(16, seed=0)  # (16, 28, 28, 1)

    Args:
        generator: Built `keras.Model`, latents `(batch, dimensions)` -> images.
        discriminator: Built `keras.Model`, images -> logits of any shape.
        loss: `"minimax"`, `"non_saturating"` (Goodfellow et al. 2014), `"least_squares"` (Mao et
            al. 2017), `"wasserstein"` (Arjovsky et al. 2017), `"hinge"` (Lim and Ye 2017) or
            `"relativistic_average"` (Jolicoeur-Martineau 2018); or a
            `kgen.losses.AdversarialLoss` of your own, or a pair of functions to scalars: of real
            and fake logits for the discriminator, and of fake ones for the generator.
        penalty: `None`, `"gradient"` (Gulrajani et al. 2017), `"dragan"` (Kodali et al. 2017),
            `"r1"` or `"r2"` (Mescheder et al. 2018).
        penalty_weight: The penalty's weight; 10 in all these papers.
        penalty_interval: k >= 1: the penalty is computed in the first of every k rounds, and counts
            k-fold there (lazy regularisation, Karras et al. 2020, StyleGAN2, arXiv 1912.04958; the
            paper's 16). `discriminator_penalty` is then, in training, k-fold or 0: its mean over an
            epoch is that of the penalty. `evaluate` computes it as it is.
        weight_clipping: Limit that the discriminator's trainable variables are clipped to, in
            absolute value, after each of this model's updates of it; `None` for no clipping.
            `"auto"` is Arjovsky et al.'s 0.01 for `loss="wasserstein"` without a penalty or
            spectral normalisation, and otherwise `None`.
        label_smoothing: s in [0, 1): the real images' target is 1 - s (one-sided; Salimans et al.
            2016). For losses that have targets.
        instance_noise: Standard deviation, in units of the images' [-1, 1], of the normal noise
            added to all that the discriminator sees in training (Soenderby et al. 2017, arXiv
            1610.04490).
        augmentation: `None`, or names out of `"color"`, `"translation"`, `"cutout"`, `"affine"`,
            `"thickness"`: random changes of all that the discriminator sees in training, real and
            fake alike, through which the generator's gradient flows (Zhao et al. 2020, DiffAugment,
            arXiv 2006.10738); for few images. A penalty is taken at the changed images.
        packing: k >= 1: the discriminator judges k images at once, concatenated along the channels
            (PacGAN, Lin et al. 2018, arXiv 1712.04086); its input has k times the channels.
        discriminator_updates: Discriminator's updates per generator's update, each on fresh data;
            5 in Arjovsky et al. 2017, whose code has 100 in the first rounds.
        share_fakes: Whether the generator learns from the fakes of the discriminator's last update,
            so that a round needs one pass of the generator and not two, as the DCGAN's authors did.
            `False` draws new ones, as in Goodfellow et al. 2014, algorithm 1.
        latent_distribution: `"normal"` or `"uniform"` in [-1, 1]; uniform ones are those of the
            first GAN, of DCGAN and of InfoGAN.
        ema_momentum: Momentum of the generator's moving average; `None` for no average.
        condition: `None`, or how the discriminator learns of classes: `"concatenation"` (Mirza and
            Osindero 2014, arXiv 1411.1784) or `"projection"` (Miyato and Koyama 2018, arXiv
            1802.05637), for one that takes `[images, labels]`, labels being one-hot `(batch,
            classes)`; `"auxiliary"` (Odena et al. 2017, AC-GAN, arXiv 1610.09585), for one that
            returns `[logits, class logits]`; the model can then `classify`. The generator takes
            `[latents, labels]`, or one row of both. The model is then trained on `(images,
            labels)`, labels integers, and gives fakes the labels of the batch; its `latents` end
            with the one-hot label.
        classification_weight: Weight of the classes' cross-entropy with `condition="auxiliary"`:
            that of real and fake images in the discriminator's loss, and of fake ones in the
            generator's.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form, two do not go together, or a penalty is
            asked for over a layer whose second-order gradient is wrong.
    """

    def __init__(
        self,
        generator,
        discriminator,
        loss="non_saturating",
        penalty=None,
        penalty_weight=10.0,
        penalty_interval=1,
        weight_clipping="auto",
        label_smoothing=0.0,
        instance_noise=0.0,
        augmentation=None,
        packing=1,
        discriminator_updates=1,
        share_fakes=True,
        latent_distribution="normal",
        ema_momentum=None,
        condition=None,
        classification_weight=1.0,
        **kwargs,
    ):
        head = self.head_components(condition)
        super().__init__(
            [
                Player(
                    "discriminator",
                    discriminator,
                    self.discriminator_loss,
                    updates=discriminator_updates,
                    components=head if penalty is None else ("penalty", *head),
                ),
                Player(
                    "generator",
                    generator,
                    self.generator_loss,
                    components=(*head, *self.generator_terms()),
                ),
            ],
            generator,
            latent_distribution,
            ema_momentum,
            condition,
            classification_weight,
            **kwargs,
        )
        pair = adversarial_loss(loss)
        loss = loss if isinstance(loss, str) else pair
        check_choice("penalty", penalty, [None, *PENALTIES])
        check_weight("penalty_weight", penalty_weight)
        _check_interval(penalty_interval, penalty)
        check_weight("instance_noise", instance_noise)
        check_smoothing(label_smoothing, loss)
        check_clipping(weight_clipping)
        check_flag("share_fakes", share_fakes)
        check_shapes(generator, discriminator, packing)
        check_augmentation(augmentation, generator)
        self.check_networks(generator, discriminator, condition, packing)
        if penalty is not None:
            refuse_wrong_second_order(discriminator, f"penalty={penalty!r}")
        self.discriminator = discriminator
        self.loss = loss
        self.penalty = penalty
        self.penalty_weight = penalty_weight
        self.penalty_interval = penalty_interval
        self.weight_clipping = weight_clipping
        self.label_smoothing = label_smoothing
        self.instance_noise = instance_noise
        # No list, which could be changed in place.
        self.augmentation = None if augmentation is None else tuple(augmentation)
        self.packing = packing
        self.discriminator_updates = discriminator_updates
        self.share_fakes = share_fakes
        self._clipping = self._clipping_of(weight_clipping)

    def discriminator_loss(self, data, training):
        images, fakes, *codes = data
        real, fake = self.seen(images, training), self.seen(fakes, training)
        target = {"smoothing": self.label_smoothing} if self.label_smoothing else {}
        # What layers add to the loss is of their latest call: not to be one that may be left out.
        lazy = self.penalty_interval > 1 and training and self.compiled
        penalty = self._lazy_penalty(real, fake, codes) if lazy else None
        judgements = {}
        for kind, seen in (("real", real), ("fake", fake)):
            if not lazy and AT_JUDGED_IMAGES.get(self.penalty) == kind and self._penalizes_in_pass:
                judgements[kind], penalty = judged_and_penalized(
                    lambda x: self.judged(x, codes, training), seen, logits=lambda both: both[0]
                )
            else:
                judgements[kind] = self.judged(seen, codes, training)
        (real_logits, real_head), (fake_logits, fake_head) = judgements.values()
        loss = adversarial_loss(self.loss).discriminator(real_logits, fake_logits, **target)
        head, components = self.head_loss(codes, fake_head, real_head)
        if self.penalty is None:
            return loss + head, components
        if penalty is None:
            penalty = self._penalty(real, fake, codes, training)
        return loss + head + self.penalty_weight * penalty, {"penalty": penalty, **components}

    def generator_loss(self, data, training):
        images, fakes, *codes = data
        loss = adversarial_loss(self.loss)
        fake_logits, fake_head = self.judged(self.seen(fakes, training), codes, training)
        head, components = self.head_loss(codes, fake_head)
        if not loss.relativistic:
            return loss.generator(fake_logits) + head, components
        real_logits, _ = self.judged(self.seen(images, training), codes, training)
        return loss.generator(real_logits, fake_logits) + head, components

    def generator_terms(self):
        """The names of what else a subclass's `generator_loss` returns as components."""
        return ()

    @property
    def abilities(self):
        # A discriminator of several images at once, or one that compares them, judges none alone.
        alone = self.packing == 1 and not compares_images(self.discriminator)
        return [name for name in super().abilities if alone or name not in ("score", "classify")]

    def score_step(self, images, given, domain):
        seen = self.seen(images, False)
        return float32(self.judged(seen, self.given_labels(given), training=False)[0])

    def seen(self, images, training):
        """Returns what the discriminator is shown: in training changed and with noise; in packs."""
        images = ops.cast(images, "float32")
        if self.augmentation and training:
            images = differentiable_augmentation(images, self.noise, self.augmentation)
        if self.instance_noise and training:
            images = images + self.instance_noise * self.noise.normal(ops.shape(images))
        return pack(images, self.packing)

    @property
    def prepares_once(self):
        return self.share_fakes

    def default_optimizers(self):
        """Those of the paper of weight clipping or the gradient penalty, or else of the DCGAN.

        RMSProp with 5e-5 where weights are clipped (Arjovsky et al. 2017, algorithm 1), Adam with
        1e-4 and momentum 0 under a gradient penalty (Gulrajani et al. 2017, algorithm 1), and
        otherwise Adam with 2e-4 and momentum 0.5 (Radford et al. 2016, section 4).
        """
        if self._clipping is not None:
            # Keras' default epsilon, 1e-7 of the squared gradients, is above all of a generator
            # whose critic has weights of 0.01 at most: it would hardly move.
            return keras.optimizers.RMSprop(5e-5, rho=0.99, epsilon=1e-16)
        if self.penalty == "gradient":
            return keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    @property
    def evaluation_multiple(self):
        return self.packing

    @property
    def _penalizes_in_pass(self):
        """Whether a penalty may be taken in the loss's own pass, which float16 has no range for."""
        return all(one.compute_dtype != "float16" for one in flatten_layers(self.discriminator))

    def _penalty(self, real, fake, codes, training):
        with full_precision(self.discriminator):
            return PENALTIES[self.penalty](
                lambda x: self.judged(x, codes, training)[0], real, fake, self.noise
            )

    def _lazy_penalty(self, real, fake, codes):
        """The penalty times its interval in every so many rounds, from the first on, otherwise 0.

        Karras et al. 2020, appendix B, arXiv 1912.04958. Saved with the model: the count of rounds.
        """
        # Differs from the paper: a term of that round's loss and not a step of its own, so that
        # Adam's settings need no change.
        return ops.cond(
            ops.equal(self.optimizer.iterations % self.penalty_interval, 0),
            lambda: self.penalty_interval * self._penalty(real, fake, codes, training=True),
            lambda: ops.zeros(()),
        )

    def finish_move(self, player, variables):
        # Here and not as constraints of the variables, which may serve another model tomorrow.
        if self._clipping is not None and player.name == "discriminator":
            for variable in variables:
                variable.assign(self._clipping(variable))

    def _clipping_of(self, limit):
        """What the discriminator's variables go through after each of its updates, or `None`."""
        if limit == "auto":
            lipschitz = self.penalty is not None or any(
                isinstance(layer, SpectralNormalization)
                for layer in flatten_layers(self.discriminator)
            )
            limit = 0.01 if self.loss == "wasserstein" and not lipschitz else None
        return None if limit is None else WeightClipping(limit)


def _check_interval(interval, penalty):
    check_count("penalty_interval", interval)
    if interval > 1 and penalty is None:
        raise ValueError(f"`penalty_interval` must be 1 without a penalty, received {interval}.")
