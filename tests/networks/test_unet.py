"""The U-Net: its paper's layers and weights, sizes, dropout, and what skips are for."""

import keras
import numpy as np
import pytest
from keras import layers

import kgen.layers
from kgen import networks
from kgen.core import SeededNoise


def images_of(shape, count=2):
    return np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype("float32")


@pytest.fixture
def weights_of_zero(monkeypatch):
    """Large networks without the time that it takes to draw their weights."""
    monkeypatch.setattr(
        keras.initializers.RandomNormal,
        "__call__",
        lambda self, shape, dtype=None: keras.ops.zeros(shape, dtype),
    )


def of_type(network, *types):
    return [layer for layer in network.layers if isinstance(layer, types)]


def sizes_of(network):
    """Height and width after each step down."""
    return [one.output.shape[1:3] for one in of_type(network, layers.LeakyReLU)]


def test_the_paper_s_network_and_its_54_million_weights(weights_of_zero):
    network = networks.unet((256, 256, 3), normalization="batch")
    down, up = of_type(network, layers.Conv2D), of_type(network, layers.Conv2DTranspose)
    assert [one.filters for one in down] == [64, 128, 256, 512, 512, 512, 512, 512]
    assert [one.filters for one in up] == [512, 512, 512, 512, 256, 128, 64, 3]
    for one in down + up:
        assert (one.kernel_size, one.strides, one.padding) == ((4, 4), (2, 2), "same")
    # Maps into each step up: those from below, and those of the encoder at the same size.
    ins = [512, 1024, 1024, 1024, 1024, 512, 256, 128]
    assert [one.input.shape[-1] for one in up] == ins
    assert sizes_of(network) == [(n, n) for n in (128, 64, 32, 16, 8, 4, 2, 1)]
    assert {one.negative_slope for one in of_type(network, layers.LeakyReLU)} == {0.2}
    assert all(one.negative_slope == 0.0 for one in of_type(network, layers.ReLU))
    drops = of_type(network, kgen.layers.Dropout)
    assert [one.output.shape[1:] for one in drops] == [(2, 2, 512), (4, 4, 512), (8, 8, 512)]
    assert {one.rate for one in drops} == {0.5}

    maps_in = [3, 64, 128, 256, 512, 512, 512, 512]
    kernels = sum(16 * i * one.filters for i, one in zip(maps_in + ins, down + up, strict=True))
    assert kernels == 54_404_096
    # A scale and an offset for each map with a norm: all but the first, innermost and last layers,
    # which have a bias.
    norms = 2 * (128 + 256 + 4 * 512 + 4 * 512 + 256 + 128 + 64)
    weights = sum(int(np.prod(one.shape)) for one in network.trainable_weights)
    assert weights == kernels + norms + (64 + 512 + 3) == 54_414_531
    # The published implementations have 54,413,955: no bias in the first and the innermost.
    assert weights - 64 - 512 == 54_413_955


def test_norm_where_the_paper_has_it():
    for normalization, norm in (
        ("instance", kgen.layers.InstanceNormalization),
        ("batch", kgen.layers.BatchNormalization),
    ):
        network = networks.unet((32, 32, 1), filters=2, normalization=normalization)
        followers = [
            type(after)
            for one, after in zip(network.layers, network.layers[1:], strict=False)
            if isinstance(one, (layers.Conv2D, layers.Conv2DTranspose))
        ]
        none, relu = layers.Activation, layers.LeakyReLU
        assert followers == [relu, norm, norm, relu, norm, norm, norm, none]
    network = networks.unet((32, 32, 1), filters=2, normalization=None)
    assert not of_type(network, kgen.layers.InstanceNormalization, layers.BatchNormalization)


def test_sizes():
    halvings = {
        (28, 28, 1): [(14, 14), (7, 7), (4, 4), (2, 2)],
        (64, 32, 3): [(32, 16), (16, 8), (8, 4), (4, 2)],
        (45, 19, 2): [(23, 10), (12, 5), (6, 3), (3, 2)],
        (2, 3, 1): [(1, 2)],
    }
    for shape, expected in halvings.items():
        network = networks.unet(shape, filters=1)
        assert sizes_of(network) == expected
        assert network.output_shape == (None, *shape)
        if shape == (64, 32, 3):  # Even all the way, as those of other tests.
            continue
        outputs = network(images_of(shape), training=True).numpy()
        assert outputs.shape == (2, *shape) and np.all(np.abs(outputs) <= 1.0)
    for side, depth in ((128, 6), (255, 7), (512, 8)):
        assert len(sizes_of(networks.unet((side, side, 1), filters=1))) == depth


