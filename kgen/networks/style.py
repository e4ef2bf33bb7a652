"""StyleGAN's generator: a mapping of latents to styles, and a synthesis that they control.

Karras, Laine and Aila 2019, arXiv 1812.04948; styles as convolutions' weights: Karras et al. 2020,
arXiv 1912.04958.
"""

import keras
from keras import layers, ops

from kgen.core.numbers import plain_arguments
from kgen.layers import (
    AdaptiveInstanceNormalization,
    BlurUpsampling2D,
    EqualizedConv2D,
    EqualizedDense,
    LearnedConstant,
    ModulatedConv2D,
    NoiseInjection,
    PixelNormalization,
    ToRGB,
)
from kgen.networks import conditioning
from kgen.networks.arguments import check_choice, check_positive
from kgen.networks.growing import GrowingNetwork, stage_filters

LAYERS_PER_STAGE = 2


@plain_arguments
def mapping_network(
    latent_dim=512, style_dim=512, depth=8, learning_rate_multiplier=0.01, classes=None
):
    """Returns the mapping: latents z `(batch, latent_dim)` -> styles w `(batch, style_dim)`.

    Karras et al. 2019, section 2 and appendix C, arXiv 1812.04948. Latents are put on a sphere.
    With `classes` it takes `[latents, labels]`, labels being one-hot: their embedding is
    concatenated to the latents.

    Args:
        latent_dim: Size of the latents.
        style_dim: Size of the styles.
        depth: Dense layers; 8 in the paper. 0 gives the latents themselves, w = z.
        learning_rate_multiplier: Of all its layers; 0.01 in the paper.
        classes: How many; `None` for none.

    Raises:
        ValueError: If an argument is not of this form.
    """
    check_positive(latent_dim=latent_dim, style_dim=style_dim)
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 0:
        raise ValueError(f"`depth` must be an integer of at least 0, received {depth!r}.")
    if depth == 0 and (latent_dim != style_dim or classes is not None):
        raise ValueError(
            "`depth` must be positive for labels or where `style_dim` is not `latent_dim`, "
            f"received 0 with latent_dim={latent_dim}, style_dim={style_dim}, classes={classes}."
        )
    latents = keras.Input((latent_dim,), name="latents")
    labels = conditioning.labels_input(classes)
    x = latents
    if labels is not None:
        # Of a one-hot label: the gain makes embeddings as large as latents.
        embedding = EqualizedDense(latent_dim, use_bias=False, gain=classes**0.5)(labels)
        x = layers.Concatenate()([x, embedding])
    x = PixelNormalization()(x)
    for _ in range(depth):
        x = EqualizedDense(
            style_dim,
            activation="leaky_relu",
            learning_rate_multiplier=learning_rate_multiplier,
        )(x)
    return keras.Model(conditioning.inputs(latents, labels), x, name="mapping")


