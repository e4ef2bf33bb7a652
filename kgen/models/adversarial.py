"""What adversarial models have in common: a generator that decodes latents, and its average."""

from keras import ops

from kgen.core import GenerativeModel
from kgen.core.averaging import average_of, update_average
from kgen.models.arguments import check_choice, is_number, network_shapes


class AdversarialModel(GenerativeModel):
    """A generator of images from latents, whose critic a subclass trains against it.

    Calling the model, `predict` included, maps latents to images. `sample` and `decode` use the
    moving average of the generator's weights if there is one, as does the call outside training.

    Args:
        players: The players, the generator's among them.
        generator: Built `keras.Model` from latents `(batch, dimensions)` to images in [-1, 1].
        latent_distribution: `"normal"`, N(0, 1), or `"uniform"`, U[-1, 1].
        ema_momentum: Momentum in (0, 1) of the exponential moving average of the generator's
            weights, taken once a round; `None` for no average.
        **kwargs: `seed`, `name` and `dtype`; see `GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    def __init__(self, players, generator, latent_distribution, ema_momentum, **kwargs):
        super().__init__(players, **kwargs)
        check_choice("latent_distribution", latent_distribution, ("normal", "uniform"))
        is_momentum = is_number(ema_momentum) and 0.0 < ema_momentum < 1.0
        if ema_momentum is not None and not is_momentum:
            raise ValueError(
                f"`ema_momentum` must be None or lie in (0, 1), received {ema_momentum!r}."
            )
        network_shapes("generator", generator)
        self.generator = generator
        self.latent_distribution = latent_distribution
        self.ema_momentum = ema_momentum
        self.generator_average = None if ema_momentum is None else average_of(generator)

    @property
    def image_shape(self):
        return self.generator.output_shape[1:]

    @property
    def sampling_weights(self):
        return "raw" if self.generator_average is None else "averaged"

    def call(self, latents, training=False):
        network = self.generator if training else self.generator_average or self.generator
        return network(self.generator_inputs(latents), training=training)

    def generator_inputs(self, latents):
        """Returns what the generator takes of rows of latents; by default the rows."""
        return latents

    def prepare(self, images, training):
        """Returns `(images, fakes)`, as many fakes as images."""
        return images, self.generate(ops.shape(images)[0], training)

    def generate(self, count, training):
        """Draws latents and returns the live generator's images, float32 `(count, ...)`."""
        return self.images_of(self.draw_latents(count, self.noise), training)

    def images_of(self, latents, training):
        """Returns the live generator's images of rows of latents, float32."""
        images = self.generator(self.generator_inputs(latents), training=training)
        return ops.cast(images, "float32")

    def draw_latents(self, count, noise):
        return self.draw_noise((count, *self.generator.input_shape[1:]), noise)

    def draw_noise(self, shape, noise):
        """Draws from `latent_distribution`."""
        if self.latent_distribution == "uniform":
            return 2.0 * noise.uniform(shape) - 1.0
        return noise.normal(shape)

    def decode_step(self, latents):
        return ops.cast(self(latents, training=False), "float32")

    def finish_round(self):
        if self.generator_average is not None:
            update_average(self.generator_average, self.generator, self.ema_momentum)
