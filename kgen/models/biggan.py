"""BigGAN: SAGAN with orthogonal regularisation, which samples from truncated latents."""

import math
import numbers

import keras
from keras import ops

from kgen.core.keras_private import flatten_layers
from kgen.models.arguments import check_weight
from kgen.models.sagan import SAGAN
from kgen.networks.biggan import SHARED_EMBEDDING


@keras.saving.register_keras_serializable("kgen")
class BigGAN(SAGAN):
    """Brock et al. 2019, arXiv 1809.11096: latents of small size make typical, alike images.

    `sample` and `latents` take a `truncation` (section 3.1). For the generator to bear it, its
    weights are held to orthogonal filters: equation 3 there, with the diagonal left out. Logs,
    beside a GAN's, `generator_orthogonality`, that term without its weight.

    Differs from the paper: batch norm's moments are measured with latents that are not truncated,
    whatever the truncation; the paper's are measured anew for each.

    Example:
        shape = (32, 32, 1)
        model = kgen.models.BigGAN(
            kgen.networks.biggan_generator(shape, 10, filters=16),
            kgen.networks.biggan_discriminator(shape, 10, filters=16),
            discriminator_updates=1,
            ema_momentum=0.995,
        )
        rates = {"discriminator": 2e-3, "generator": 5e-4}  # The paper's are of batches of 2,048.
        model.compile({name: keras.optimizers.Adam(rates[name], beta_1=0.0) for name in rates})
        digits = kgen.data.load("mnist5k", image_size=32, labels=True)
        model.fit(digits, epochs=36)  # As `recipes.biggan`, 15 minutes on two cores.
        threes = model.sample(16, seed=0, labels=3, truncation=0.5)  # (16, 32, 32, 1)

    Args:
        generator: Built `keras.Model`, `[latents, labels]` -> images, labels being one-hot.
        discriminator: Built `keras.Model`, `[images, labels]` -> logits of any shape.
        orthogonal_weight: Weight of the orthogonal regularisation; the paper's beta, 1e-4. 0 for
            none, and nothing of it in the logs.
        discriminator_updates: Discriminator's updates per generator's update; the paper's 2.
        augmentation, share_fakes: As of `kgen.models.GAN`.
        ema_momentum: Momentum of the generator's moving average, 0.9999 in the paper, whose
            training is long; `None` for no average.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    truncation_name = "truncation"

    def __init__(
        self,
        generator,
        discriminator,
        orthogonal_weight=1e-4,
        discriminator_updates=2,
        augmentation=None,
        share_fakes=True,
        ema_momentum=0.999,
        **kwargs,
    ):
        check_weight("orthogonal_weight", orthogonal_weight)
        self.orthogonal_weight = orthogonal_weight
        super().__init__(
            generator,
            discriminator,
            augmentation=augmentation,
            discriminator_updates=discriminator_updates,
            share_fakes=share_fakes,
            ema_momentum=ema_momentum,
            **kwargs,
        )

    def default_optimizers(self):
        """The paper's, appendix C."""
        return {
            "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.999),
            "generator": keras.optimizers.Adam(5e-5, beta_1=0.0, beta_2=0.999),
        }

    def generator_terms(self):
        return ("orthogonality",) if self.orthogonal_weight else ()

    def generator_loss(self, data, training):
        loss, components = super().generator_loss(data, training)
        if not self.orthogonal_weight:
            return loss, components
        orthogonality = sum(squared_correlations(kernel) for kernel in self.regularized_kernels)
        return (
            loss + self.orthogonal_weight * orthogonality,
            {**components, "orthogonality": orthogonality},
        )

    @property
    def regularized_kernels(self):
        """The generator's matrices and kernels, but for the shared embedding."""
        shared = {
            id(variable)
            for layer in flatten_layers(self.generator)
            if layer.name == SHARED_EMBEDDING
            for variable in layer.variables
        }
        weights = self.generator.trainable_variables
        return [v for v in weights if len(v.shape) >= 2 and id(v) not in shared]

    def sample(self, count, seed=None, batch_size=64, labels=None, truncation=None, *, raw=False):
        """As of every system, with `truncation` as in `latents`."""
        return self.decode(self.latents(count, seed, labels, truncation), batch_size, raw=raw)

    def latents(self, count, seed=None, labels=None, truncation=None):
        """As of every system, but from the normal distribution cut off at plus and minus a number.

        Args:
            count, seed, labels: As in `sample` of every system.
            truncation: Positive number, the largest size of an entry; `None` for any. What is
                beyond counts as drawn again. One seed gives rows that correspond, whatever the
                truncation: each entry keeps its rank in the distribution.

        Raises:
            ValueError: If an argument is not of this form.
        """
        is_number = isinstance(truncation, numbers.Real) and not isinstance(truncation, bool)
        if truncation is not None and not (is_number and truncation > 0.0):
            raise ValueError(f"`truncation` must be a positive number, received {truncation!r}.")
        rows = super().latents(count, seed, labels)
        if truncation is None:
            return rows
        return ops.convert_to_numpy(self._truncated(rows, float(truncation)))

    def truncated_step(self, latents, truncation):
        """Returns the images of rows of latents whose noise is cut off at `truncation`."""
        return self.decode_step(self._truncated(latents, truncation))

    def _truncated(self, latents, truncation):
        noise, labels = latents[:, : -self.classes], latents[:, -self.classes :]
        return ops.concatenate([truncated(noise, truncation), labels], axis=1)


def squared_correlations(kernel):
    """Sum of the squared products of different filters, ||W^T W (1 - I)||_F^2: a scalar.

    Args:
        kernel: `(..., filters)`; W has a column for each filter.
    """
    columns = ops.reshape(ops.cast(kernel, "float32"), (-1, kernel.shape[-1]))
    products = ops.matmul(ops.transpose(columns), columns)  # (filters, filters)
    return ops.sum(ops.square(products * (1.0 - ops.eye(kernel.shape[-1]))))


def truncated(normal, limit):
    """Entries of N(0, 1) -> entries of the same distribution within [-limit, limit], by rank.

    The inverse of the truncated distribution function at Phi(normal), that is of the uniform draw
    that the entry was made of. In float64, for float32 has few numbers near the ends.
    """
    scale = math.sqrt(2.0)
    rank = ops.erf(ops.cast(normal, "float64") / scale)  # In (-1, 1): 2 Phi(normal) - 1.
    # Beyond 40 nothing changes, and TensorFlow has no value at infinity.
    share = ops.erf(ops.minimum(ops.cast(limit, "float64"), 40.0) / scale)
    return ops.cast(scale * ops.erfinv(share * rank), "float32")
