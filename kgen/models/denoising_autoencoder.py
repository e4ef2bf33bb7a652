"""The denoising autoencoder: from a corrupted image back to the clean one."""

import keras
from keras import ops

from kgen.core.arrays import float_images, seed_of
from kgen.core.noise import SeededNoise
from kgen.models.arguments import check_choice, check_share, check_weight
from kgen.models.autoencoder import Autoencoder
from kgen.models.corruption import CORRUPTIONS


@keras.saving.register_keras_serializable("kgen")
class DenoisingAutoencoder(Autoencoder):
    """Vincent et al. 2008, eq. 5: the error of clean images after encoding corrupted ones.

    Give `fit` the clean images: each round corrupts its batch anew. `reconstruct` corrupts nothing:
    of noisy images it returns the clean ones that the model thinks they were.

    Args:
        encoder, decoder, reconstruction: As of `Autoencoder`. The paper's networks share one
            matrix, the decoder's the encoder's transposed; here they need not.
        corruption: `"gaussian"` noise, `"masking"` elements as black, or `"salt_and_pepper"`; of
            rows, such as another autoencoder's codes, as 0, or 0 and 1. See
            `kgen.models.corruption`.
        amount: Of Gaussian noise the standard deviation, in units of the images' [-1, 1]; of the
            others the share of elements, in [0, 1].
        **kwargs: As of `Autoencoder`.

    Raises:
        ValueError: If an argument is not of this form or the networks do not fit each other.
    """

    def __init__(
        self,
        encoder,
        decoder,
        reconstruction="l2",
        corruption="gaussian",
        amount=0.5,
        **kwargs,
    ):
        super().__init__(encoder, decoder, reconstruction, **kwargs)
        check_choice("corruption", corruption, CORRUPTIONS)
        if corruption == "gaussian":
            check_weight("amount", amount)
        else:
            check_share("amount", amount, up_to_one=True)
        self.corruption = corruption
        self.amount = amount

    @property
    def image_margin(self):
        """Room for Gaussian noise: eight deviations, which one element in 10^15 exceeds."""
        return 8.0 * self.amount if self.corruption == "gaussian" else 0.0

    def autoencoder_loss(self, images, training):
        codes = self.encoder(self._corrupted(images, self.noise), training=training)
        return self.reconstruction_error(codes, images, training)

    def corrupt(self, images, seed=None):
        """Returns images `(count, ...)` in [-1, 1] corrupted as in training, float32.

        Args:
            images: The clean images.
            seed: Integer that decides the corruption; `None` draws one.
        """
        images = float_images(images, self.image_shape)
        return ops.convert_to_numpy(self._corrupted(images, SeededNoise(seed_of(seed))))

    def _corrupted(self, images, noise):
        return CORRUPTIONS[self.corruption](ops.cast(images, "float32"), self.amount, noise)
