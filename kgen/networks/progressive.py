"""The growing pair of ProGAN (Karras et al. 2018, arXiv 1710.10196, table 2)."""

import keras
from keras import layers, ops

from kgen.layers import (
    BlurDownsampling2D,
    EqualizedConv2D,
    EqualizedDense,
    FromRGB,
    MinibatchStandardDeviation,
    PixelNormalization,
    ToRGB,
)
from kgen.networks import conditioning
from kgen.networks.arguments import check_positive
from kgen.networks.growing import GrowingNetwork, stage_filters


@keras.saving.register_keras_serializable("kgen")
class ProgressiveGenerator(GrowingNetwork):
    """The generator: latents `(batch, latent_dim)` -> images of the present stage's size.

    The latents are put on a sphere, each block doubles height and width by repetition, convolves
    twice and normalises every pixel's vector; images are linear in the last maps, and so not
    bounded. All weights have an equalised learning rate.

    Example:
        generator = kgen.networks.ProgressiveGenerator((32, 32, 1), latent_dim=64, filters=16)
        generator.grow_to(1, alpha=0.5)
        images = generator(keras.random.normal((2, 64)))  # (2, 8, 8, 1)

    Args:
        image_shape: `(height, width, channels)` of the last stage; height and width divisible by 4.
        latent_dim: Size of the latents; 512 in the paper.
        filters: Maps of the last stage's convolutions, each stage before has twice as many.
            `"auto"` for the authors' rule, by which a size has the same maps in networks of any
            size, min(8192 / 2^(log2(size) - 1), max_filters): 16 at 1024 x 1024 and 512 from 32 x
            32 on downwards, which on a CPU is slow; 16 and 64 do for digits of 32 x 32.
        max_filters: The most maps of any; 512 in the paper.
        **kwargs: `name` and `dtype`, as for any `keras.Model`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    def __init__(self, image_shape, latent_dim=512, filters="auto", max_filters=512, **kwargs):
        check_positive(latent_dim=latent_dim)
        self.latent_dim = latent_dim
        self.filters = filters
        self.max_filters = max_filters
        super().__init__(image_shape, **kwargs)

    def make_layers(self):
        maps = stage_filters(self.filters, self.max_filters, self.sizes)
        base = (*self.sizes[0], maps[0])
        first = [
            keras.Input((self.latent_dim,)),
            PixelNormalization(),
            EqualizedDense(base[0] * base[1] * base[2], activation="leaky_relu"),
            layers.Reshape(base),
            PixelNormalization(),
            *_normalized_convolution(maps[0]),
        ]
        self.blocks = [keras.Sequential(first, name="block_0")]
        for stage, (size, before) in enumerate(zip(self.sizes, maps, strict=True), start=1):
            if stage < len(self.sizes):
                block = [
                    keras.Input((*size, before)),
                    layers.UpSampling2D(),
                    *_normalized_convolution(maps[stage]),
                    *_normalized_convolution(maps[stage]),
                ]
                self.blocks.append(keras.Sequential(block, name=f"block_{stage}"))
        self.to_rgb = [ToRGB(self.image_shape[-1]) for _ in self.sizes]
        for layer, size, count in zip(self.to_rgb, self.sizes, maps, strict=True):
            layer.build((None, *size, count))

    def call(self, latents, training=None):
        stage, x = self.stage, latents
        for block in self.blocks[: stage + 1]:
            before, x = x, block(x)
        images = self.to_rgb[stage](x)
        if self.fading:
            images = self.fade([self.to_rgb[stage - 1](before), images])
        return ops.cast(images, "float32")

    @property
    def inputs(self):
        return [keras.KerasTensor((None, self.latent_dim), name="latents")]

    @property
    def outputs(self):
        return [keras.KerasTensor((None, *self.image_shape), name="images")]

    def active_layers(self):
        return [*self.blocks[: self.stage + 1], *self.rgb_in_use(self.to_rgb)]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.sizes[self.stage], self.image_shape[-1])


@keras.saving.register_keras_serializable("kgen")
class ProgressiveDiscriminator(GrowingNetwork):
    """The discriminator: images of the present stage's size -> logits, float32 `(batch, 1)`.

    Each block convolves twice and halves height and width by averaging; the last one sees the
    standard deviation over the minibatch, too. It is StyleGAN's as well, which blurs before it
    halves. With `classes` it takes `[images, labels]`, labels being one-hot, and adds the product
    of a label's embedding and the features (Miyato and Koyama 2018, arXiv 1802.05637).

    Args:
        image_shape, filters, max_filters: As of `ProgressiveGenerator`.
        classes: How many, for a conditional discriminator; `None` for none.
        blur: Whether to blur before halving, with the kernel [1, 2, 1].
        group_size: Images over which the minibatch's standard deviation is taken; the authors' 4.
        **kwargs: `name` and `dtype`, as for any `keras.Model`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    def __init__(
        self,
        image_shape,
        filters="auto",
        max_filters=512,
        classes=None,
        blur=False,
        group_size=4,
        **kwargs,
    ):
        conditioning.labels_input(classes)  # Checks them.
        self.filters = filters
        self.max_filters = max_filters
        self.classes = classes
        self.blur = blur
        self.group_size = group_size
        super().__init__(image_shape, **kwargs)

    def make_layers(self):
        maps = stage_filters(self.filters, self.max_filters, self.sizes)
        last = [
            keras.Input((*self.sizes[0], maps[0])),
            MinibatchStandardDeviation(self.group_size),
            EqualizedConv2D(maps[0], 3, activation="leaky_relu"),
            layers.Flatten(),
            EqualizedDense(maps[0], activation="leaky_relu"),
        ]
        self.blocks = [keras.Sequential(last, name="block_0")]
        for stage in range(1, len(self.sizes)):
            block = [
                keras.Input((*self.sizes[stage], maps[stage])),
                EqualizedConv2D(maps[stage], 3, activation="leaky_relu"),
                EqualizedConv2D(maps[stage - 1], 3, activation="leaky_relu"),
                # Differs from StyleGAN's, which blurs and halves before it activates.
                BlurDownsampling2D() if self.blur else layers.AveragePooling2D(2),
            ]
            self.blocks.append(keras.Sequential(block, name=f"block_{stage}"))
        self.from_rgb = [FromRGB(count) for count in maps]
        for layer, size in zip(self.from_rgb, self.sizes, strict=True):
            layer.build((None, *size, self.image_shape[-1]))
        self.logit = EqualizedDense(1, gain=1.0)
        self.logit.build((None, maps[0]))
        self.embedding = None
        if self.classes is not None:
            # Of a one-hot label: the gain makes the product of the order of a logit.
            gain = (self.classes / maps[0]) ** 0.5
            self.embedding = EqualizedDense(maps[0], gain=gain, use_bias=False)
            self.embedding.build((None, self.classes))

    def call(self, inputs, training=None):
        images, labels = (inputs, None) if self.classes is None else inputs
        stage = self.stage
        x = self.from_rgb[stage](images)
        if stage:
            x = self.blocks[stage](x)
        if self.fading:
            around = self.from_rgb[stage - 1](
                ops.average_pool(images, 2, data_format="channels_last")
            )
            x = self.fade([around, x])
        for block in reversed(self.blocks[: max(stage, 1)]):
            x = block(x)
        logits = self.logit(x)
        if labels is not None:
            # Differs from StyleGAN's code, which has a logit for each class and takes the label's.
            logits = logits + ops.sum(self.embedding(labels) * x, axis=-1, keepdims=True)
        return ops.cast(logits, "float32")

    @property
    def inputs(self):
        images = keras.KerasTensor((None, *self.image_shape), name="images")
        if self.classes is None:
            return [images]
        return [images, keras.KerasTensor((None, self.classes), name="labels")]

    @property
    def outputs(self):
        return [keras.KerasTensor((None, 1), name="logits")]

    def active_layers(self):
        heads = [self.logit] if self.embedding is None else [self.logit, self.embedding]
        return [*self.rgb_in_use(self.from_rgb), *self.blocks[: self.stage + 1], *heads]

    def compute_output_shape(self, input_shape):
        images = input_shape if self.classes is None else input_shape[0]
        return (images[0], 1)


def _normalized_convolution(maps):
    return EqualizedConv2D(maps, 3, activation="leaky_relu"), PixelNormalization()
