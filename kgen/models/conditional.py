"""What adversarial models that may know of classes have in common, whatever their loss."""

from keras import ops

from kgen.core.arrays import is_one_of
from kgen.losses import classification_loss
from kgen.models.adversarial import AdversarialModel
from kgen.models.arguments import check_choice, check_weight
from kgen.models.gan_arguments import check_conditional, check_unconditional, label_width
from kgen.models.labels import check_labels, of_known_labels, with_labels
from kgen.networks.conditioning import CONDITIONS


class ConditionalModel(AdversarialModel):
    """An adversarial model that may be asked for classes; `condition` is that of `GAN`.

    A subclass has a `judge`, the name of the attribute, and of the argument, that holds the network
    which the generator plays against.

    Args:
        players, generator, latent_distribution, ema_momentum: As of `AdversarialModel`.
        condition, classification_weight: As of `kgen.models.GAN`.
        **kwargs: `seed`, `name` and `dtype`; see `GenerativeModel`.
    """

    judge = "discriminator"

    # How many images are judged at once.
    packing = 1

    def __init__(
        self,
        players,
        generator,
        latent_distribution,
        ema_momentum,
        condition,
        classification_weight,
        **kwargs,
    ):
        super().__init__(players, generator, latent_distribution, ema_momentum, **kwargs)
        check_choice("condition", condition, [None, *CONDITIONS])
        check_weight("classification_weight", classification_weight)
        self.condition = condition
        self.classification_weight = classification_weight

    def check_networks(self, generator, judge, condition, packing):
        """Raises a ValueError unless the networks' inputs and outputs are those of `condition`."""
        if condition is None:
            check_unconditional(generator, judge, self.judge)
        else:
            check_conditional(generator, judge, condition, packing, self.judge)

    def judged(self, seen, codes, training):
        """Returns the judge's logits, and what its second output says, or `None`."""
        network = getattr(self, self.judge)
        if self.condition in ("concatenation", "projection"):
            return network([seen, pack(*codes, self.packing)], training=training), None
        outputs = network(seen, training=training)
        return outputs if isinstance(outputs, list | tuple) else (outputs, None)

    def head_loss(self, codes, fake_head, real_head=None):
        """Returns the loss of the judge's second output, and its components for the logs.

        Args:
            codes: List of what images were to be made of, the labels; empty without a condition.
            fake_head: The second output for fake images.
            real_head: That for real ones, which the generator's loss does not count.
        """
        if self.condition != "auxiliary":
            return 0.0, {}
        heads = [fake_head] if real_head is None else [fake_head, real_head]
        (labels,) = codes
        entropy = sum(classification_loss(head, labels) for head in heads)
        return self.classification_weight * entropy, {"classification": entropy}

    def head_components(self, condition):
        """The names of the components that `head_loss` returns."""
        return ("classification",) if is_one_of(condition, ["auxiliary"]) else ()

    def prepare(self, data, training):
        """Returns `(images, fakes)`, and of a conditional model the one-hot labels of both."""
        if self.condition is None:
            return super().prepare(data, training)
        images, labels = data
        latents = self.draw_latents(ops.shape(images)[0], self.noise, labels)
        latents = of_known_labels(latents, labels, self.classes)
        return images, self.images_of(latents, training), latents[:, -self.classes :]

    def draw_latents(self, count, noise, labels=None):
        if self.condition is None:
            return super().draw_latents(count, noise)
        width = self.generator.inputs[0].shape[1]
        if len(self.generator.inputs) == 1:
            width -= self.classes
        return with_labels(self.draw_noise((count, width), noise), labels, self.classes, noise)

    def generator_inputs(self, latents):
        if self.condition is None or len(self.generator.inputs) == 1:
            return latents
        return [latents[:, : -self.classes], latents[:, -self.classes :]]

    def check_targets(self, targets):
        if self.condition is not None and targets is not None:
            check_labels(targets, self.classes)

    @property
    def classes(self):
        """How many classes a conditional model knows; `None` without a condition."""
        if self.condition is None:
            return None
        return label_width(getattr(self, self.judge), self.condition) // self.packing

    @property
    def uses_targets(self):
        return self.condition is not None

    @property
    def scored_with(self):
        """What images are scored together with, `"labels"` or nothing."""
        return "labels" if self.condition in ("concatenation", "projection") else None

    @property
    def abilities(self):
        classifies = self.condition == "auxiliary"
        return [name for name in super().abilities if classifies or name != "classify"]

    def classify_step(self, images):
        """Returns the probabilities of the classes, by the judge's second output."""
        _, head = self.judged(ops.cast(images, "float32"), [], training=False)
        return ops.softmax(ops.cast(head, "float32"), axis=-1)

    def given_labels(self, labels):
        """Returns labels as a list of one-hot rows, as `judged` takes them; `None` as of none."""
        return [] if labels is None else [ops.one_hot(ops.cast(labels, "int32"), self.classes)]


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
