"""The receptive field against the support of an output's gradient, and against the papers'."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kgen.layers
from kgen import networks
from kgen.networks import receptive_field
from kgen.networks.layer_geometry import interval_before


def support(network, outputs=1, draws=1):
    """The largest height and width of the pixels that an output has a gradient at.

    Of the `outputs` x `outputs` in the middle. Weights and images are positive, so that no paths
    cancel; with maxima it takes several `draws` of images to see all paths.
    """
    generator = np.random.default_rng(0)
    for variable in network.trainable_variables:
        if variable.name in ("kernel", "depthwise_kernel", "pointwise_kernel"):
            values = generator.uniform(0.5, 1.5, variable.shape)
            variable.assign(values / values[..., 0].size)
    size = network.output_shape[1:3]
    first = [max(0, (length - outputs) // 2) for length in size]
    ranges = [range(f, min(f + outputs, length)) for f, length in zip(first, size, strict=True)]
    places = list(itertools.product(*ranges))
    chosen = np.zeros((len(places), *size, 1), "float32")  # An output each.
    for one, (row, column) in zip(chosen, places, strict=True):
        one[row, column] = 1.0
    images = [
        tf.constant(
            generator.uniform(0.5, 1.5, (draws, *one.shape[1:])).repeat(len(places), axis=0),
            "float32",
        )
        for one in network.inputs
    ]
    with tf.GradientTape() as tape:
        tape.watch(images)
        maps = network(images if len(images) > 1 else images[0], training=False)
        value = tf.reduce_sum(maps * np.tile(chosen, (draws, 1, 1, 1)))
    sees = np.array([g.numpy().any(-1) for g in tape.gradient(value, images)])
    sees = sees.reshape(len(images), draws, len(places), *sees.shape[2:]).any(axis=1)
    largest = np.zeros(2, int)
    for one in np.reshape(sees, (-1, *sees.shape[2:])):
        if one.any():
            places = np.argwhere(one)
            largest = np.maximum(largest, places.max(0) - places.min(0) + 1)
    return tuple(largest.tolist())


# ---------------------------------------------------------------- patches


@pytest.mark.parametrize("patch", [1, 7, 16, 34, 70, 142, "image"])
def test_patches_are_what_they_are_called(patch):
    shape = (3 * patch, 2 * patch, 1) if isinstance(patch, int) else (44, 36, 1)
    shape = (max(shape[0], 4), max(shape[1], 4), 1)
    network = networks.patchgan_discriminator(shape, shape, patch, 1, normalization=None)
    expected = (patch, patch) if patch != "image" else shape[:2]
    assert receptive_field(network) == expected == support(network)


@pytest.mark.parametrize("normalization", ["instance", "batch", "layer", "spectral"])
def test_norms_are_left_out_of_account(normalization):
    network = networks.patchgan_discriminator(
        (32, 32, 1), receptive_field=34, filters=1, normalization=normalization
    )
    assert receptive_field(network) == (34, 34)  # Although the image is smaller.


# ---------------------------------------------------------------- generators


def test_generators():
    unet = networks.unet((48, 48, 1), depth=2, filters=1, normalization=None)
    odd = networks.unet((47, 45, 1), depth=2, filters=1, normalization=None)
    # Up: 2 pixels of the half size, which see 3 of the innermost; down: 4 x 3 - 2, 2 x 10 + 2.
    assert receptive_field(unet) == receptive_field(odd) == support(unet, 4) == support(odd, 4)
    small = networks.sr_resnet((32, 32, 1), factor=4, blocks=1, filters=4, normalization=None)
    assert receptive_field(small) == support(small, 4)
    unknown = networks.sr_resnet((None, None, 1), factor=4, blocks=1, filters=4)
    assert receptive_field(unknown) == receptive_field(small)


def test_the_published_translator():
    network = networks.resnet_translator((72, 72, 1), blocks=2, filters=1)
    plain = _without_norms(network)
    assert receptive_field(network) == receptive_field(plain) == support(plain, 4)
    assert receptive_field(networks.resnet_translator((8, 8, 1), filters=1)) == (169, 169)


def _without_norms(network):
    def clone(layer):
        if isinstance(layer, kgen.layers.InstanceNormalization):
            return layers.Identity()
        return layer.__class__.from_config(layer.get_config())

    return keras.models.clone_model(network, clone_function=clone)


# ---------------------------------------------------------------- networks of users


def dilated(x):
    return layers.Conv2D(1, 3, dilation_rate=(3, 2), padding="same")(layers.Conv2D(2, (3, 5))(x))


def pooled(x):
    x = layers.MaxPooling2D(2)(layers.Conv2D(2, 3, padding="same")(x))
    return layers.AveragePooling2D(3, strides=2, padding="same")(layers.Conv2D(1, (1, 2))(x))


def unequal_paths(x):
    y = layers.Conv2D(2, 5, strides=2, padding="same")(x)
    z = layers.Conv2D(2, 3, strides=2, padding="same")(layers.ZeroPadding2D(((6, 0), (0, 0)))(x))
    return layers.Add()([y, layers.Cropping2D(((3, 0), (0, 0)))(z)])


def shifted_paths(x):
    """Either sees 3 pixels, but they lie 8 pixels apart."""
    y = layers.Cropping2D(((8, 0), (0, 0)))(layers.Conv2D(2, 3, padding="same")(x))
    z = layers.Cropping2D(((0, 8), (0, 0)))(layers.Conv2D(2, 3, padding="same")(x))
    return layers.Concatenate()([y, z])


def moved(x, pixels):
    """Each pixel sees the one that lies so many rows and columns after it."""
    x = layers.Cropping2D(((pixels, 0), (pixels, 0)))(x)
    return layers.ZeroPadding2D(((0, pixels), (0, pixels)))(x)


def uneven_padding(x):
    """Padding "same" of an even kernel is one less before than after."""
    y = layers.Conv2D(1, 2, padding="same")(x)  # Sees pixels 0 and 1.
    return layers.Add()([y, moved(x, 1)])


def uneven_transposed(x):
    y = layers.Conv2DTranspose(1, 3, strides=2, padding="same")(layers.AveragePooling2D(2)(x))
    return layers.Add()([y, moved(x, 3)])  # From -2 to 1, and 3, of even pixels.


def transposed(x):
    x = layers.Conv2D(2, 3, strides=3, padding="valid")(x)
    x = layers.Conv2DTranspose(2, (5, 4), strides=(3, 2), padding="valid")(x)
    return layers.Conv2DTranspose(1, 2, strides=3, padding="same")(x)


def upsampled(x):
    x = layers.UpSampling2D((2, 3))(layers.Conv2D(4, 3)(x))
    return layers.Conv2D(1, 3)(kgen.layers.PixelShuffle(2)(x))


def cubic(x):
    x = kgen.layers.BicubicUpsampling2D(3)(layers.Conv2D(1, 3, strides=2)(x))
    return layers.AveragePooling2D(2)(layers.UpSampling2D((1, 2))(x))


def separable(x):
    x = layers.PReLU()(layers.SeparableConv2D(3, (3, 1), strides=2, padding="same")(x))
    x = kgen.layers.ReflectionPadding2D(2)(layers.DepthwiseConv2D(3)(x))
    return layers.Dense(1)(kgen.layers.EqualizedConv2D(2, (2, 3), strides=2)(x))


def nested(x):
    inner = keras.Sequential(
        [keras.Input((None, None, 1)), layers.Conv2D(1, 3, padding="same"), layers.ReLU()]
    )
    images = keras.Input((None, None, 1))
    outer = keras.Model(images, layers.Add()([inner(inner(images)), images]))
    return kgen.layers.SpectralNormalization(layers.Conv2D(1, 2))(outer(layers.Rescaling(2.0)(x)))


def nested_upsampling(x):
    images = keras.Input((None, None, 1))
    inner = keras.Model(images, layers.Conv2DTranspose(1, 4, strides=2, padding="same")(images))
    return layers.Conv2D(1, 3, padding="same")(inner(inner(x)))


def gated(x):
    """A squeeze and excitation sees everything."""
    gate = layers.Dense(2, "sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return layers.Multiply()([layers.Conv2D(2, 3, padding="same")(x), gate])


def judged(x):
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, padding="same")(x))
    return layers.Reshape((1, 1, 1))(layers.Dense(1)(x))


@pytest.mark.parametrize(
    "build, size, outputs, draws",
    [
        (dilated, (9, 9), 1, 1),  # 3 + 2 x 3 rows, 5 + 2 x 2 columns.
        (pooled, (8, 10), 1, 20),
        (unequal_paths, (5, 5), 1, 1),
        (shifted_paths, (11, 3), 1, 1),
        (uneven_padding, (2, 2), 1, 1),
        (uneven_transposed, (6, 6), 2, 1),
        (transposed, None, 9, 1),
        (upsampled, None, 12, 1),
        (cubic, None, 3, 1),
        (separable, None, 1, 1),
        (nested, (6, 6), 1, 1),  # 3 + 2, and one more.
        (nested_upsampling, None, 4, 1),
        (gated, (48, 42), 1, 1),
        (judged, (48, 42), 1, 1),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_networks_of_users(build, size, outputs, draws):
    images = keras.Input((20, 18, 1) if build is upsampled else (48, 42, 1))
    network = keras.Model(images, build(images))
    found = receptive_field(network)
    assert size is None or found == size
    assert found == support(network, outputs, draws)


def test_a_pixel_that_is_broadcast_is_seen_from_afar():
    images = keras.Input((20, 14, 1))
    first = layers.Cropping2D(((0, 19), (0, 13)))(images)
    network = keras.Model(images, layers.Multiply()([images, first]))
    assert receptive_field(network) == (20, 14) == support(network, 20)


def test_parallel_inputs():
    """The largest counts, and what is no image does not."""
    near, far = keras.Input((24, 24, 1)), keras.Input((24, 24, 2))
    labels = keras.Input((3,))
    maps = layers.UpSampling2D(24)(layers.Reshape((1, 1, 3))(layers.Dense(3)(labels)))
    x = layers.Concatenate()([near, layers.Conv2D(2, (7, 5), padding="same")(far), maps])
    network = keras.Model([near, far, labels], layers.Conv2D(1, 3, padding="same")(x))
    assert receptive_field(network) == (9, 7)


def test_sequential_and_several_outputs():
    network = keras.Sequential([keras.Input((20, 20, 1)), layers.Conv2D(1, 3), layers.Conv2D(1, 3)])
    assert receptive_field(network) == (5, 5)
    images = keras.Input((20, 20, 1))
    outputs = [layers.Conv2D(1, (3, 5))(images), layers.Conv2D(1, (4, 2))(images), images]
    assert receptive_field(keras.Model(images, outputs)) == (4, 5)
    assert receptive_field(networks.dcgan_discriminator((16, 12, 1), 1)) == (16, 12)


def test_gaps_of_a_transposed_convolution():
    """Where the kernel is smaller than the stride, some outputs see nothing."""
    layer = layers.Conv2DTranspose(1, 1, strides=2)
    seen = [interval_before(layer, 0, (one, one), 4, 8) for one in range(4)]
    assert seen == [(0, 0), None, (1, 1), None]


# ---------------------------------------------------------------- refusals


@keras.saving.register_keras_serializable("test_receptive_field")
class Blur(layers.Layer):
    def call(self, inputs):
        return inputs


def test_unknown_layers_are_named():
    images = keras.Input((8, 8, 2))
    inner = keras.Sequential([keras.Input((8, 8, 2)), Blur(name="inner_blur")])
    x = Blur(name="my_blur")(inner(images)) + 1.0
    x = layers.UpSampling2D(2, interpolation="bilinear", name="smooth")(x)
    x = layers.Concatenate(axis=1, name="below")([x, x])
    with pytest.raises(ValueError) as error:
        receptive_field(keras.Model(images, x, name="mine"))
    message = str(error.value)
    assert "`network`" in message and "'mine'" in message
    for part in ("'inner_blur' (Blur)", "'my_blur' (Blur)", "(Add)", "'smooth'", "'below'"):
        assert part in message
    # Behind an image it does not matter what a layer does.
    network = keras.Model(images, Blur()(layers.Flatten()(images)))
    assert receptive_field(network) == (8, 8)


def test_what_is_no_network_of_images():
    with pytest.raises(ValueError, match="`network` must have an input.*None, 4"):
        receptive_field(networks.dcgan_generator((8, 8, 1), 4, 1))
    for what in (layers.Conv2D(1, 3), keras.Sequential([layers.Conv2D(1, 3)]), "unet"):
        with pytest.raises(ValueError, match="`network` must be a functional or a built"):
            receptive_field(what)
    images = keras.Input((None, 8, 1))
    network = keras.Model(images, layers.GlobalAveragePooling2D()(images))
    with pytest.raises(ValueError, match="must then be known"):
        receptive_field(network)
