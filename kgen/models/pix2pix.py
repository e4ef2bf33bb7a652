"""Pix2Pix: image-to-image translation learned from pairs."""

import keras

from kgen.losses import absolute_error, adversarial_loss
from kgen.models.arguments import (
    check_judge,
    check_weight,
    image_network,
    network_shapes,
)
from kgen.models.translation import PairedTranslation


@keras.saving.register_keras_serializable("kgen")
class Pix2Pix(PairedTranslation):
    """Isola et al. 2017, arXiv 1611.07004: a conditional adversarial loss plus 100 times L1.

    Trained on `(inputs, targets)`, by batches of any size, of 1 too. Logs `discriminator_loss`,
    `generator_loss`, `generator_adversarial` and `generator_reconstruction`, the mean absolute
    error; without a discriminator `loss` and `reconstruction`.

    The only noise is dropout, drawn by `kgen.layers.Dropout` in the generator: in training, and in
    `translate` where it is given a seed. In place of the paper's batch norm with the statistics of
    the test batch, which makes an image depend on its batch, kgen's networks have instance norm:
    the same for batches of 1 image.

    Example:
        shape = (64, 64, 3)
        model = kgen.models.Pix2Pix(
            kgen.networks.unet(shape),
            kgen.networks.patchgan_discriminator(shape, condition_shape=shape),
        )
        model.compile()
        model.fit(inputs, targets, batch_size=1, epochs=200)
        images = model.translate(inputs, seed=0)

    Args:
        generator: Built `keras.Model`, input images -> images.
        discriminator: Built `keras.Model`, `[inputs, images]` -> logits of any shape (the
            conditional GAN), or images alone -> logits; `None` for the reconstruction loss alone.
        loss: The adversarial loss, as of `kgen.models.GAN`; with `"wasserstein"` the discriminator
            has to be Lipschitz by itself, as with spectral normalisation.
        reconstruction_weight: The L1 loss's weight, the paper's lambda; 0 for the GAN alone.
        adversarial_weight: The adversarial loss's weight in the generator's.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form or nothing is left to learn from.
    """

    # Section 3.3 divides the discriminator's objective by 2, to slow it down.
    discriminator_share = 0.5

    def __init__(
        self,
        generator,
        discriminator=None,
        loss="non_saturating",
        reconstruction_weight=100.0,
        adversarial_weight=1.0,
        **kwargs,
    ):
        super().__init__(generator, discriminator, "reconstruction", **kwargs)
        pair = adversarial_loss(loss)
        loss = loss if isinstance(loss, str) else pair
        check_weight("reconstruction_weight", reconstruction_weight)
        check_weight("adversarial_weight", adversarial_weight)
        if not reconstruction_weight and (discriminator is None or not adversarial_weight):
            raise ValueError(
                "`reconstruction_weight` must be above 0 where there is no discriminator or the "
                "`adversarial_weight` is 0: nothing else is left for the generator to learn from."
            )
        if discriminator is not None:
            self.check_discriminator(generator, discriminator)
        self.loss = loss
        self.reconstruction_weight = reconstruction_weight
        self.adversarial_weight = adversarial_weight

    def default_optimizers(self):
        """The paper's, section 3.3."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    def discriminator_loss(self, data, training):
        inputs, targets, outputs = data
        objective = adversarial_loss(self.loss).discriminator(
            self.judge(inputs, targets, training), self.judge(inputs, outputs, training)
        )  # Eqs. 1 and 2.
        return self.discriminator_share * objective

    def generator_loss(self, data, training):
        inputs, targets, outputs = data
        error = self.reconstruction_loss(inputs, targets, outputs)
        loss, components = self.reconstruction_weight * error, {"reconstruction": error}
        if self.discriminator is not None:
            adversarial = self.adversarial_loss(inputs, targets, outputs, training)
            loss = self.adversarial_weight * adversarial + loss  # Eq. 4.
            components["adversarial"] = adversarial
        return loss, components

    def reconstruction_loss(self, inputs, targets, outputs):
        return absolute_error(outputs, targets)  # Eq. 3.

    def adversarial_loss(self, inputs, targets, outputs, training):
        loss = adversarial_loss(self.loss)
        fake_logits = self.judge(inputs, outputs, training)
        if not loss.relativistic:
            return loss.generator(fake_logits)
        return loss.generator(self.judge(inputs, targets, training), fake_logits)

    def judge(self, inputs, images, training):
        """Returns the discriminator's logits for the targets or the outputs of some inputs."""
        images = self.complete(inputs, images)
        seen = images if len(self.discriminator.inputs) == 1 else [inputs, images]
        return self.discriminator(seen, training=training)

    def check_discriminator(self, generator, discriminator):
        """Raises a ValueError unless the discriminator takes what it is shown."""
        shapes = image_network("generator", generator)
        inputs, _ = network_shapes("discriminator", discriminator)
        shown = shapes[1:] if len(inputs) == 1 else shapes
        check_judge("discriminator", discriminator, *shown)