@keras.saving.register_keras_serializable("kgen")
class StyleGenerator(GrowingNetwork):
    """Latents `(batch, latent_dim)` -> images of the present stage's size, through styles.

    The synthesis starts from a learned constant. Each stage has two layers, and each layer adds
    noise that it scales for every channel and takes a style of its own; `map` gives the styles of
    latents, the same for all layers, and `synthesise` the images of styles `(batch, layers,
    style_dim)`.

    Args:
        image_shape: `(height, width, channels)` of the last stage; height and width divisible by 4.
        latent_dim, style_dim: Sizes of the latents and of the styles; 512 in the paper.
        filters, max_filters: As of `ProgressiveGenerator`.
        mapping_depth: Dense layers of the mapping; 8 in the paper, 0 for none.
        mapping_multiplier: Factor of their learning rate; 0.01 in the paper.
        noise: Whether layers add noise.
        modulation: How a style acts: `"normalization"`, by adaptive instance norm after a
            convolution (2019), or `"weights"`, by scaling the convolution's weights (2020).
        output_activation: Of the images' pixels: `"linear"`, the paper's, by which images are not
            bounded, or `"tanh"`. Maps that are normalised image by image have no level that stays
            the same while what they show changes: a uniform background, such as that of digits, is
            learned where pixels saturate.
        classes: How many; then it takes `[latents, labels]`, labels being one-hot. `None` for none.
        **kwargs: `name` and `dtype`, as for any `keras.Model`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    def __init__(
        self,
        image_shape,
        latent_dim=512,
        style_dim=512,
        filters="auto",
        max_filters=512,
        mapping_depth=8,
        mapping_multiplier=0.01,
        noise=True,
        modulation="normalization",
        output_activation="linear",
        classes=None,
        **kwargs,
    ):
        check_choice(("normalization", "weights"), modulation=modulation)
        check_choice(("linear", "tanh"), output_activation=output_activation)
        check_choice((True, False), noise=noise)
        self.latent_dim = latent_dim
        self.style_dim = style_dim
        self.filters = filters
        self.max_filters = max_filters
        self.mapping_depth = mapping_depth
        self.mapping_multiplier = mapping_multiplier
        self.noise = noise
        self.modulation = modulation
        self.output_activation = output_activation
        self.classes = classes
        super().__init__(image_shape, **kwargs)

    def make_layers(self):
        self.mapping = mapping_network(
            self.latent_dim,
            self.style_dim,
            self.mapping_depth,
            self.mapping_multiplier,
            self.classes,
        )
        maps = stage_filters(self.filters, self.max_filters, self.sizes)
        self.blocks, self.to_rgb = [], []
        for stage, (size, count) in enumerate(zip(self.sizes, maps, strict=True)):
            before = (*self.sizes[stage - 1], maps[stage - 1]) if stage else None
            self.blocks.append(self._block(f"block_{stage}", size, before, count))
            self.to_rgb.append(ToRGB(self.image_shape[-1], activation=self.output_activation))
            self.to_rgb[-1].build((None, *size, count))
        self.mean_style = self.add_weight(
            shape=(self.style_dim,),
            initializer="zeros",
            trainable=False,
            aggregation="mean",
            name="mean_style",
        )
        self.fixed_noise = [
            self.add_weight(
                shape=shape,
                initializer=keras.initializers.RandomNormal(stddev=1.0),
                trainable=False,
                name=f"fixed_noise_{number}",
            )
            for number, shape in enumerate(self.noise_shapes(1))
        ]

    def call(self, inputs, training=None):
        return self.synthesise(self.broadcast(self.map(inputs)))

    def map(self, inputs):
        """Returns the styles of latents, or of `[latents, labels]`: w `(batch, style_dim)`."""
        return self.mapping(inputs)

    def broadcast(self, styles):
        """Gives each layer the same style: `(batch, style_dim)` -> `(batch, layers, style_dim)`."""
        return ops.repeat(styles[:, None], self.layer_count, axis=1)

    def synthesise(self, styles, noises=None):
        """Returns the images of styles, float32 of the present stage's size.

        Args:
            styles: `(batch, layers, style_dim)`, one a layer.
            noises: List of as many tensors as `noise_shapes` has, of those shapes; `None` for those
                that the network keeps, the same for all images.
        """
        styles = ops.convert_to_tensor(styles)
        noises = [
            ops.convert_to_tensor(n) for n in (self.fixed_noise if noises is None else noises)
        ]
        stage, x = self.stage, None
        for number, block in enumerate(self.blocks[: stage + 1]):
            own = slice(LAYERS_PER_STAGE * number, LAYERS_PER_STAGE * (number + 1))
            before, x = x, block([*([] if x is None else [x]), styles[:, own], *noises[own]])
        images = self.to_rgb[stage](x)
        if self.fading:
            images = self.fade([self.to_rgb[stage - 1](before), images])
        return ops.cast(images, "float32")

    def truncated(self, styles, psi, cutoff=None):
        """Returns styles moved towards the mean style: mean + psi * (w - mean).

        Karras et al. 2019, appendix B.

        Args:
            styles: `(batch, layers, style_dim)`.
            psi: Number or scalar tensor: 1 leaves styles alone, 0 gives the mean.
            cutoff: How many layers, the coarsest first, it is applied to; `None` for all.
        """
        moved = self.mean_style + psi * (styles - self.mean_style)
        cutoff = self.layer_count if cutoff is None else cutoff
        return ops.where(ops.arange(self.layer_count)[:, None] < cutoff, moved, styles)

    def noise_shapes(self, batch):
        """Shapes of the noises that the layers add, `(batch, height, width, 1)`; none without."""
        if not self.noise:
            return []
        return [(batch, *size, 1) for size in self.sizes for _ in range(LAYERS_PER_STAGE)]

    @property
    def layer_count(self):
        """How many layers take a style, at the last stage."""
        return LAYERS_PER_STAGE * len(self.sizes)

    @property
    def inputs(self):
        return self.mapping.inputs

    @property
    def outputs(self):
        return [keras.KerasTensor((None, *self.image_shape), name="images")]

    def active_layers(self):
        return [self.mapping, *self.blocks[: self.stage + 1], *self.rgb_in_use(self.to_rgb)]

    def compute_output_shape(self, input_shape):
        images = input_shape if self.classes is None else input_shape[0]
        return (images[0], *self.sizes[self.stage], self.image_shape[-1])

    def _block(self, name, size, before, maps):
        """The two layers of a stage: [maps of the stage before, styles, noises] -> maps."""
        styles = keras.Input((LAYERS_PER_STAGE, self.style_dim), name="styles")
        noises = [keras.Input((*size, 1)) for _ in range(LAYERS_PER_STAGE if self.noise else 0)]
        if before is None:
            start = "ones"
            if self.modulation == "weights":
                start = keras.initializers.RandomNormal(stddev=1.0)
            inputs, x = [], LearnedConstant([*size, maps], start)(styles)
            if self.modulation == "weights":
                # Differs from the paper, where the first stage has one convolution and one style,
                # and images are sums over the stages.
                x = self._convolution(maps, x, styles[:, 0])
        else:
            inputs = [keras.Input(before, name="maps")]
            # Before the convolution and not after it, which is the same but at the borders.
            x = self._convolution(maps, BlurUpsampling2D()(inputs[0]), styles[:, 0])
        x = self._finished(x, styles[:, 0], noises[:1])
        x = self._convolution(maps, x, styles[:, 1])
        x = self._finished(x, styles[:, 1], noises[1:])
        return keras.Model([*inputs, styles, *noises], x, name=name)

    def _convolution(self, maps, x, style):
        if self.modulation == "weights":
            return ModulatedConv2D(maps, 3)([x, style])
        return EqualizedConv2D(maps, 3)(x)

    def _finished(self, x, style, noises):
        for noise in noises:
            x = NoiseInjection()([x, noise])
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        if self.modulation == "weights":
            return layers.Rescaling(2.0**0.5)(x)  # The activation's gain, which demodulation lacks.
        return AdaptiveInstanceNormalization()([x, style])
