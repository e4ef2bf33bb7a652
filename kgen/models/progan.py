"""ProGAN: a GAN that grows from 4 x 4 pixels to its full size while it trains."""

import keras
from keras import ops

from kgen.models.arguments import check_weight
from kgen.models.growth import Growing, check_growing
from kgen.models.wgan_gp import WGANGP


@keras.saving.register_keras_serializable("kgen")
class ProGAN(Growing, WGANGP):
    """Karras et al. 2018, arXiv 1710.10196: progressive growing, with WGAN-GP's loss and a drift.

    `fit` trains the smallest images first and then, for each size up to the last, fades its blocks
    in for `fade_kimg` and trains them for `stable_kimg` thousands of real images; at the last size
    it goes on for as long as it is asked to. `kimg` says how far it is, `phases` what comes when.
    Batches are of full-size images, whatever the phase; those of a set of `kgen.data` are made in
    the phase's size, so that 1024 pixels cost no memory while 4 are trained.

    Logs `critic_loss`, `generator_loss`, `critic_distance` and `critic_penalty` as `WGANGP` does,
    and `critic_drift`, E[critic(real)^2].

    Example:
        widths = {"filters": 16, "max_filters": 64}
        model = kgen.models.ProGAN(
            kgen.networks.ProgressiveGenerator((32, 32, 1), latent_dim=64, **widths),
            kgen.networks.ProgressiveDiscriminator((32, 32, 1), **widths),
            fade_kimg=15,
            stable_kimg=15,
            batch_sizes={16: 32, 32: 16},
            ema_momentum=0.998,
        )
        model.compile()
        digits = kgen.data.load("mnist5k", image_size=32, batch_size=64)
        model.fit(digits, epochs=107)  # As `recipes.progan`, 18 minutes on two cores.
        images = model.sample(16, seed=0)  # (16, 32, 32, 1)

    Args:
        generator: `kgen.networks.ProgressiveGenerator`.
        critic: `kgen.networks.ProgressiveDiscriminator` of the same image shape, without classes.
        fade_kimg: Thousands of real images over which a size is faded in; 800 in the paper.
        stable_kimg: Thousands over which it is then trained; 800 in the paper.
        batch_sizes: Dict from image heights to the images of a batch at that size, for `fit` with a
            set of `kgen.data`; sizes that it does not name, and `None`, take the batch as given.
        progressive: `False` trains the last size from the start.
        first_size: Height of the images that training starts with, one of the networks' sizes;
            `None` for the smallest, 4 x 4 of squares, as in the paper.
        penalty_weight: Weight of the gradient penalty; the paper's lambda, 10.
        drift_weight: Weight of the drift, which keeps the critic's scores near 0; the paper's
            epsilon, 0.001.
        ema_momentum: Momentum per round of the generator's moving average, which samples use;
            `None` for no average. The paper's 0.999.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    further_components = ("drift",)

    def __init__(
        self,
        generator,
        critic,
        fade_kimg=800.0,
        stable_kimg=800.0,
        batch_sizes=None,
        progressive=True,
        penalty_weight=10.0,
        drift_weight=1e-3,
        ema_momentum=0.999,
        first_size=None,
        **kwargs,
    ):
        check_growing(generator=generator, critic=critic)
        check_weight("drift_weight", drift_weight)
        super().__init__(
            generator,
            critic,
            critic_updates=1,
            penalty_weight=penalty_weight,
            ema_momentum=ema_momentum,
            **kwargs,
        )
        self.drift_weight = drift_weight
        self.grow_by(fade_kimg, stable_kimg, batch_sizes, progressive, first_size)

    def default_optimizers(self):
        """The paper's, appendix A.1."""
        return keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8)

    def further_terms(self, real_scores):
        drift = ops.mean(ops.square(real_scores))
        return self.drift_weight * drift, {"drift": drift}
