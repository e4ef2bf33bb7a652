"""InfoGAN: a GAN whose codes, of which nothing is told, come to mean something."""

import math

import keras
import numpy as np
from keras import ops

from kgen.models.arguments import check_count, check_weight, network_shapes
from kgen.models.gan import GAN


@keras.saving.register_keras_serializable("kgen")
class InfoGAN(GAN):
    """Chen et al. 2016, arXiv 1606.03657: maximises a bound of what an image tells of its codes.

    A row of latents is noise, one one-hot code for each number of `categories`, and the continuous
    codes, uniform in [-1, 1]. The discriminator's second output, the paper's Q, guesses the codes
    of generated images; both players minimise -(the bound), equation 5 and 6, with the adversarial
    loss. No label is used. Logs, beside a GAN's, of each player `<player>_categorical` and
    `<player>_continuous`, the bounds in nats of the mutual information of images and codes: at most
    the codes' entropy, log k for one of k categories.

    `encode` returns what Q says of images, `(count, codes)`: the probabilities of the categories
    and the means of the continuous codes. `sample(count, labels=...)` chooses the first category.

    Example:
        shape = (28, 28, 1)
        model = kgen.models.InfoGAN(
            kgen.networks.dcgan_generator(shape, latent_dim=16 + 10 + 2, kernel_size=5),
            kgen.networks.dcgan_discriminator(
                shape, kernel_size=5, classes=10 + 2, condition="auxiliary"
            ),
            noise_scale=0.3,
            augmentation=["affine", "thickness"],
            ema_momentum=0.995,
        )
        model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5))
        model.fit(kgen.data.load("mnist5k"), epochs=70)  # As `recipes.infogan`, 13 minutes.
        rows = model.latents(10, seed=0, labels=range(10))
        rows = model.with_code(rows, 1, 0.5)  # The first continuous code, after one category.
        images = model.decode(rows)

    Args:
        generator: Built `keras.Model`, rows of noise and codes `(batch, dimensions)` -> images.
        discriminator: Built `keras.Model`, images -> `[logits, codes]`: for each category its
            logits, for each continuous code its mean; the two outputs share their trunk.
        categories: List of how many values each categorical code has.
        continuous: How many continuous codes there are.
        categorical_weight: Weight of the categorical codes' bound; the paper's lambda, 1.
        continuous_weight: That of the continuous codes' bound, smaller for it to be on the scale of
            the others (section 6); the authors' code for digits has 1 for both.
        noise_scale: Factor of the noise and the continuous codes on their way into the generator, 1
            in the paper. With less, the categories say more than they do from the start on: each
            value becomes one kind of image, which the rest varies (Mukherjee et al. 2019,
            ClusterGAN, arXiv 1809.03627, section 3, with noise of deviation 0.1).
        loss, label_smoothing, instance_noise, augmentation, share_fakes, latent_distribution,
            ema_momentum: As of `kgen.models.GAN`; the distribution is the noise's.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    encodes_latents = False  # But the codes alone.

    def __init__(
        self,
        generator,
        discriminator,
        categories=(10,),
        continuous=2,
        categorical_weight=1.0,
        continuous_weight=0.1,
        noise_scale=1.0,
        loss="non_saturating",
        label_smoothing=0.0,
        instance_noise=0.0,
        augmentation=None,
        share_fakes=True,
        latent_distribution="normal",
        ema_momentum=None,
        **kwargs,
    ):
        _check_codes(categories, continuous)
        self.categories = tuple(categories)
        self.continuous = continuous
        super().__init__(
            generator,
            discriminator,
            loss=loss,
            label_smoothing=label_smoothing,
            instance_noise=instance_noise,
            augmentation=augmentation,
            share_fakes=share_fakes,
            latent_distribution=latent_distribution,
            ema_momentum=ema_momentum,
            **kwargs,
        )
        check_weight("categorical_weight", categorical_weight)
        check_weight("continuous_weight", continuous_weight)
        check_weight("noise_scale", noise_scale)
        self.categorical_weight = categorical_weight
        self.continuous_weight = continuous_weight
        self.noise_scale = noise_scale

    def default_optimizers(self):
        """The paper's, appendix C: the generator's rate is five times the discriminator's."""
        return {
            "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5),
            "generator": keras.optimizers.Adam(1e-3, beta_1=0.5),
        }

    def check_networks(self, generator, discriminator, condition, packing):
        _check_networks(generator, discriminator, self.code_width)

    def head_loss(self, codes, fake_head, real_head=None):
        """-lambda L_I(G, Q), equation 5; of the fakes alone, whose codes are known."""
        (codes,) = codes
        head = ops.cast(fake_head, "float32")
        bounds = {"categorical": 0.0, "continuous": 0.0}
        for start, size in self._category_places():
            log_q = ops.log_softmax(head[:, start : start + size], axis=-1)
            hit = ops.sum(codes[:, start : start + size] * log_q, axis=-1)
            bounds["categorical"] += ops.mean(hit) + math.log(size)  # E log Q(c|x) + H(c)
        if self.continuous:
            # Q(c|x) is N(mean, 1), as in the authors' code for digits.
            error = ops.square(codes - head)[:, sum(self.categories) :]
            log_q = -0.5 * error - 0.5 * math.log(2.0 * math.pi)
            entropy = self.continuous * math.log(2.0)
            bounds["continuous"] += ops.mean(ops.sum(log_q, axis=-1)) + entropy
        loss = -(
            self.categorical_weight * bounds["categorical"]
            + self.continuous_weight * bounds["continuous"]
        )
        return loss, {name: bounds[name] for name in self.head_components(None)}

    def head_components(self, condition):
        names = {"categorical": self.categories, "continuous": self.continuous}
        return tuple(name for name, there_are in names.items() if there_are)

    def prepare(self, images, training):
        """Returns `(images, fakes, codes)`, the codes being those of the fakes."""
        latents = self.draw_latents(ops.shape(images)[0], self.noise)
        return images, self.images_of(latents, training), latents[:, -self.code_width :]

    def draw_latents(self, count, noise, labels=None):
        width = self.generator.inputs[0].shape[1] - self.code_width
        parts = [self.draw_noise((count, width), noise)]
        for index, size in enumerate(self.categories):
            drawn = ops.floor(size * noise.uniform((count,)))
            values = drawn if labels is None or index else labels
            values = ops.broadcast_to(ops.cast(values, "int32"), (count,))
            parts.append(ops.one_hot(values, size))
        if self.continuous:
            parts.append(2.0 * noise.uniform((count, self.continuous)) - 1.0)
        return ops.concatenate(parts, axis=-1)

    def generator_inputs(self, latents):
        width = latents.shape[-1] - self.code_width
        scales = [self.noise_scale] * width + [1.0] * sum(self.categories)
        return latents * np.array(scales + [self.noise_scale] * self.continuous, "float32")

    def encode_step(self, images):
        _, head = self.discriminator(images, training=False)
        head = ops.cast(head, "float32")
        parts = [
            ops.softmax(head[:, start : start + size], axis=-1)
            for start, size in self._category_places()
        ]
        return ops.concatenate([*parts, head[:, sum(self.categories) :]], axis=-1)

    def with_code(self, latents, code, value):
        """Returns a copy of rows of latents with one code set to `value`.

        Args:
            latents: Rows as `latents` returns them, `(count, dimensions)`.
            code: Number of the code, the categorical ones first.
            value: Of a categorical code an integer, of a continuous one a number; or one a row.

        Raises:
            ValueError: If there is no such code or value.
        """
        latents = self._latents(latents).copy()
        first = latents.shape[1] - self.code_width
        if not 0 <= code < len(self.categories) + self.continuous:
            raise ValueError(
                f"`code` must be from 0 to {len(self.categories) + self.continuous - 1}, received "
                f"{code!r}."
            )
        if code >= len(self.categories):
            place = first + sum(self.categories) + code - len(self.categories)
            latents[:, place] = value
            return latents
        start, size = self._category_places()[code]
        values = np.asarray(value)
        is_one = values.dtype.kind in "iu" and values.shape in ((), (len(latents),))
        if not is_one or values.min() < 0 or values.max() >= size:
            raise ValueError(
                f"`value` must be an integer from 0 to {size - 1}, or one a row, received "
                f"{value!r}."
            )
        latents[:, first + start : first + start + size] = np.eye(size)[values]
        return latents

    @property
    def code_width(self):
        """How many numbers of a row of latents are codes."""
        return sum(self.categories) + self.continuous

    @property
    def classes(self):
        """How many values the first categorical code has; `None` if there is none."""
        return self.categories[0] if self.categories else None

    def _category_places(self):
        """Start and size of each categorical code among the codes."""
        return [(sum(self.categories[:i]), size) for i, size in enumerate(self.categories)]


def _check_codes(categories, continuous):
    sizes = list(categories) if isinstance(categories, list | tuple) else [None]
    if not all(type(size) is int and size >= 2 for size in sizes):
        raise ValueError(
            f"`categories` must be a list of integers of at least 2, received {categories!r}."
        )
    check_count("continuous", continuous, least=0)
    if not categories and not continuous:
        raise ValueError("`categories` and `continuous` must give at least one code.")


def _check_networks(generator, discriminator, width):
    rows, _ = network_shapes("generator", generator)
    if len(rows) != 1 or rows[0][0] <= width:
        raise ValueError(
            f"`generator` must take one row of noise and {width} codes, received inputs of {rows}."
        )
    images, outputs = network_shapes("discriminator", discriminator)
    if len(images) != 1 or len(outputs) != 2 or outputs[1] != (width,):
        raise ValueError(
            f"`discriminator` must return [logits, codes] of images, the codes being ({width},), "
            f"received one from {images} to {outputs}."
        )
