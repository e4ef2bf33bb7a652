"""The GAN with its loss, penalty, packing and the rest as independent arguments."""

import keras
from keras import ops

from kgen.augmentation import check_policies, differentiable_augmentation
from kgen.core import Player
from kgen.core.flatten import flatten_layers
from kgen.core.precision import full_precision
from kgen.core.second_order import refuse_wrong_second_order
from kgen.layers import SpectralNormalization, WeightClipping
from kgen.losses import ADVERSARIAL_LOSSES, PENALTIES
from kgen.models.adversarial import AdversarialModel


@keras.saving.register_keras_serializable("kgen")
class GAN(AdversarialModel):
    """Goodfellow et al. 2014, arXiv 1406.2661, and what was proposed since for its losses.

    Logs `discriminator_loss` and `generator_loss`, with a penalty also `discriminator_penalty`. The
    batch given to `fit` is `discriminator_updates` times that of one update.

    Example:
        shape = (28, 28, 1)
        model = kgen.models.GAN(
            kgen.networks.dcgan_generator(shape), kgen.networks.dcgan_discriminator(shape)
        )
        model.compile(
            {
                "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5),
                "generator": keras.optimizers.Adam(2e-4, beta_1=0.5),
            }
        )
        model.fit(kgen.data.load("mnist5k"), epochs=50)
        images = model.sample(16, seed=0)  # (16, 28, 28, 1)

    Args:
        generator: Built `keras.Model`, latents `(batch, dimensions)` -> images.
        discriminator: Built `keras.Model`, images -> logits of any shape.
        loss: `"minimax"`, `"non_saturating"` (Goodfellow et al. 2014), `"least_squares"` (Mao et
            al. 2017), `"wasserstein"` (Arjovsky et al. 2017), `"hinge"` (Lim and Ye 2017) or
            `"relativistic_average"` (Jolicoeur-Martineau 2018).
        penalty: `None`, `"gradient"` (Gulrajani et al. 2017), `"dragan"` (Kodali et al. 2017),
            `"r1"` or `"r2"` (Mescheder et al. 2018).
        penalty_weight: The penalty's weight; 10 in all these papers.
        weight_clipping: Limit that the discriminator's trainable variables are clipped to, in
            absolute value, after each of its updates, in place of constraints of their own; `None`
            for no clipping. `"auto"` is Arjovsky et al.'s 0.01 for `loss="wasserstein"` without a
            penalty or spectral normalisation, and otherwise `None`.
        label_smoothing: s in [0, 1): the real images' target is 1 - s (one-sided; Salimans et al.
            2016). For losses that have targets.
        instance_noise: Standard deviation, in units of the images' [-1, 1], of the normal noise
            added to all that the discriminator sees in training (Soenderby et al. 2017, arXiv
            1610.04490).
        augmentation: `None`, or names out of `"color"`, `"translation"`, `"cutout"`: random changes
            of all that the discriminator sees in training, real and fake alike, through which the
            generator's gradient flows (Zhao et al. 2020, DiffAugment, arXiv 2006.10738); for few
            images. A penalty is taken at the changed images.
        packing: k >= 1: the discriminator judges k images at once, concatenated along the channels
            (PacGAN, Lin et al. 2018, arXiv 1712.04086); its input has k times the channels.
        discriminator_updates: Discriminator's updates per generator's update, each on fresh data.
        share_fakes: Whether the generator learns from the fakes of the discriminator's last update,
            so that a round needs one pass of the generator and not two, as the DCGAN's authors did.
            `False` draws new ones, as in Goodfellow et al. 2014, algorithm 1.
        latent_distribution: `"normal"` or `"uniform"` in [-1, 1].
        ema_momentum: Momentum of the generator's moving average; `None` for no average.
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
        weight_clipping="auto",
        label_smoothing=0.0,
        instance_noise=0.0,
        augmentation=None,
        packing=1,
        discriminator_updates=1,
        share_fakes=True,
        latent_distribution="normal",
        ema_momentum=None,
        **kwargs,
    ):
        super().__init__(
            [
                Player(
                    "discriminator",
                    discriminator,
                    self.discriminator_loss,
                    updates=discriminator_updates,
                    components=() if penalty is None else ("penalty",),
                ),
                Player("generator", generator, self.generator_loss),
            ],
            generator,
            latent_distribution,
            ema_momentum,
            **kwargs,
        )
        _check_choice("loss", loss, ADVERSARIAL_LOSSES)
        _check_choice("penalty", penalty, [None, *PENALTIES])
        _check_not_negative("penalty_weight", penalty_weight)
        _check_not_negative("instance_noise", instance_noise)
        _check_smoothing(label_smoothing, loss)
        _check_augmentation(augmentation, generator)
        _check_shapes(generator, discriminator, packing)
        if penalty is not None:
            refuse_wrong_second_order(discriminator, f"penalty={penalty!r}")
        self.discriminator = discriminator
        self.loss = loss
        self.penalty = penalty
        self.penalty_weight = penalty_weight
        self.weight_clipping = weight_clipping
        self.label_smoothing = label_smoothing
        self.instance_noise = instance_noise
        # A list, as a file gives it back.
        self.augmentation = None if augmentation is None else list(augmentation)
        self.packing = packing
        self.discriminator_updates = discriminator_updates
        self.share_fakes = share_fakes
        self._clip_weights()

    def discriminator_loss(self, data, training):
        real, fake = (self.seen(images, training) for images in data)
        target = {"smoothing": self.label_smoothing} if self.label_smoothing else {}
        loss = ADVERSARIAL_LOSSES[self.loss].discriminator(
            self.discriminator(real, training=training),
            self.discriminator(fake, training=training),
            **target,
        )
        if self.penalty is None:
            return loss
        with full_precision(self.discriminator):
            penalty = PENALTIES[self.penalty](
                lambda x: self.discriminator(x, training=training), real, fake, self.noise
            )
        return loss + self.penalty_weight * penalty, {"penalty": penalty}

    def generator_loss(self, data, training):
        images, fakes = data
        loss = ADVERSARIAL_LOSSES[self.loss]
        fake = self.seen(fakes, training)
        fake_logits = self.discriminator(fake, training=training)
        if not loss.relativistic:
            return loss.generator(fake_logits)
        return loss.generator(
            self.discriminator(self.seen(images, training), training=training), fake_logits
        )

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

    @property
    def evaluation_multiple(self):
        return self.packing

    def _clip_weights(self):
        limit = self.weight_clipping
        if limit == "auto":
            lipschitz = self.penalty is not None or any(
                isinstance(layer, SpectralNormalization)
                for layer in flatten_layers(self.discriminator)
            )
            limit = 0.01 if self.loss == "wasserstein" and not lipschitz else None
        if limit is not None:
            for variable in self.discriminator.trainable_variables:
                variable.constraint = WeightClipping(limit)


def pack(images, size):
    """Concatenates every `size` images along the channels (PacGAN, Lin et al. 2018).

    (batch, ..., channels) -> (batch / size, ..., size * channels).
    """
    if size == 1:
        return images
    _, *pixels, channels = ops.shape(images)
    images = ops.reshape(images, (-1, size, *pixels, channels))  # (batch / size, size, ...)
    images = ops.moveaxis(images, 1, -2)  # (batch / size, ..., size, channels)
    return ops.reshape(images, (-1, *pixels, size * channels))


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {list(choices)}, received {value!r}.")


def _check_not_negative(name, value):
    if not isinstance(value, int | float) or not value >= 0.0:
        raise ValueError(f"`{name}` must be a number of at least 0, received {value!r}.")


def _check_smoothing(smoothing, loss):
    if not isinstance(smoothing, int | float) or not 0.0 <= smoothing < 1.0:
        raise ValueError(f"`label_smoothing` must lie in [0, 1), received {smoothing!r}.")
    if smoothing and not ADVERSARIAL_LOSSES[loss].has_targets:
        with_targets = [name for name, entry in ADVERSARIAL_LOSSES.items() if entry.has_targets]
        raise ValueError(
            f"`label_smoothing` needs a loss with targets, one of {with_targets}; received "
            f"label_smoothing={smoothing} with loss={loss!r}."
        )


def _check_augmentation(augmentation, generator):
    if augmentation is None:
        return
    check_policies(augmentation)
    if len(generator.output_shape) != 4:
        raise ValueError(
            "`augmentation` needs images (height, width, channels), received a generator of "
            f"{generator.output_shape[1:]}."
        )


def _check_shapes(generator, discriminator, packing):
    if not isinstance(packing, int) or packing < 1:
        raise ValueError(f"`packing` must be a positive integer, received {packing!r}.")
    *pixels, channels = generator.output_shape[1:]
    expected = (*pixels, packing * channels)
    if discriminator.input_shape[1:] != expected:
        raise ValueError(
            f"`discriminator` must take the generator's images {(*pixels, channels)}, {packing} at "
            f"once along the channels: expected input {expected}, received "
            f"{discriminator.input_shape[1:]}."
        )
