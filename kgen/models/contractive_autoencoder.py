"""The contractive autoencoder: a code that hardly moves with the image."""

import keras

from kgen.core.keras_private import flatten_layers
from kgen.core.precision import full_precision
from kgen.core.second_order import refuse_wrong_second_order
from kgen.layers import BatchNormalization
from kgen.losses import contractive_penalty, scale_free_contraction
from kgen.models.arguments import check_count, check_flag, check_weight
from kgen.models.autoencoder import Autoencoder


@keras.saving.register_keras_serializable("kgen")
class ContractiveAutoencoder(Autoencoder):
    """Rifai et al. 2011, eq. 2: reconstruction error + weight * contraction; logs both parts.

    The contraction is E[||dh/dx||_F^2] Var(x) / Var(h), the Jacobian in units of the deviations of
    images and codes. The paper has no variances: its decoder is the encoder's matrix transposed,
    which fixes a code's scale. Where the decoder is free, the plain Jacobian shrinks the code, the
    decoder makes up for that, and nothing contracts. `scale_free=False` is the paper's equation,
    for a tied decoder.

    The paper's closed form is that of one layer of sigmoids; here the Jacobian is differentiated,
    so that the encoder may have any number of layers.

    Args:
        encoder, decoder, reconstruction: As of `Autoencoder`; an encoder without batch norm, which
            makes a code depend on other images, and with smooth activations: of ReLUs the Jacobian
            may be small at every image and the code still move over the next kink.
        contraction_weight: Weight of the contraction, at least 0. With `scale_free=False` it is
            that of the squared Frobenius norm: the paper's images are in [0, 1], where Jacobians
            are twice as large as in [-1, 1], their squares four times, and squared errors a
            quarter, so its lambda is 16 lambda here with `"l2"`, 8 with `"l1"` and 4 with
            `"bernoulli"`.
        scale_free: Whether variances over the batch give the Jacobian its unit; a batch of one
            image, which has none, then has no contraction.
        projections: `None` for the whole Jacobian, at the price of as many passes as a code has
            entries; k for an estimate without bias from k of them (Hutchinson 1990).
        **kwargs: As of `Autoencoder`.

    Raises:
        ValueError: If an argument is not of this form, the networks do not fit each other, or the
            encoder has a layer whose second-order gradient is wrong.
    """

    components = ("reconstruction", "contraction")

    def __init__(
        self,
        encoder,
        decoder,
        reconstruction="l2",
        contraction_weight=0.1,
        scale_free=True,
        projections=None,
        **kwargs,
    ):
        super().__init__(encoder, decoder, reconstruction, **kwargs)
        check_weight("contraction_weight", contraction_weight)
        check_flag("scale_free", scale_free)
        if projections is not None:
            check_count("projections", projections)
        for layer in flatten_layers(encoder):
            if isinstance(layer, BatchNormalization | keras.layers.BatchNormalization):
                raise ValueError(
                    "`encoder` must not have batch norm, through which a code depends on other "
                    f"images; received one with {layer.name!r}."
                )
        refuse_wrong_second_order(encoder, "ContractiveAutoencoder")
        self.contraction_weight = contraction_weight
        self.scale_free = scale_free
        self.projections = projections

    def autoencoder_loss(self, images, training):
        codes = self.encoder(images, training=training)
        error = self.reconstruction_error(codes, images, training)
        with full_precision(self.encoder):
            contraction = contractive_penalty(
                lambda x: self.encoder(x, training=training),
                images,
                codes.shape[-1],
                self.noise,
                self.projections,
            )
        # Differs from the paper, unless asked for: see above.
        if self.scale_free:
            contraction = scale_free_contraction(contraction, codes, images)
        loss = error + self.contraction_weight * contraction
        return loss, {"reconstruction": error, "contraction": contraction}
