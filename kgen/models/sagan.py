"""SAGAN: a projection GAN with the hinge loss, for networks with self-attention."""

import keras

from kgen.models.gan import GAN


@keras.saving.register_keras_serializable("kgen")
class SAGAN(GAN):
    """Zhang et al. 2019, arXiv 1805.08318: what its networks are trained with.

    The hinge loss (section 3) and a discriminator that projects the class (Miyato and Koyama 2018);
    the networks have the rest, self-attention and spectral normalisation of both. One update of
    each player a round, with two learning rates (section 4.2; Heusel et al. 2017, arXiv 1706.08500)
    that need no further updates of the discriminator. Trained on `(images, labels)`.

    Example:
        shape = (32, 32, 1)
        model = kgen.models.SAGAN(
            kgen.networks.biggan_generator(
                shape, 10, 128, 16, hierarchical=False, shared_embedding=False
            ),
            kgen.networks.biggan_discriminator(shape, 10, filters=16),
            ema_momentum=0.995,
        )
        rates = {"discriminator": 2e-3, "generator": 5e-4}  # The paper's are for far longer.
        model.compile({name: keras.optimizers.Adam(rates[name], beta_1=0.0) for name in rates})
        digits = kgen.data.load("mnist5k", image_size=32, labels=True)
        model.fit(digits, epochs=36)  # As `recipes.biggan --model sagan`.
        threes = model.sample(16, seed=0, labels=3)  # (16, 32, 32, 1)

    Args:
        generator: Built `keras.Model`, `[latents, labels]` -> images, labels being one-hot.
        discriminator: Built `keras.Model`, `[images, labels]` -> logits of any shape.
        augmentation, discriminator_updates, share_fakes, ema_momentum: As of `kgen.models.GAN`.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    def __init__(
        self,
        generator,
        discriminator,
        augmentation=None,
        discriminator_updates=1,
        share_fakes=True,
        ema_momentum=None,
        **kwargs,
    ):
        super().__init__(
            generator,
            discriminator,
            loss="hinge",
            augmentation=augmentation,
            discriminator_updates=discriminator_updates,
            share_fakes=share_fakes,
            latent_distribution="normal",
            ema_momentum=ema_momentum,
            condition="projection",
            **kwargs,
        )

    def default_optimizers(self):
        """The paper's, section 4: two rates (Heusel et al. 2017)."""
        return {
            "discriminator": keras.optimizers.Adam(4e-4, beta_1=0.0, beta_2=0.9),
            "generator": keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9),
        }
