"""The context encoder: what is missing in an image, from what is around it."""

import keras
from keras import ops

from kgen.losses import weighted_squared_error
from kgen.models.arguments import check_count, check_judge, check_weight, image_network
from kgen.models.pix2pix import Pix2Pix
from kgen.models.translation import translated


@keras.saving.register_keras_serializable("kgen")
class ContextEncoder(Pix2Pix):
    """Pathak et al. 2016, arXiv 1604.07379: inpainting by a joint loss, L2 and adversarial.

    Inputs are images with one more channel, the mask: +1 where a pixel is known, -1 where it is
    missing; targets are the whole images. `kgen.data.pairs` makes both, and a PNG's alpha channel
    is such a mask. Calling the model, `predict` and `translate` return completed images, whose
    known pixels are exactly the input's. What an input holds at missing pixels is not looked at.

    Logs what `Pix2Pix` does; the reconstruction loss is the weighted squared error in the missing
    region and a band around it, per value that counts.

    Example:
        shape = (64, 64, 4)  # The last channel is the mask.
        model = kgen.models.ContextEncoder(
            kgen.networks.encoder_decoder(shape, output_channels=3),
            kgen.networks.patchgan_discriminator((64, 64, 3), receptive_field="image"),
        )
        model.compile()
        model.fit(inputs, targets, batch_size=64, epochs=100)
        images = model.translate(inputs)  # (count, 64, 64, 3)

    Args:
        generator: Built `keras.Model`, images with mask `(height, width, channels + 1)` -> images
            `(height, width, channels)`.
        discriminator: Built `keras.Model`, images -> logits of any shape, or `None` for the
            reconstruction loss alone. It is not shown the inputs (section 3.2), but whole images,
            as known pixels are in both: new ones and the seam to known ones are all it can tell
            them by.
        loss: The adversarial loss, as of `kgen.models.GAN`.
        reconstruction_weight, adversarial_weight: The losses' weights, the paper's lambdas.
        overlap: Width in pixels of the band of known pixels around what is missing that are
            predicted, too, so that both go together. The paper has 7 for images of 128 pixels, its
            authors' code 4, which is also what 7 comes to for images of half the size.
        overlap_weight: Weight of that band's error to that of missing pixels.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form or nothing is left to learn from.
    """

    discriminator_share = 1.0  # Eq. 2.

    def __init__(
        self,
        generator,
        discriminator=None,
        loss="non_saturating",
        reconstruction_weight=0.999,
        adversarial_weight=0.001,
        overlap=4,
        overlap_weight=10.0,
        **kwargs,
    ):
        super().__init__(
            generator, discriminator, loss, reconstruction_weight, adversarial_weight, **kwargs
        )
        *pixels, channels = generator.input_shape[1:]
        *_, shape = image_network("generator", generator)
        if shape != (*pixels, channels - 1):
            raise ValueError(
                f"`generator` must return images {(*pixels, channels - 1)} of inputs whose last "
                f"channel is the mask, {(*pixels, channels)}; received outputs of {shape}."
            )
        check_count("overlap", overlap, least=0)
        check_weight("overlap_weight", overlap_weight)
        self.overlap = overlap
        self.overlap_weight = overlap_weight

    def default_optimizers(self):
        """The authors' code's: the generator's rate is ten times the discriminator's."""
        rates = {"discriminator": 2e-4, "generator": 2e-3}
        return {p.name: keras.optimizers.Adam(rates[p.name], beta_1=0.5) for p in self.players}

    def generate(self, inputs, training):
        return super().generate(hidden(inputs), training)

    def reconstruction_loss(self, inputs, targets, outputs):
        weights = region_weights(missing(inputs), self.overlap, self.overlap_weight)
        return weighted_squared_error(outputs, targets, weights)  # Eq. 1.

    def complete(self, inputs, outputs):
        """Puts the known pixels of the inputs into the outputs."""
        # Differs from the paper: what the discriminator judges is completed, too, and so shows the
        # seam, where the paper's sees the output alone. Known pixels of the output are shown to
        # nobody; but for the band they are not trained to be right.
        known = ops.cast(inputs[..., :-1], outputs.dtype)
        return ops.where(missing(inputs) > 0.0, outputs, known)

    def translate_step(self, images, direction, noise):
        return self.complete(images, translated(self.generator, hidden(images), noise))

    def _images(self, images, shape=None):
        images = super()._images(images, shape)
        mask = images[..., -1]
        if mask.min() == 0.0:
            raise ValueError(
                "`images` must have a mask of +1 (known) and -1 (missing) as their last channel, "
                f"received values from 0 to {mask.max():g}, of which none is missing."
            )
        return images

    def check_discriminator(self, generator, discriminator):
        check_judge("discriminator", discriminator, generator.output_shape[1:])


def missing(inputs):
    """Returns 1 where a pixel is missing by the inputs' mask and 0 elsewhere, one channel."""
    return ops.cast(inputs[..., -1:] < 0.0, "float32")


def hidden(inputs):
    """Returns inputs with missing pixels set to 0, and the mask to +1 or -1 (eq. 1's argument)."""
    holes = missing(inputs)
    images = ops.where(holes > 0.0, 0.0, ops.cast(inputs[..., :-1], "float32"))
    return ops.concatenate([images, 1.0 - 2.0 * holes], axis=-1)


def region_weights(holes, overlap, overlap_weight):
    """Returns the weights of pixels in the reconstruction loss.

    Args:
        holes: 1 where a pixel is missing and 0 elsewhere, `(batch, height, width, 1)`.
        overlap: Width of the band of known pixels around, in pixels, also diagonally.
        overlap_weight: Weight of the band.

    Returns:
        1 at missing pixels, `overlap_weight` in the band, 0 elsewhere.
    """
    near = ops.max_pool(holes, 2 * overlap + 1, strides=1, padding="same")
    return holes + overlap_weight * (near - holes)
