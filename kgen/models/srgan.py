"""SRGAN: larger images of small ones."""

import keras

from kgen.core.arrays import fits
from kgen.losses import (
    minimax_discriminator_loss,
    non_saturating_generator_loss,
    squared_error,
)
from kgen.models.arguments import check_judge, check_weight, network_shapes
from kgen.models.translation import PairedTranslation


@keras.saving.register_keras_serializable("kgen")
class SRGAN(PairedTranslation):
    """Ledig et al. 2017, arXiv 1609.04802: a content loss and a thousandth of an adversarial one.

    Trained on `(small images, large images)`. Logs `discriminator_loss`, `generator_loss`,
    `generator_adversarial` and `generator_content`; without a discriminator, which is the paper's
    SRResNet, `loss` and `content`. `translate` takes images of any size if the generator does.

    Example:
        model = kgen.models.SRGAN(
            kgen.networks.sr_resnet((None, None, 3), factor=2),
            kgen.networks.sr_discriminator((64, 64, 3)),
        )
        model.compile()
        model.fit(small, large, batch_size=16, epochs=100)
        images = model.translate(small)

    Args:
        generator: Built `keras.Model`, images -> images a whole number of times as high and wide.
        discriminator: Built `keras.Model`, large images -> logits of any shape; `None` for none.
        content_network: `None`: the content loss is the mean squared error of pixels (eq. 4). Or a
            built `keras.Model` from large images in [-1, 1] to features of any shape: that of
            features (eq. 5), computed as outside training. It is frozen: its `trainable` is set
            to `False`, and it is saved with the model.
        content_weight: Weight of the content loss. The paper's rescaling of VGG's features by
            1/12.75 is a weight of 0.006.
        adversarial_weight: Weight of the adversarial loss (eq. 3).
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form, networks do not go together, or nothing is
            left to learn from.
    """

    def __init__(
        self,
        generator,
        discriminator=None,
        content_network=None,
        content_weight=1.0,
        adversarial_weight=1e-3,
        **kwargs,
    ):
        super().__init__(generator, discriminator, "content", **kwargs)
        check_weight("content_weight", content_weight)
        check_weight("adversarial_weight", adversarial_weight)
        if not content_weight and (discriminator is None or not adversarial_weight):
            raise ValueError(
                "`content_weight` must be above 0 where there is no discriminator or the "
                "`adversarial_weight` is 0: nothing else is left for the generator to learn from."
            )
        _check_enlargement(generator)
        if discriminator is not None:
            check_judge("discriminator", discriminator, generator.output_shape[1:])
        if content_network is not None:
            _check_content_network(content_network, generator.output_shape[1:])
            content_network.trainable = False
        self.content_network = content_network
        self.content_weight = content_weight
        self.adversarial_weight = adversarial_weight

    def default_optimizers(self):
        """The paper's, section 3.2, before its rate falls to a tenth."""
        return keras.optimizers.Adam(1e-4)

    def discriminator_loss(self, data, training):
        _, large, outputs = data
        return minimax_discriminator_loss(
            self.discriminator(large, training=training),
            self.discriminator(outputs, training=training),
        )  # Eq. 2.

    def generator_loss(self, data, training):
        _, large, outputs = data
        content = squared_error(self.content(outputs), self.content(large))
        loss, components = self.content_weight * content, {"content": content}
        if self.discriminator is not None:
            fake_logits = self.discriminator(outputs, training=training)
            adversarial = non_saturating_generator_loss(fake_logits)  # Eq. 6.
            loss = loss + self.adversarial_weight * adversarial  # Eq. 3.
            components["adversarial"] = adversarial
        return loss, components

    def content(self, images):
        """Returns what the content loss compares: the features of images, or the images."""
        network = self.content_network
        return images if network is None else network(images, training=False)


def _check_enlargement(generator):
    small = tuple(32 if size is None else size for size in generator.input_shape[1:])
    large = tuple(generator.compute_output_shape((1, *small)))[1:]
    if None in large:  # A layer does not say.
        return
    factors = [after / before for after, before in zip(large[:2], small[:2], strict=True)]
    if factors[0] != factors[1] or factors[0] != round(factors[0]) or small[2] != large[2]:
        raise ValueError(
            "`generator` must make images a whole number of times as high and wide, of the same "
            f"channels, received one that makes {large} of {small}."
        )


def _check_content_network(network, shape):
    found, features = network_shapes("content_network", network)
    if len(features) != 1 or len(found) != 1 or not fits(found[0], shape):
        raise ValueError(
            f"`content_network` must take images of {shape} and return one tensor, received one "
            f"from {found} to {features}."
        )
