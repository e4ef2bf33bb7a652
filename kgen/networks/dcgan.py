"""The deep convolutional pair (Radford et al. 2016, arXiv 1511.06434) and its five guidelines.

1. Strided convolutions instead of pooling, transposed ones in the generator. 2. Batch norm in both,
but not at the generator's output nor at the discriminator's input. 3. No hidden dense layers.
4. ReLU in the generator, tanh at its output. 5. Leaky ReLU, slope 0.2, in the discriminator.
Weights start from N(0, 0.02^2).
"""

import keras
from keras import layers

from kgen.core.numbers import plain_arguments
from kgen.layers import ThinConv2D, ThinConv2DTranspose
from kgen.networks import conditioning, shapes
from kgen.networks.arguments import check_positive
from kgen.networks.normalization import normalized


@plain_arguments
def dcgan_generator(
    image_shape, latent_dim=100, filters=64, kernel_size=4, classes=None, normalization="batch"
):
    """Returns the generator: latents `(batch, latent_dim)` -> images in [-1, 1].

    With `classes` it takes `[latents, labels]`, labels being one-hot, `(batch, classes)`.

    Args:
        image_shape: `(height, width, channels)`; height and width divisible by 4.
        latent_dim: Size of the latents; 100 in the paper.
        filters: Maps before the output; each stage further from it has twice as many. The paper's
            64 x 64 network has 128, and thus 1024 at 4 x 4.
        kernel_size: Side of the kernels in pixels; 5 in the paper. One divisible by the stride of
            2 covers every pixel equally often, and leaves no checkerboard.
        classes: How many, for a conditional generator; `None` for none.
        normalization: `"batch"`, which concatenates labels to the latents (Mirza and Osindero
            2014, arXiv 1411.1784), or `"conditional_batch"`: batch norm with a scale and an offset
            of each class.

    Raises:
        ValueError: If an argument is not of this form.
    """
    conditioning.check_generator_norm(normalization, classes)
    height, width, channels = shapes.check_image_shape(image_shape, divisor=4)
    stages = shapes.halvings(height, width)
    widths = [filters * 2**stage for stage in reversed(range(stages))]
    base = (height // 2**stages, width // 2**stages, widths[0])

    latents = keras.Input((latent_dim,), name="latents")
    labels = conditioning.labels_input(classes)
    norm = conditioning.generator_norm(normalization, labels)
    x = latents if normalization != "batch" else conditioning.with_labels(latents, labels)
    # The latents' projection, a matrix product: the one dense layer the guidelines allow.
    x = layers.Dense(base[0] * base[1] * base[2], use_bias=False, kernel_initializer=_init())(x)
    x = layers.ReLU()(norm(layers.Reshape(base)(x)))
    for maps in widths[1:]:
        x = _up(maps, kernel_size, use_bias=False)(x)  # Height and width doubled.
        x = layers.ReLU()(norm(x))
    x = _up(channels, kernel_size, make=ThinConv2DTranspose)(x)  # (batch, height, width, channels)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(conditioning.inputs(latents, labels), images, name="generator")


@plain_arguments
def dcgan_discriminator(
    image_shape,
    filters=64,
    kernel_size=4,
    normalization="batch",
    classes=None,
    condition=None,
    auxiliary_units=None,
):
    """Returns the discriminator: images in [-1, 1] -> logits `(batch, 1)`.

    With `condition` it is for `GAN(condition=...)` of the same name and knows of labels.

    Args:
        image_shape: `(height, width, channels)`; height and width divisible by 4.
        filters: Maps of the first convolution; each further one has twice as many. 128 in the
            paper's 64 x 64 network.
        kernel_size: Side of the kernels in pixels; 5 in the paper.
        normalization: `"batch"` as in the paper; `"layer"` or `None` under a gradient penalty,
            which batch norm does not allow; `"spectral"` for spectral normalisation of every layer.
        classes: How many, for a conditional discriminator.
        condition: `None`; `"concatenation"` or `"projection"`, which take `[images, labels]`,
            labels being one-hot; or `"auxiliary"`, which takes images and returns `[logits, class
            logits]`, or for `InfoGAN` `[logits, codes]`, `classes` being the codes' numbers. See
            `kgen.networks.conditioning`.
        auxiliary_units: Units of a hidden layer of the second output's own, normalised as the
            others; 128 in InfoGAN, whose Q it is. `None`, as in AC-GAN, for none.

    Raises:
        ValueError: If an argument is not of this form.
    """
    height, width, _ = shapes.check_image_shape(image_shape, divisor=4)
    if auxiliary_units is not None:
        check_positive(auxiliary_units=auxiliary_units)
        if condition != "auxiliary":
            raise ValueError(
                '`auxiliary_units` are of the second output that condition="auxiliary" asks for, '
                f"received {auxiliary_units} with condition={condition!r}."
            )
    images = keras.Input(image_shape, name="images")
    labels = conditioning.discriminator_labels(condition, classes)
    x = conditioning.with_label_maps(images, labels) if condition == "concatenation" else images
    for stage in range(shapes.halvings(height, width)):
        thin = stage == 0 and condition != "concatenation"
        make = ThinConv2D if thin else layers.Conv2D
        convolution = make(
            filters * 2**stage, kernel_size, strides=2, padding="same", kernel_initializer=_init()
        )
        # Height and width halved; no norm at the input.
        x = normalized(convolution, normalization, first=stage == 0)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    outputs = conditioning.judged(
        layers.Flatten()(x), labels, classes, condition, normalization, _init, auxiliary_units
    )
    return keras.Model(conditioning.inputs(images, labels), outputs, name="discriminator")


def _up(maps, kernel_size, use_bias=True, make=layers.Conv2DTranspose):
    return make(
        maps,
        kernel_size,
        strides=2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=_init(),
    )


def _init():
    return keras.initializers.RandomNormal(stddev=0.02)
