"""What adversarial models have in common: a generator that decodes latents, and its average."""

from keras import ops

from kgen.core import GenerativeModel, SeededNoise, engine
from kgen.core.arrays import seed_of
from kgen.core.averaging import (
    average_of,
    copy_weights,
    fingerprint,
    measure_moments,
    update_average,
    warmed_up,
)
from kgen.core.replicas import batch_norms
from kgen.models.arguments import check_choice, check_count, is_number, network_shapes


class AdversarialModel(GenerativeModel):
    """A generator of images from latents, whose critic a subclass trains against it.

    Calling the model, `predict` included, maps latents to images. `sample` and `decode` use the
    moving average of the generator's weights if there is one, as does the call outside training;
    with `raw=True`, or in the context of `raw_weights`, the live weights.

    The average, `generator_average`, begins with the first round that is played, at the weights
    that the generator has then, and follows them by a momentum of at most (1 + t) / (10 + t) in
    round t (`averaged_rounds`). Its batch norms have moments of their own, measured over some of
    its samples (`measure_standing_statistics`) at the end of `fit`, and before it is used if it has
    moved since.

    Args:
        players: The players, the generator's among them.
        generator: Built `keras.Model` from latents `(batch, dimensions)` to images in [-1, 1].
        latent_distribution: `"normal"`, N(0, 1), or `"uniform"`, U[-1, 1].
        ema_momentum: Momentum in (0, 1) of the exponential moving average of the generator's
            weights, taken once a round, after its warm-up; `None` for no average.
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
        self.generator_average = None
        if ema_momentum is not None:
            self.generator_average = average_of(generator)
            self._average_seen = fingerprint(self.generator_average, generator)
            self.averaged_rounds = self._count("averaged_rounds")
            self.measured_batches = self._count("measured_batches")

    @property
    def image_shape(self):
        return self.generator.output_shape[1:]

    @property
    def call_inputs(self):
        shapes = [tuple(x.shape[1:]) for x in self.generator.inputs]
        row = shapes[0] if len(shapes) == 1 else (sum(shape[0] for shape in shapes),)
        name = "latents, which end with the one-hot label," if self.uses_targets else "latents"
        return [(name, row)]

    @property
    def sampling_weights(self):
        return "raw" if self.sampling_network is self.generator else "averaged"

    @property
    def sampling_network(self):
        """The network that samples are made with: the average if there is one, unless `raw`."""
        return self.generator if self.uses_raw_weights else self.generator_average or self.generator

    def call(self, latents, training=False):
        if not training:
            self.before_use()
        network = self.generator if training else self.sampling_network
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

    # ------------------------------------------------------------------ the average

    def before_training(self):
        self._begin_average()

    def finish_round(self):
        if self.generator_average is None:
            return
        momentum = warmed_up(self.ema_momentum, self.averaged_rounds)
        update_average(self.generator_average, self.generator, momentum)
        self.averaged_rounds.assign_add(1)
        self.measured_batches.assign(0)

    def before_use(self):
        if self.generator_average is None or self.uses_raw_weights or engine.is_tracing():
            return
        self._begin_average()
        if self._followed() and not int(engine.value_of(self.measured_batches)):
            self.measure_standing_statistics()

    def measure_standing_statistics(self, batches=16, batch_size=64, seed=0):
        """Gives the averaged generator's batch norms the moments that its own samples have.

        Brock et al. 2019, 1809.11096: those of the live generator, gathered in training, are of
        other weights. Done by itself with these defaults, at the end of `fit` and before the
        average is used; the next round of training takes it back. Without an average, or batch
        norm in it, nothing happens, and random states stay as they are.

        Args:
            batches: Batches of samples, over whose moments the mean is taken; the paper's 100.
            batch_size: Samples of a batch.
            seed: Integer seed of their latents.

        Raises:
            ValueError: If an argument is not of this form.
        """
        check_count("batches", batches)
        check_count("batch_size", batch_size)
        seed = seed_of(seed)
        if self.generator_average is None:
            return
        if batch_norms(self.generator_average):
            drawn = (
                self.draw_latents(batch_size, SeededNoise(seed, part)) for part in range(batches)
            )
            measure_moments(self.generator_average, map(self.generator_inputs, drawn))
        self.measured_batches.assign(batches)

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self._average_seen = None  # What it becomes is loaded after this.

    def _begin_average(self):
        """Before the first round: has the average follow what the generator was given since.

        One that was given weights of its own counts as begun, with the moments among them.
        """
        if self.generator_average is None or self._followed():
            return
        average, network = self.generator_average, self.generator
        if self._average_seen not in (None, fingerprint(average, network)):
            self.averaged_rounds.assign(1)
            self.measured_batches.assign(1)
            return
        copy_weights(average, network)
        self._average_seen = fingerprint(average, network)

    def _followed(self):
        return int(engine.value_of(self.averaged_rounds))

    def _count(self, name):
        return self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name=name,
        )
