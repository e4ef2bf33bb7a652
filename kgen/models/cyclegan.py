"""CycleGAN: translation between two sets of images without any pairs."""

import keras

from kgen.core import GenerativeModel, Player
from kgen.core.arrays import fits
from kgen.layers import ImageHistory
from kgen.losses import (
    absolute_error,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from kgen.losses.adversarial import float32
from kgen.models.arguments import (
    check_count,
    check_judge,
    check_targets,
    check_weight,
    image_network,
)
from kgen.models.translation import holds_dropout, translated


@keras.saving.register_keras_serializable("kgen")
class CycleGAN(GenerativeModel):
    """Zhu et al. 2017, arXiv 1703.10593: two generators, each of which undoes the other's work.

    Trained on `(images of A, images of B)`, which have nothing to do with each other; by batches of
    1 in the paper. `kgen.data.unpaired` makes such batches of folders, names and arrays, each set
    in an order of its own. `translate` goes in the directions `"a_to_b"`, also that of a call of
    the model and of `predict`, and `"b_to_a"`.

    Logs `discriminators_loss`, `generators_loss` and, without their weights, its parts
    `generators_adversarial`, `generators_cycle` and `generators_identity`.

    Example:
        shape = (64, 64, 3)
        model = kgen.models.CycleGAN(
            kgen.networks.resnet_translator(shape),
            kgen.networks.resnet_translator(shape),
            kgen.networks.patchgan_discriminator(shape),
            kgen.networks.patchgan_discriminator(shape),
        )
        steps = len(images_a)  # Of an epoch with batches of 1.
        model.compile(
            {
                player: keras.optimizers.Adam(
                    kgen.LinearDecay(2e-4, 100 * steps, 100 * steps), beta_1=0.5
                )
                for player in ("discriminators", "generators")
            }
        )
        model.fit(kgen.data.unpaired(images_a, images_b, batch_size=1), epochs=200)
        translated = model.translate(images_b, "b_to_a")

    Args:
        generator_ab: Built `keras.Model`, images of A -> images of B; the paper's G.
        generator_ba: Built `keras.Model`, images of B -> images of A; the paper's F.
        discriminator_a: Built `keras.Model`, images of A -> logits of any shape.
        discriminator_b: Built `keras.Model`, images of B -> logits of any shape.
        cycle_weight: Weight of the cycle consistency loss (eq. 2), the paper's lambda.
        identity_weight: Weight of the identity loss (section 5.2) as a share of the cycle loss's: a
            generator shall leave images as they are that are of its target set already. 0 for none,
            as is, too, without a cycle loss.
        history_size: Generated images of each set that are kept to show the discriminators some of
            them again (section 4), saved with the model; 0 for none.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form or networks do not go together.
    """

    uses_targets = True
    prepares_once = True
    directions = ("a_to_b", "b_to_a")
    score_domains = ("a", "b")

    def __init__(
        self,
        generator_ab,
        generator_ba,
        discriminator_a,
        discriminator_b,
        cycle_weight=10.0,
        identity_weight=0.5,
        history_size=50,
        **kwargs,
    ):
        generators = (generator_ab, generator_ba)
        discriminators = (discriminator_a, discriminator_b)
        parts = ("adversarial", "cycle", *(("identity",) if identity_weight else ()))
        super().__init__(
            [
                Player("discriminators", discriminators, self.discriminators_loss),
                Player("generators", generators, self.generators_loss, components=parts),
            ],
            **kwargs,
        )
        check_weight("cycle_weight", cycle_weight)
        check_weight("identity_weight", identity_weight)
        shape_a, shape_b = _shapes(generator_ab, generator_ba)
        check_judge("discriminator_a", discriminator_a, shape_a)
        check_judge("discriminator_b", discriminator_b, shape_b)
        if identity_weight and not fits(shape_a, shape_b):
            raise ValueError(
                f"`identity_weight` must be 0 where the sets differ in shape, {shape_a} and "
                f"{shape_b}: a generator cannot be given its target images. Received "
                f"{identity_weight}."
            )
        check_count("history_size", history_size, least=0)
        self.generator_ab = generator_ab
        self.generator_ba = generator_ba
        self.discriminator_a = discriminator_a
        self.discriminator_b = discriminator_b
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.history_size = history_size
        seeds = (None, None) if self.seed is None else (self.seed, (self.seed + 1) % 2**63)
        self.history_a = _history(history_size, shape_a, seeds[0])
        self.history_b = _history(history_size, shape_b, seeds[1])

    def default_optimizers(self):
        """The paper's, section 4, before its rate falls; see `kgen.core.LinearDecay`."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    def prepare(self, data, training):
        """Returns `(images of A, images of B, fakes of A, fakes of B)`."""
        images_a, images_b = data
        fakes_b = float32(self.generator_ab(images_a, training=training))
        fakes_a = float32(self.generator_ba(images_b, training=training))
        return images_a, images_b, fakes_a, fakes_b

    def discriminators_loss(self, data, training):
        images_a, images_b, fakes_a, fakes_b = data
        if self.history_size:
            fakes_a = self.history_a(fakes_a, training=training)
            fakes_b = self.history_b(fakes_b, training=training)
        # The halved objective of the appendix is what the loss function is, Mao et al.'s.
        return least_squares_discriminator_loss(
            self.discriminator_a(images_a, training=training),
            self.discriminator_a(fakes_a, training=training),
        ) + least_squares_discriminator_loss(
            self.discriminator_b(images_b, training=training),
            self.discriminator_b(fakes_b, training=training),
        )

    def generators_loss(self, data, training):
        images_a, images_b, fakes_a, fakes_b = data
        # Twice Mao et al.'s: section 4 does not halve the generators' objective.
        adversarial = 2.0 * sum(
            least_squares_generator_loss(discriminator(fakes, training=training))
            for discriminator, fakes in (
                (self.discriminator_a, fakes_a),
                (self.discriminator_b, fakes_b),
            )
        )
        cycle = absolute_error(
            self.generator_ba(fakes_b, training=training), images_a
        ) + absolute_error(self.generator_ab(fakes_a, training=training), images_b)  # Eq. 2.
        parts = {"adversarial": adversarial, "cycle": cycle}
        loss = adversarial + self.cycle_weight * cycle  # Eq. 3.
        if self.identity_weight:
            parts["identity"] = absolute_error(
                self.generator_ba(images_a, training=training), images_a
            ) + absolute_error(self.generator_ab(images_b, training=training), images_b)
            loss = loss + self.cycle_weight * self.identity_weight * parts["identity"]
        return loss, parts

    @property
    def call_inputs(self):
        return [("images", self.image_shape)]

    def call(self, images, training=False):
        return float32(self.generator_ab(images, training=training))

    def translate_step(self, images, direction, noise):
        return translated(self.generator_of(direction), images, noise)

    def translation_shape(self, direction):
        return self.generator_of(direction).input_shape[1:]

    def score_step(self, images, given, domain):
        discriminator = self.discriminator_a if domain == "a" else self.discriminator_b
        return float32(discriminator(images, training=False))

    def scored_shape(self, domain):
        return self.translation_shape("a_to_b" if domain == "a" else "b_to_a")

    def generator_of(self, direction):
        """The generator that translates in a direction."""
        return self.generator_ab if direction == "a_to_b" else self.generator_ba

    def check_targets(self, targets):
        check_targets(targets, self.generator_ba.input_shape[1:])

    @property
    def has_translation_noise(self):
        return holds_dropout(self.generator_ab, self.generator_ba)

    @property
    def image_shape(self):
        """Shape of one image of A."""
        return self.generator_ab.input_shape[1:]


def _shapes(generator_ab, generator_ba):
    shape_a, shape_b = image_network("generator_ab", generator_ab)
    back = image_network("generator_ba", generator_ba)
    if not fits(back[0], shape_b) or not fits(back[1], shape_a):
        raise ValueError(
            f"`generator_ba` must go back from {shape_b} to {shape_a}, as generator_ab goes there; "
            f"received one from {back[0]} to {back[1]}."
        )
    return shape_a, shape_b


def _history(size, shape, seed):
    if not size:
        return None
    if None in shape:
        raise ValueError(
            f"`history_size` must be 0 for images of any size, {shape}: a history keeps images of "
            f"one size. Received {size}."
        )
    history = ImageHistory(size, seed)
    history.build((None, *shape))  # Before a file's weights are loaded.
    history.built = True
    return history
