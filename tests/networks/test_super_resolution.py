"""SRResNet and SRGAN's discriminator: their paper's layers and weights, and any size."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kgen.layers
from kgen import networks


def of_type(network, *types):
    return [layer for layer in network.layers if isinstance(layer, types)]


def weights_of(network):
    return sum(int(np.prod(one.shape)) for one in network.trainable_weights)


def test_the_paper_s_generator_and_its_1_5_million_weights():
    network = networks.sr_resnet((None, None, 3), factor=4, normalization="batch")
    convolutions = of_type(network, layers.Conv2D)
    found = [(one.filters, one.kernel_size[0]) for one in convolutions]
    assert found == [(64, 9), *[(64, 3)] * 33, (256, 3), (256, 3), (3, 9)]
    assert {one.strides for one in convolutions} == {(1, 1)}
    kernels = 2 * 81 * 3 * 64 + 9 * (33 * 64 * 64 + 2 * 64 * 256)
    slopes = 64 * (1 + 16 + 2)
    weights = kernels + 33 * 2 * 64 + (64 + 256 + 256 + 3) + slopes
    assert weights_of(network) == weights == 1_548_547
    # A published implementation has 1,549,462: a bias before every norm, and one slope a PReLU.
    assert weights + 33 * 64 - slopes + 19 == 1_549_462

    assert len(of_type(network, layers.Add)) == 16 + 1
    assert len(of_type(network, layers.BatchNormalization)) == 33
    assert [one.factor for one in of_type(network, kgen.layers.PixelShuffle)] == [2, 2]
    slopes = [one.alpha for one in of_type(network, layers.PReLU)]
    assert len(slopes) == 19 and {tuple(one.shape) for one in slopes} == {(1, 1, 64)}
    assert all(np.all(one.numpy() == 0.25) for one in slopes)


def test_without_norm_by_default():
    network = networks.sr_resnet((8, 8, 1), blocks=2, filters=4)
    assert not of_type(network, layers.BatchNormalization)
    assert all(one.use_bias for one in of_type(network, layers.Conv2D))


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_factors_and_any_size(factor):
    network = networks.sr_resnet((None, None, 1), factor, blocks=1, filters=2)
    assert network.output_shape == (None, None, None, 1)
    shuffles = of_type(network, kgen.layers.PixelShuffle)
    assert 2 ** len(shuffles) == factor
    for size in ((5, 7), (8, 4)):
        images = np.random.default_rng(0).uniform(-1, 1, (2, *size, 1)).astype("float32")
        large = network(images, training=True)
        assert large.shape == (2, factor * size[0], factor * size[1], 1)
    fixed = networks.sr_resnet((8, 4, 1), factor, blocks=1, filters=2)
    assert fixed.output_shape == (None, factor * 8, factor * 4, 1)
    fixed.set_weights(network.get_weights())
    np.testing.assert_allclose(fixed(images), network(images), atol=1e-5)


def test_a_part_of_an_image_is_enlarged_as_within_it():
    """Fully convolutional: away from the borders a crop's pixels are the image's."""
    network = networks.sr_resnet((None, None, 1), blocks=1, filters=4, normalization="batch")
    network(np.random.default_rng(1).normal(size=(4, 8, 8, 1)), training=True)
    images = np.random.default_rng(0).uniform(-1, 1, (1, 40, 40, 1)).astype("float32")
    part = network(images[:, 4:36, 4:36], training=False).numpy()
    whole = network(images, training=False).numpy()
    margin = networks.receptive_field(network)[0] // 2
    inside = slice(2 * margin, 64 - 2 * margin)
    found, expected = part[:, inside, inside], whole[:, 8:72, 8:72][:, inside, inside]
    assert found.size > 100
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_linear_output():
    network = networks.sr_resnet((8, 8, 1), blocks=1, filters=2)
    last = of_type(network, layers.Conv2D)[-1]
    last.set_weights([np.zeros(last.kernel.shape), np.array([1.5])])
    np.testing.assert_array_equal(network(np.zeros((1, 8, 8, 1))), np.full((1, 16, 16, 1), 1.5))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("factor", [2, 4])
def test_residual_starts_from_the_enlarged_input(factor, dtype):
    keras.config.set_dtype_policy("float32" if dtype == "float32" else f"mixed_{dtype}")
    network = networks.sr_resnet((None, None, 2), factor, blocks=1, filters=8, residual=True)
    images = np.random.default_rng(0).uniform(-1, 1, (1, 6, 8, 2)).astype("float32")
    enlarged = kgen.layers.BicubicUpsampling2D(factor, dtype="float32")(images).numpy()
    assert network.output_shape == (None, None, None, 2)
    np.testing.assert_array_equal(network(images), enlarged)
    last = of_type(network, layers.Conv2D)[-1]
    offset = np.array([0.5, -0.25])
    last.set_weights([last.kernel.numpy(), offset])
    np.testing.assert_allclose(network(images), enlarged + offset, rtol=1e-5)


def test_the_paper_s_discriminator_and_its_23_6_million_weights(monkeypatch):
    monkeypatch.setattr(
        keras.initializers.GlorotUniform,
        "__call__",
        lambda self, shape, dtype=None: tf.zeros(shape, dtype),
    )
    network = networks.sr_discriminator((96, 96, 3))
    convolutions = of_type(network, layers.Conv2D)
    maps = [64, 64, 128, 128, 256, 256, 512, 512]
    assert [one.filters for one in convolutions] == maps
    assert [one.strides[0] for one in convolutions] == [1, 2] * 4
    assert {one.kernel_size for one in convolutions} == {(3, 3)}
    assert [one.units for one in of_type(network, layers.Dense)] == [1024, 1]
    norms = of_type(network, layers.BatchNormalization)
    assert [one.input.shape[-1] for one in norms] == maps[1:]
    slopes = [one.negative_slope for one in of_type(network, layers.LeakyReLU)]
    assert slopes == [0.2] * 9
    kernels = 9 * sum(i * o for i, o in zip([3, *maps], maps, strict=False))
    dense = 6 * 6 * 512 * 1024 + 1024 + 1024 + 1
    assert weights_of(network) == kernels + 2 * sum(maps[1:]) + 64 + dense == 23_563_649


def test_discriminator_takes_any_size():
    for shape in ((28, 28, 1), (33, 20, 3)):
        network = networks.sr_discriminator(shape, filters=1)
        sides = [-(-side // 16) for side in shape[:2]]
        assert of_type(network, layers.Flatten)[0].input.shape[1:] == (*sides, 8)
        logits = network(np.random.default_rng(0).normal(size=(3, *shape))).numpy()
        assert logits.shape == (3, 1) and np.std(logits) > 0.0


def test_refusals():
    for factor in (1, 3, 6, 2.0, 0, None):
        with pytest.raises(ValueError, match=f"`factor` must be a power of 2.*{factor!r}"):
            networks.sr_resnet((8, 8, 1), factor)
    for shape in ((None, None, None), (None, 8), (0, None, 1), (8, 8.0, 1)):
        with pytest.raises(ValueError, match=r"`image_shape` must be \(height, width, channels\)"):
            networks.sr_resnet(shape)