def test_depth_and_channels():
    network = networks.unet((32, 16, 4), output_channels=2, depth=3, filters=1)
    assert sizes_of(network) == [(16, 8), (8, 4), (4, 2)]
    assert network.output_shape == (None, 32, 16, 2)
    assert sizes_of(networks.unet((16, 64, 1), depth=4, filters=1))[-1] == (1, 4)
    with pytest.raises(ValueError, match=r"`image_shape`.*larger than 16.*depth=5.*\(16, 64, 1\)"):
        networks.unet((16, 64, 1), depth=5)
    with pytest.raises(ValueError, match=r"`image_shape`.*\(1, 9, 1\)"):
        networks.unet((1, 9, 1))


def test_odd_sizes_are_cropped_at_the_side_that_was_added():
    """Far from the lower right border the outputs are those of a larger image's network."""
    small, large = (
        networks.unet(shape, depth=2, filters=4, normalization=None)
        for shape in ((37, 41, 1), (48, 48, 1))
    )
    small.set_weights(large.get_weights())
    x = images_of((48, 48, 1))
    found, expected = small(x[:, :37, :41]).numpy(), large(x).numpy()
    assert found.shape == (2, 37, 41, 1)
    np.testing.assert_allclose(found[:, :24, :28], expected[:, :24, :28], atol=1e-6)
    assert np.abs(found - expected[:, :37, :41]).max() > 1e-3


def test_dropout_s_noise():
    shape, x = (28, 28, 1), images_of((28, 28, 1))
    network = networks.unet(shape, filters=2)
    assert len(of_type(network, kgen.layers.Dropout)) == 2
    np.testing.assert_array_equal(network(x, training=False), network(x, training=False))
    drawn = []
    for seed in (0, 0, 1):
        with kgen.layers.dropout_from(SeededNoise(seed)):
            drawn.append(network(x, training=False).numpy())
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.any(drawn[0] != drawn[2]) and np.any(drawn[0] != network(x).numpy())
    assert not of_type(networks.unet(shape, filters=2, dropout=0), kgen.layers.Dropout)
    counts = [
        len(of_type(networks.unet((64, 64, 1), depth=depth, filters=1), kgen.layers.Dropout))
        for depth in (1, 3, 4, 6)
    ]
    assert counts == [0, 1, 2, 3]


def test_encoder_decoder_is_the_unet_without_skips():
    """With its innermost layer silenced, the U-Net still sees its input; the other is blind."""
    for make, sees in ((networks.unet, True), (networks.encoder_decoder, False)):
        network = make((32, 32, 1), filters=2)
        assert bool(of_type(network, layers.Concatenate)) == sees
        innermost = of_type(network, layers.Conv2D)[-1]
        innermost.set_weights([np.zeros(weight.shape) for weight in innermost.get_weights()])
        ones, twos = network(images_of((32, 32, 1)), training=False).numpy()
        assert np.any(np.abs(ones - twos) > 1e-6) == sees
    unet = networks.unet((32, 32, 1), filters=2, skip_connections=False)
    found, expected = (
        [type(layer) for layer in one.layers]
        for one in (unet, networks.encoder_decoder((32, 32, 1), filters=2))
    )
    assert found == expected


def test_initial_weights():
    for normalization, deviation in (
        ("batch", lambda fan: 0.02),
        (None, lambda fan: (2 / fan) ** 0.5),
    ):
        network = networks.unet((16, 16, 3), filters=16, normalization=normalization)
        *hidden, last = of_type(network, layers.Conv2D, layers.Conv2DTranspose)
        for one in [*hidden, last]:
            kernel = one.kernel.numpy()
            is_up = isinstance(one, layers.Conv2DTranspose)
            # Keras counts the maps on the third axis as those going in, of either kind of layer.
            expected = 0.02 if one is last else deviation(16 * kernel.shape[2])
            assert np.std(kernel) == pytest.approx(expected, rel=0.1), (is_up, kernel.shape)
