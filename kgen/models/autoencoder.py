"""The autoencoder: a code small enough, or penalised enough, that it has to be learned."""

import keras
from keras import ops

from kgen.core import GenerativeModel, Player
from kgen.core.arrays import rows_of
from kgen.losses import RECONSTRUCTIONS
from kgen.models.arguments import check_choice, network_shapes


@keras.saving.register_keras_serializable("kgen")
class Autoencoder(GenerativeModel):
    """Rumelhart, Hinton and Williams 1986; Hinton and Salakhutdinov 2006: images through a code.

    The loss is the error of the reconstruction, summed over pixels and channels, the mean over the
    batch. Calling the model, `predict` included, reconstructs. It can `encode`, `decode` and
    `reconstruct` but not sample, as nothing says how codes are distributed.

    Also trained on rows `(batch, d)`, such as another autoencoder's codes; see `kgen.models.stack`.

    Example:
        model = kgen.models.Autoencoder(
            kgen.networks.convolutional_encoder((28, 28, 1), 32, variational=False),
            kgen.networks.convolutional_decoder((28, 28, 1), 32),
        )
        model.compile()
        model.fit(kgen.data.load("mnist5k"), epochs=20)
        model.reconstruct(images)

    Args:
        encoder: Built `keras.Model`, images -> codes `(batch, d)`.
        decoder: Built `keras.Model`, codes -> outputs of the images' shape.
        reconstruction: `"l2"`, the sum of squared errors, `"l1"`, of absolute ones, or
            `"bernoulli"`, the cross-entropy in nats of images moved to [0, 1], for which the
            decoder gives logits.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form or the networks do not fit each other.
    """

    # What a subclass's loss is made of, for the logs.
    components = ()

    def __init__(self, encoder, decoder, reconstruction="l2", **kwargs):
        player = Player(
            "autoencoder", (encoder, decoder), self.autoencoder_loss, components=self.components
        )
        super().__init__([player], **kwargs)
        check_choice("reconstruction", reconstruction, RECONSTRUCTIONS)
        _check_networks(encoder, decoder)
        self.encoder = encoder
        self.decoder = decoder
        self.reconstruction = reconstruction

    def default_optimizers(self):
        """Adam (Kingma and Ba 2015) at its paper's rate."""
        # Differs from the papers: conjugate gradients and plain gradient descent.
        return keras.optimizers.Adam(1e-3)

    def autoencoder_loss(self, images, training):
        codes = self.encoder(images, training=training)
        return self.reconstruction_error(codes, images, training)

    def reconstruction_error(self, codes, images, training):
        """The error of the images that codes `(batch, d)` decode to: a scalar."""
        outputs = self.decoder(codes, training=training)
        return ops.mean(RECONSTRUCTIONS[self.reconstruction].error(outputs, images))

    @property
    def image_shape(self):
        return self.encoder.input_shape[1:]

    @property
    def call_inputs(self):
        return [("images", self.image_shape)]

    def call(self, images, training=False):
        return self._mean(self.encoder(images, training=training), training)

    def encode_step(self, images):
        return ops.cast(self.encoder(images, training=False), "float32")

    def decode_step(self, latents):
        return self._mean(latents, training=False)

    def _mean(self, codes, training):
        means = RECONSTRUCTIONS[self.reconstruction].mean(self.decoder(codes, training=training))
        # Codes of another autoencoder have whatever range they have.
        return ops.clip(means, -1.0, 1.0) if len(self.image_shape) == 3 else means

    def _latents(self, latents):
        return rows_of(latents, "latents", self.decoder.input_shape[1:])


def _check_networks(encoder, decoder):
    taken, codes = network_shapes("encoder", encoder)
    if (len(taken), len(codes)) != (1, 1) or len(codes[0]) != 1:
        raise ValueError(
            "`encoder` must be a network from images to codes (batch, d), received one from "
            f"{taken} to {codes}."
        )
    inputs, outputs = network_shapes("decoder", decoder)
    if inputs != codes:
        raise ValueError(
            f"`decoder` must take the encoder's codes {codes[0]}, received inputs of {inputs}."
        )
    if outputs != taken:
        raise ValueError(
            f"`decoder` must return what the encoder takes, {taken[0]}, received outputs of "
            f"{outputs}."
        )
