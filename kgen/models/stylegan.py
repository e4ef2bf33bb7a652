"""StyleGAN: a generator controlled by styles, one for each of its layers."""

import numbers

import keras
import numpy as np
from keras import ops

from kgen.core.arrays import in_batches
from kgen.core.noise import SeededNoise
from kgen.core.numbers import is_count
from kgen.models.arguments import check_share
from kgen.models.gan import GAN
from kgen.models.growth import Growing, check_growing
from kgen.networks.style import StyleGenerator


@keras.saving.register_keras_serializable("kgen")
class StyleGAN(Growing, GAN):
    """Karras, Laine and Aila 2019, arXiv 1812.04948: a mapping, styles, noise and style mixing.

    Grows as `ProGAN` does, or with `progressive=False` trains its full size from the start. Latents
    z become styles w (`map`), and styles images (`synthesise`); `sample` does both, with `psi`
    nearer to the mean style, which is tracked in training. With classes, where both networks know
    them, it is trained on `(images, labels)`, labels integers.

    Logs `discriminator_loss`, `generator_loss` and with a penalty `discriminator_penalty`.

    Example:
        shape, widths = (32, 32, 1), {"filters": 16, "max_filters": 64}
        model = kgen.models.StyleGAN(
            kgen.networks.StyleGenerator(
                shape, latent_dim=64, style_dim=64, output_activation="tanh", **widths
            ),
            kgen.networks.ProgressiveDiscriminator(shape, blur=True, **widths),
            fade_kimg=10,
            stable_kimg=10,
            batch_sizes={16: 32, 32: 16},
            penalty_weight=0.3,
            penalty_interval=4,
            ema_momentum=0.995,
        )
        model.compile()
        digits = kgen.data.load("mnist5k", image_size=32, batch_size=64)
        model.fit(digits, epochs=107)  # As `recipes.stylegan`, 46 minutes on two cores.
        images = model.sample(16, seed=0, psi=0.7)

    Args:
        generator: `kgen.networks.StyleGenerator`.
        discriminator: `kgen.networks.ProgressiveDiscriminator` of the same image shape and classes.
        fade_kimg, stable_kimg, batch_sizes, progressive: As of `ProGAN`; in the paper both lengths
            are 600.
        mixing: Probability that an image is made of the styles of two latents, those of the layers
            up to a random one and those after it; 0.9 in the paper.
        loss, penalty: As of `GAN`. `"non_saturating"` with `"r1"` are the paper's on FFHQ,
            `"wasserstein"` with `"gradient"` on CelebA-HQ.
        penalty_weight: Weight of the penalty; of R1 gamma in gamma / 2 * E[||grad D(real)||^2]. 10
            in the paper.
        penalty_interval: The penalty is computed in every so many rounds and weighs as many times
            more: lazy regularisation (Karras et al. 2020, arXiv 1912.04958); 1 for all, 16 there.
        mean_momentum: Momentum per round of the mean style; the authors' 0.995.
        augmentation: As of `GAN`.
        ema_momentum: Momentum per round of the generator's moving average, which samples use;
            `None` for no average. The paper's 0.999.
        first_size: As of `ProGAN`; 8 in the paper.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    truncation_name = "psi"

    def __init__(
        self,
        generator,
        discriminator,
        fade_kimg=600.0,
        stable_kimg=600.0,
        batch_sizes=None,
        progressive=True,
        mixing=0.9,
        loss="non_saturating",
        penalty="r1",
        penalty_weight=10.0,
        penalty_interval=1,
        mean_momentum=0.995,
        augmentation=None,
        ema_momentum=0.999,
        first_size=None,
        **kwargs,
    ):
        check_growing(generator=generator, discriminator=discriminator)
        if not isinstance(generator, StyleGenerator):
            raise ValueError(
                f"`generator` must be a kgen.networks.StyleGenerator, received {generator!r}."
            )
        super().__init__(
            generator,
            discriminator,
            loss=loss,
            penalty=penalty,
            penalty_weight=penalty_weight,
            penalty_interval=penalty_interval,
            augmentation=augmentation,
            condition=None if generator.classes is None else "projection",
            ema_momentum=ema_momentum,
            **kwargs,
        )
        check_share("mixing", mixing, up_to_one=True)
        check_share("mean_momentum", mean_momentum, up_to_one=True)
        self.mixing = mixing
        self.mean_momentum = mean_momentum
        # Differs from the paper, which starts at 8 x 8: by default one schedule is both systems'.
        self.grow_by(fade_kimg, stable_kimg, batch_sizes, progressive, first_size)

    def default_optimizers(self):
        """The authors' code's, below 128 pixels."""
        # Differs from it: one rate for all sizes, where theirs rises to 3e-3 from 128 pixels on.
        return keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8)

    def images_of(self, latents, training):
        if not training:
            return super().images_of(latents, training)
        styles = self.generator.map(self.generator_inputs(latents))
        self._track_mean(styles)
        styles = self.generator.broadcast(styles)
        count = ops.shape(latents)[0]
        if self.mixing:
            styles = self._mixed(styles, latents, count)
        noises = [self.noise.normal(shape) for shape in self.generator.noise_shapes(count)]
        return self.generator.synthesise(styles, noises)

    def _mixed(self, styles, latents, count):
        """Gives a share of `mixing` of the images other styles from a random layer on."""
        width = self.generator.latent_dim  # After which a row has its label.
        others = [self.draw_noise((count, width), self.noise), latents[:, width:]]
        others = self.generator_inputs(ops.concatenate(others, axis=-1))
        others = self.generator.broadcast(self.generator.map(others))
        # A crossover among the layers in use, with one of either at least.
        used = 2 * (self.generator.stage + 1)
        first = 1.0 + ops.floor((used - 1) * self.noise.uniform((count, 1)))
        mixes = self.noise.uniform((count, 1)) < self.mixing
        layers = ops.arange(self.generator.layer_count, dtype="float32")
        of_other = ops.logical_and(mixes, layers >= first)  # (batch, layers)
        return ops.where(of_other[:, :, None], others, styles)

    def _track_mean(self, styles):
        mean, momentum = self.generator.mean_style, self.mean_momentum
        batch = ops.cast(ops.mean(ops.stop_gradient(styles), axis=0), mean.dtype)
        mean.assign(momentum * mean + (1.0 - momentum) * batch)

    # ------------------------------------------------------------------ styles

    def sample(
        self, count, seed=None, batch_size=64, labels=None, psi=1.0, cutoff=None, *, raw=False
    ):
        """Draws new images.

        Args:
            count, seed, batch_size, labels, raw: As of `kgen.GenerativeModel.sample`.
            psi: Truncation: styles become mean + psi * (w - mean). 1 for none; at 0 all images are
                the mean one, and below 0 the opposites of themselves.
            cutoff: How many layers, the coarsest first, are truncated; `None` for all.

        Returns:
            float32 array `(count, height, width, channels)` in [-1, 1].
        """
        return self.decode(self.latents(count, seed, labels), batch_size, psi, cutoff, raw=raw)

    def decode(self, latents, batch_size=64, psi=1.0, cutoff=None, *, raw=False):
        """Returns the images of `latents`, `(count, height, width, channels)`; see `sample`."""
        with self.weights_used(raw):
            styles = self.map(latents, psi, cutoff, batch_size)
            return self.synthesise(styles, batch_size=batch_size)

    def map(self, latents, psi=1.0, cutoff=None, batch_size=64):
        """Returns the styles of `latents`, `(count, layers, style_dim)`; see `sample`."""
        count = self.generator.layer_count
        cutoff = count if cutoff is None else cutoff
        if isinstance(psi, bool) or not isinstance(psi, numbers.Real) or not np.isfinite(psi):
            raise ValueError(f"`psi` must be a number, received {psi!r}.")
        if not is_count(cutoff, 0) or cutoff > count:
            raise ValueError(
                f"`cutoff` must be None or an integer from 0 to {count}, received {cutoff!r}."
            )
        step, psi, cutoff = self._compiled["map"], np.float32(psi), np.int32(cutoff)
        return in_batches(
            lambda z: step(z, psi, cutoff), self._latents(latents), batch_size=batch_size
        )

    def synthesise(self, styles, noise="fixed", batch_size=64):
        """Returns the images of `styles`, `(count, height, width, channels)` in [-1, 1].

        Args:
            styles: Array `(count, layers, style_dim)`, as of `map`.
            noise: `"fixed"`, the same for all images; `"off"`; an integer seed of new noise for
                each image, which also depends on `batch_size`; or the maps themselves, a list of
                arrays `(count, height, width, 1)` of the shapes `generator.noise_shapes(count)`.
            batch_size: Images computed at once.
        """
        shape = (self.generator.layer_count, self.generator.style_dim)
        styles = np.asarray(styles, "float32")
        if styles.ndim != 3 or styles.shape[1:] != shape or not len(styles):
            raise ValueError(
                f"`styles` must be an array of rows of the shape {shape}, received {styles.shape}."
            )
        if isinstance(noise, list | tuple):
            maps = self._checked_maps(noise, len(styles))
            step = self._compiled["synthesise_with"]
            return in_batches(
                lambda w, *maps: step(w, list(maps)), styles, *maps, batch_size=batch_size
            )
        if noise not in ("fixed", "off") and not isinstance(noise, int | np.integer):
            raise ValueError(
                f'`noise` must be "fixed", "off", an integer seed or a list of maps, received '
                f"{noise!r}."
            )
        if isinstance(noise, str):
            step = self._compiled[f"synthesise_{noise}"]
            return in_batches(step, styles, batch_size=batch_size)
        # Part 0 are the draws of the same seed's latents, with which maps have nothing in common.
        step, parts = self._compiled["synthesise_seeded"], iter(range(1, 1 + len(styles)))
        return in_batches(
            lambda w: step(w, np.array([noise, next(parts)], "int64")),
            styles,
            batch_size=batch_size,
        )

    def _checked_maps(self, noise, count):
        maps = [np.asarray(values, "float32") for values in noise]
        found, expected = [x.shape for x in maps], self.generator.noise_shapes(count)
        if found != expected:
            raise ValueError(f"`noise` must be maps of the shapes {expected}, received {found}.")
        return maps

    def mix(self, seeds_a, seeds_b, layers, psi=1.0, labels=None):
        """Returns images of the styles of two samples each, `(a, b, height, width, channels)`.

        Image [i, j] has the styles of `sample(1, seeds_a[i])`, but in `layers` those of
        `sample(1, seeds_b[j])`.

        Args:
            seeds_a, seeds_b: Lists of integer seeds.
            layers: Numbers of layers, from 0 (coarsest); a list or `range`.
            psi: Truncation, as of `sample`.
            labels: Of a conditional model the class of all, an integer.
        """
        count = self.generator.layer_count
        layers = list(layers) if np.iterable(layers) else [layers]
        for name, seeds in (("seeds_a", seeds_a), ("seeds_b", seeds_b)):
            if not np.ndim(seeds) or not len(seeds):
                raise ValueError(f"`{name}` must be a list of seeds, received {seeds!r}.")
        if not all(isinstance(n, numbers.Integral) and 0 <= n < count for n in layers):
            raise ValueError(
                f"`layers` must be integers from 0 to {count - 1}, received {layers!r}."
            )
        a, b = (
            np.concatenate([self.map(self.latents(1, seed, labels), psi) for seed in seeds])
            for seeds in (seeds_a, seeds_b)
        )
        mixed = np.repeat(a[:, None], len(b), axis=1)  # (a, b, layers, style_dim)
        mixed[:, :, layers] = b[None][:, :, layers]
        images = self.synthesise(mixed.reshape(-1, *a.shape[1:]))
        return images.reshape(len(a), len(b), *images.shape[1:])

    def tensor_functions(self):
        return {
            **super().tensor_functions(),
            "map": self.map_step,
            "synthesise_fixed": self.synthesise_step,
            "synthesise_with": self.synthesise_step,
            "synthesise_off": lambda styles: self.synthesise_step(
                styles, [ops.zeros(shape) for shape in self.generator.noise_shapes(1)]
            ),
            "synthesise_seeded": self._synthesise_seeded,
        }

    def decode_step(self, latents):
        return self.truncated_step(latents, 1.0)

    def truncated_step(self, latents, psi):
        """Returns the images of latents whose styles are nearer to the mean style by `psi`."""
        return self.synthesise_step(self.map_step(latents, psi, self.generator.layer_count))

    def map_step(self, latents, psi, cutoff):
        network = self.sampling_network
        styles = network.broadcast(network.map(self.generator_inputs(latents)))
        return network.truncated(ops.cast(styles, "float32"), psi, cutoff)

    def synthesise_step(self, styles, noises=None):
        return self.enlarged(self.sampling_network.synthesise(styles, noises))

    def _synthesise_seeded(self, styles, seed_and_part):
        noise = SeededNoise(*ops.unstack(seed_and_part))
        shapes = self.generator.noise_shapes(ops.shape(styles)[0])
        return self.synthesise_step(styles, [noise.normal(shape) for shape in shapes])
