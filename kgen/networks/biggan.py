"""The residual pair of BigGAN (Brock et al. 2019, arXiv 1809.11096), and SAGAN's, which it is from.

Spectral normalisation in both networks, self-attention at one size, and a generator that is told
the class in every block: figure 15 and appendix B, table 4 there. The generator without shared
embedding and hierarchical latents is that of SAGAN (Zhang et al. 2019, arXiv 1805.08318), whose
discriminator is the same. Weights start orthogonal (Saxe et al. 2014, arXiv 1312.6120).
"""

import math

import keras
from keras import layers, ops

from kgen.core.numbers import plain_arguments
from kgen.layers import (
    BatchNormalization,
    ConditionalBatchNormalization,
    SelfAttention,
    SpectralNormalization,
)
from kgen.networks import conditioning, shapes
from kgen.networks.arguments import check_positive

# The name of the generator's layer, which BigGAN's orthogonal regularisation leaves out.
SHARED_EMBEDDING = "shared_embedding"

# The widest maps, as a multiple of the narrowest ones.
WIDEST = 16


@plain_arguments
def biggan_generator(
    image_shape,
    classes,
    latent_dim=120,
    filters=96,
    attention_size="auto",
    embedding_dim=128,
    hierarchical=True,
    shared_embedding=True,
):
    """Returns the generator: `[latents, labels]` -> images in [-1, 1].

    Latents are `(batch, latent_dim)`, labels one-hot, `(batch, classes)`. Each block doubles height
    and width; its batch norms take scale and offset from a condition, the class.

    Args:
        image_shape: `(height, width, channels)`; height and width divisible by 4.
        classes: How many.
        latent_dim: Size of the latents; 120 in BigGAN's 128 x 128 network, 128 in SAGAN's.
        filters: Maps of the last block; each one before has twice as many, up to 16 times. 96 in
            BigGAN's 128 x 128 network, 64 in SAGAN's.
        attention_size: Height of the maps that self-attention sees, those of a block's output;
            `"auto"` for half that of the image, BigGAN's choice; SAGAN's is a quarter. `None` for
            no attention.
        embedding_dim: Size of the shared embedding.
        hierarchical: Whether the latents are cut into equal chunks, one for the network's base and
            one for the condition of each block. Their number must divide `latent_dim`.
        shared_embedding: Whether all blocks read the class from one embedding; otherwise each batch
            norm has its own scales and offsets for each label.

    Raises:
        ValueError: If an argument is not of this form.
    """
    height, width, channels = shapes.check_image_shape(image_shape, divisor=4)
    check_positive(
        classes=classes, latent_dim=latent_dim, filters=filters, embedding_dim=embedding_dim
    )
    stages = shapes.halvings(height, width)
    widths = list(reversed(_widths(filters, stages)))
    base = (height // 2**stages, width // 2**stages, widths[0])
    sizes = [height // 2**stage for stage in range(stages)]
    attention_size = _attention_size(attention_size, height, sizes)

    latents = keras.Input((latent_dim,), name="latents")
    labels = conditioning.labels_input(classes)
    chunks = _chunks(latents, stages + 1) if hierarchical else [latents]
    told = _embedded(labels, embedding_dim) if shared_embedding else labels

    x = _normalized(layers.Dense(math.prod(base), kernel_initializer=_init()))(chunks[0])
    x = layers.Reshape(base)(x)
    for stage, maps in enumerate(widths):
        condition = layers.Concatenate()([told, chunks[stage + 1]]) if hierarchical else told
        # A label's own scales are parameters, as a plain batch norm's, and no map of a condition.
        x = _up_block(x, maps, condition, spectral=condition is not labels)  # Sizes doubled.
        if x.shape[1] == attention_size:
            x = SelfAttention(spectral=True, kernel_initializer=_init())(x)
    x = layers.ReLU()(BatchNormalization()(x))
    x = _convolution(channels)(x)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model([latents, labels], images, name="generator")


@plain_arguments
def biggan_discriminator(image_shape, classes, filters=96, attention_size="auto"):
    """Returns the discriminator: `[images, labels]` -> logits `(batch, 1)`.

    For `condition="projection"`: images in [-1, 1], labels one-hot, `(batch, classes)`. Each block
    but the last halves height and width; the features are summed over the pixels.

    Args:
        image_shape: `(height, width, channels)`; height and width divisible by 4.
        classes: How many.
        filters: Maps of the first block; each further one has twice as many, up to 16 times. 96 in
            BigGAN's 128 x 128 network, 64 in SAGAN's.
        attention_size: As of `biggan_generator`.

    Raises:
        ValueError: If an argument is not of this form.
    """
    height, width, _ = shapes.check_image_shape(image_shape, divisor=4)
    check_positive(classes=classes, filters=filters)
    stages = shapes.halvings(height, width)
    sizes = [height // 2 ** (stage + 1) for stage in range(stages)]
    attention_size = _attention_size(attention_size, height, sizes)

    images = keras.Input((height, width, image_shape[2]), name="images")
    labels = conditioning.labels_input(classes)
    x = images
    for stage, maps in enumerate(_widths(filters, stages)):
        x = _down_block(x, maps, first=stage == 0)  # Height and width halved.
        if x.shape[1] == attention_size:
            x = SelfAttention(spectral=True, kernel_initializer=_init())(x)
    x = layers.Add()([x, _residual(x, x.shape[-1])])
    features = ops.sum(layers.ReLU()(x), axis=(1, 2))  # (batch, maps)
    logits = conditioning.judged(features, labels, classes, "projection", "spectral", _init)
    return keras.Model([images, labels], logits, name="discriminator")


def _chunks(latents, count):
    size = latents.shape[1]
    if size % count:
        raise ValueError(
            f"`latent_dim` must be divisible by {count}, a chunk for the base and one for each "
            f"block, received {size}."
        )
    return ops.split(latents, count, axis=1)


def _embedded(labels, size):
    # Differs from the authors' later code, which found training steadier without normalising it; at
    # small scale both came out the same.
    settings = {"use_bias": False, "kernel_initializer": _init(), "name": SHARED_EMBEDDING}
    return _normalized(layers.Dense(size, **settings))(labels)


def _widths(filters, stages):
    """Maps of the blocks, from the image inwards."""
    return [filters * min(2**stage, WIDEST) for stage in range(stages)]


def _attention_size(size, height, sizes):
    """The height at which attention acts, one of `sizes`, or `None`; `height` is the image's."""
    size = height // 2 if size == "auto" else size
    if size is not None and size not in sizes:
        raise ValueError(
            f'`attention_size` must be "auto", None or the height of some maps, one of {sizes}, '
            f"received {size!r}."
        )
    return size


def _up_block(x, filters, condition, spectral):
    def norm(x):
        return layers.ReLU()(ConditionalBatchNormalization(spectral=spectral)([x, condition]))

    y = _convolution(filters)(layers.UpSampling2D()(norm(x)))
    y = _convolution(filters)(norm(y))
    # A pointwise convolution gives the same before the repetition of pixels, at a quarter the cost.
    return layers.Add()([y, layers.UpSampling2D()(_convolution(filters, 1)(x))])


def _down_block(x, filters, first):
    y = layers.AveragePooling2D(2)(_residual(x, filters, first))
    # As with the repetition: the same after the pooling, at a quarter the cost.
    return layers.Add()([y, _convolution(filters, 1)(layers.AveragePooling2D(2)(x))])


def _residual(x, filters, first=False):
    y = x if first else layers.ReLU()(x)  # The first reads the image itself.
    y = _convolution(filters)(y)
    return _convolution(filters)(layers.ReLU()(y))


def _convolution(filters, size=3):
    return _normalized(layers.Conv2D(filters, size, padding="same", kernel_initializer=_init()))


def _normalized(layer):
    return SpectralNormalization(layer)


def _init():
    return keras.initializers.Orthogonal()
