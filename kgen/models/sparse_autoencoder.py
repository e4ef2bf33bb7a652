"""The sparse autoencoder: a code of many units of which few are active at a time."""

import keras
import numpy as np

from kgen.losses import kl_sparsity, l1_sparsity
from kgen.models.arguments import check_choice, check_weight, is_number
from kgen.models.autoencoder import Autoencoder

# The error of a reconstruction as a multiple of what half the squared error, or the cross-entropy,
# of pixels in [0, 1] comes to; of the absolute one there is no such, and it is only scaled.
_ERROR_TO_THE_NOTES = {"l2": 8.0, "l1": 2.0, "bernoulli": 1.0}


@keras.saving.register_keras_serializable("kgen")
class SparseAutoencoder(Autoencoder):
    """Reconstruction error + weight * sparsity of the codes; logs both parts.

    `"l1"` is the mean L1 norm of a code (Olshausen and Field 1996). `"kl"` is the sum over units of
    KL(target || mean activation over the batch) in nats (Ng 2011, CS294A, section 3; Lee et al.
    2008), which asks that each unit is active for a share of the images; codes must be in [0, 1].

    Args:
        encoder, decoder, reconstruction: As of `Autoencoder`; for `"kl"` an encoder that ends in a
            sigmoid.
        sparsity: `"kl"` or `"l1"`.
        sparsity_weight: Weight of the sparsity, at least 0. `None` is of `"kl"` the notes' beta of
            3, in the units of the loss here: 24 with `"l2"`, whose errors are twice as large in
            [-1, 1] as in the notes' [0, 1] and are squared without their half; and of `"l1"` 0.1.
        target: Mean activation that `"kl"` asks for, in (0, 1); 0.05 in the notes. `"l1"` has none.
        **kwargs: As of `Autoencoder`.

    Raises:
        ValueError: If an argument is not of this form or the networks do not fit each other.
    """

    components = ("reconstruction", "sparsity")

    def __init__(
        self,
        encoder,
        decoder,
        reconstruction="l2",
        sparsity="kl",
        sparsity_weight=None,
        target=0.05,
        **kwargs,
    ):
        super().__init__(encoder, decoder, reconstruction, **kwargs)
        check_choice("sparsity", sparsity, ("kl", "l1"))
        if sparsity_weight is not None:
            check_weight("sparsity_weight", sparsity_weight)
        if not is_number(target) or not 0.0 < target < 1.0:
            raise ValueError(f"`target` must be a number between 0 and 1, received {target!r}.")
        if sparsity == "kl":
            _check_range(encoder)
        self.sparsity = sparsity
        self.sparsity_weight = sparsity_weight
        self.target = target

    def autoencoder_loss(self, images, training):
        codes = self.encoder(images, training=training)
        error = self.reconstruction_error(codes, images, training)
        sparsity = kl_sparsity(codes, self.target) if self.sparsity == "kl" else l1_sparsity(codes)
        loss = error + self.weight_of_sparsity * sparsity
        return loss, {"reconstruction": error, "sparsity": sparsity}

    @property
    def weight_of_sparsity(self):
        """The `sparsity_weight`, or what stands for `None`."""
        if self.sparsity_weight is not None:
            return self.sparsity_weight
        return 0.1 if self.sparsity == "l1" else 3.0 * _ERROR_TO_THE_NOTES[self.reconstruction]


def _check_range(encoder):
    """Refuses an encoder of whose codes for some images one is outside [0, 1]."""
    shape = [size or 8 for size in encoder.input_shape[1:]]
    # Up to large ones: codes of weights yet to be learned may be far larger than those of new ones.
    images = np.random.default_rng(0).uniform(-1.0, 1.0, (16, *shape)).astype("float32")
    images *= np.geomspace(1.0, 1e4, len(images)).reshape(-1, *[1] * len(shape))
    codes = np.asarray(keras.ops.convert_to_numpy(encoder(images, training=False)), "float32")
    if codes.min() < 0.0 or codes.max() > 1.0:
        raise ValueError(
            '`encoder` must give codes in [0, 1] with sparsity="kl", as a sigmoid does, received '
            f"one whose codes of random images are from {codes.min():.3g} to {codes.max():.3g}."
        )
