"""The growing pair: what a fade starts and ends with, shapes, and what is refused."""

import math

import keras
import numpy as np
import pytest

from kgen.layers import MinibatchStandardDeviation
from kgen.networks import ProgressiveDiscriminator, ProgressiveGenerator, StyleGenerator
from kgen.networks.growing import stage_filters

LATENTS = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")


def pair(shape=(16, 16, 2)):
    keras.utils.set_random_seed(0)
    arguments = {"filters": 2, "max_filters": 8}
    return ProgressiveGenerator(shape, 5, **arguments), ProgressiveDiscriminator(shape, **arguments)


def images_of(size):
    return np.random.default_rng(1).normal(size=(4, size, size, 2)).astype("float32")


def averaged(images):
    count, height, width, channels = images.shape
    return images.reshape(count, height // 2, 2, width // 2, 2, channels).mean((2, 4))


@pytest.mark.parametrize(
    "shape, sizes",
    [
        pytest.param((16, 16, 2), [(4, 4), (8, 8), (16, 16)], marks=pytest.mark.slow),
        ((28, 28, 2), [(7, 7), (14, 14), (28, 28)]),
        ((8, 16, 2), [(2, 4), (4, 8), (8, 16)]),
        ((64, 64, 2), [(4, 4), (8, 8), (16, 16), (32, 32), (64, 64)]),
    ],
)
def test_every_stage_has_its_size(shape, sizes):
    generator, discriminator = pair(shape)
    assert generator.sizes == discriminator.sizes == sizes
    assert generator.structure == (len(sizes) - 1, False)
    for stage, size in enumerate(sizes):
        generator.grow_to(stage)
        discriminator.grow_to(stage)
        images = generator(LATENTS)
        assert images.shape == (4, *size, 2)
        assert generator.compute_output_shape((4, 5)) == images.shape
        assert discriminator(images).shape == (4, 1)


def test_a_fade_starts_with_the_smaller_network_and_ends_with_the_larger():
    generator, discriminator = pair()
    small, large = images_of(8), images_of(16)
    outputs = {}
    for stage, alpha in ((1, 1.0), (2, 0.0), (2, 0.25), (2, 1.0)):
        for network in (generator, discriminator):
            network.grow_to(stage, alpha)
        outputs[stage, alpha] = (
            generator(LATENTS).numpy(),
            discriminator(averaged(large) if stage == 1 else large).numpy(),
        )
    np.testing.assert_array_equal(outputs[2, 0.0][0], outputs[1, 1.0][0].repeat(2, 1).repeat(2, 2))
    np.testing.assert_allclose(outputs[2, 0.0][1], outputs[1, 1.0][1], rtol=1e-5)
    blend = 0.75 * outputs[2, 0.0][0] + 0.25 * outputs[2, 1.0][0]
    np.testing.assert_allclose(outputs[2, 0.25][0], blend, atol=1e-5)
    assert not np.allclose(outputs[2, 0.25][1], outputs[2, 1.0][1])
    assert small.shape == averaged(large).shape


def test_variables_in_use():
    generator, discriminator = pair()
    for network, images in ((generator, LATENTS), (discriminator, images_of(8))):
        network.grow_to(1, 0.5)
        active = {id(v) for v in network.active_variables()}
        # Those that move the outputs, and no others; a constant added to a fake logit is one.
        import tensorflow as tf

        with tf.GradientTape() as tape:
            outputs = network(images)
        gradients = tape.gradient(outputs, [v.value for v in network.trainable_variables])
        moving = {
            id(v)
            for v, gradient in zip(network.trainable_variables, gradients, strict=True)
            if gradient is not None
        }
        assert moving == active
        assert 0 < len(active) < len(network.trainable_variables)


def test_maps_double_towards_the_first_stage():
    _, discriminator = pair((32, 32, 1))
    assert [layer.filters for layer in discriminator.from_rgb] == [8, 8, 4, 2]
    layers = discriminator.blocks[0].layers
    assert sum(isinstance(layer, MinibatchStandardDeviation) for layer in layers) == 1


def test_projection_adds_the_product_of_the_label_and_the_features():
    keras.utils.set_random_seed(0)
    network = ProgressiveDiscriminator((8, 8, 1), filters=2, classes=3)
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype("float32")
    labels = np.eye(3, dtype="float32")
    assert [tuple(x.shape) for x in network.inputs] == [(None, 8, 8, 1), (None, 3)]
    without = network([images, 0 * labels]).numpy()
    difference = network([images, labels]).numpy() - without
    assert np.abs(difference).min() > 1e-5
    np.testing.assert_allclose(
        network([images, 2 * labels]).numpy() - without, 2 * difference, rtol=1e-4, atol=1e-6
    )


def test_a_file_keeps_stage_and_alpha(tmp_path):
    generator, _ = pair()
    generator.grow_to(1, 0.25)
    generator.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    assert loaded.structure == (1, True)
    np.testing.assert_array_equal(loaded(LATENTS), generator(LATENTS))


def test_half_precision_is_kept_in_the_config():
    network = ProgressiveGenerator((8, 8, 1), 3, 2, dtype="mixed_bfloat16")
    again = ProgressiveGenerator.from_config(network.get_config())
    for one in (network, again):
        assert one.blocks[0].layers[1].compute_dtype == "bfloat16"
        assert one(LATENTS[:, :3]).dtype == "float32"


def test_refusals():
    for make in (ProgressiveGenerator, ProgressiveDiscriminator):
        with pytest.raises(ValueError, match=r"`image_shape`.*divisible by 4.*\(9, 8, 1\)"):
            make((9, 8, 1))
        with pytest.raises(ValueError, match="`filters` must be a positive integer, received 0"):
            make((8, 8, 1), filters=0)
    with pytest.raises(ValueError, match="`latent_dim` must be a positive integer, received -1"):
        ProgressiveGenerator((8, 8, 1), latent_dim=-1)
    with pytest.raises(ValueError, match="`classes` must be a positive integer"):
        ProgressiveDiscriminator((8, 8, 1), classes=0)
    generator, _ = pair()
    with pytest.raises(ValueError, match="`stage` must be from 0 to 2, received 3"):
        generator.grow_to(3)
    with pytest.raises(ValueError, match="`alpha` must lie in.*received 0.5 at stage 0"):
        generator.grow_to(0, 0.5)


@pytest.mark.parametrize("size, last", [(1024, 16), (256, 64), (64, 256), (32, 512), (8, 512)])
def test_auto_is_the_authors_number_of_maps(size, last):
    """min(8192 / 2^(log2(size) - 1), 512), in `nf` of their networks.py."""
    sizes = [(2**n, 2**n) for n in range(2, size.bit_length())]
    maps = stage_filters("auto", 512, sizes)
    assert maps[-1] == last and maps[0] == 512 and len(maps) == len(sizes)
    assert stage_filters("auto", 48, sizes)[0] == min(48, 512)


# Maps at 4, 8, ... 1024 pixels: Karras et al. 2018, table 2, which StyleGAN's networks keep.
PUBLISHED = [512, 512, 512, 512, 256, 128, 64, 32, 16]


@pytest.mark.parametrize("make", [ProgressiveGenerator, ProgressiveDiscriminator, StyleGenerator])
@pytest.mark.parametrize(
    "size, most", [(16, 512), (1024, 64), pytest.param(1024, 512, marks=pytest.mark.slow)]
)
def test_networks_have_the_published_maps_at_every_size_by_default(make, size, most):
    """And the whole ones as many weights as published: 23.1 million, of styles 26.2."""
    network = make((size, size, 3), **({} if most == 512 else {"max_filters": most}))
    made = hasattr(network, "to_rgb")
    kernels = [layer.kernel.shape for layer in (network.to_rgb if made else network.from_rgb)]
    assert len(kernels) == len(network.sizes) == size.bit_length() - 2
    expected = [min(maps, most) for maps in PUBLISHED[: len(kernels)]]
    assert [kernel[-2 if made else -1] for kernel in kernels] == expected
    if (size, most) == (1024, 512):
        count = sum(math.prod(v.shape) for v in network.trainable_variables) / 1e6
        assert round(count, 1) == (26.2 if make is StyleGenerator else 23.1)
