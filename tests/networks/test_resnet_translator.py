"""CycleGAN's generator: its paper's layers and weights, and sizes."""

import numpy as np
import pytest
from keras import layers

import kgen.layers
from kgen import networks


def of_type(network, *types):
    return [layer for layer in network.layers if isinstance(layer, types)]


def test_the_paper_s_network_and_its_11_million_weights():
    network = networks.resnet_translator((256, 256, 3))
    convolutions = of_type(network, layers.Conv2D, layers.Conv2DTranspose)
    found = [
        (type(one).__name__, one.filters, one.kernel_size, one.strides) for one in convolutions
    ]
    c, t = "Conv2D", "Conv2DTranspose"
    assert found == [
        (c, 64, (7, 7), (1, 1)),
        (c, 128, (3, 3), (2, 2)),
        (c, 256, (3, 3), (2, 2)),
        *[(c, 256, (3, 3), (1, 1))] * 18,
        (t, 128, (3, 3), (2, 2)),
        (t, 64, (3, 3), (2, 2)),
        (c, 3, (7, 7), (1, 1)),
    ]
    kernels = 2 * 49 * 3 * 64 + 9 * (2 * 64 * 128 + 2 * 128 * 256 + 18 * 256 * 256)
    assert kernels == 11_372_928
    maps = 64 + 128 + 18 * 256 + 256 + 128 + 64
    weights = sum(int(np.prod(one.shape)) for one in network.trainable_weights)
    assert weights == kernels + 2 * maps + 3 == 11_383_427
    # The published network has 11,378,179: a bias a map, and norms without scale and offset.
    assert weights - maps == 11_378_179

    assert network.layers[-1].output.shape == (None, 256, 256, 3)
    assert of_type(network, layers.Add)[0].output.shape == (None, 64, 64, 256)
    assert len(of_type(network, layers.Add)) == 9
    norms = of_type(network, kgen.layers.InstanceNormalization)
    assert len(norms) == len(convolutions) - 1  # All but the last.
    relus = of_type(network, layers.ReLU)
    assert len(relus) == len(convolutions) - 1 - 9  # All but the last, and one in each block.
    padding = of_type(network, kgen.layers.ReflectionPadding2D)
    assert [one.padding[0][0] for one in padding] == [3, *[1] * 18, 3]
    strided = [one for one in convolutions if one.padding == "same"]
    assert all(one.strides == (2, 2) for one in strided) and len(strided) == 4


def test_sizes_and_arguments():
    cases = [
        ((8, 20, 3), {"output_channels": 1}, (8, 20, 1)),
        ((10, 6, 1), {"downsamplings": 1}, (10, 6, 1)),
        ((5, 4, 2), {"downsamplings": 0}, (5, 4, 2)),
        ((16, 32, 1), {"downsamplings": 3, "output_channels": 2}, (16, 32, 2)),
    ]
    for shape, arguments, expected in cases:
        network = networks.resnet_translator(shape, blocks=1, filters=2, **arguments)
        images = np.random.default_rng(0).uniform(-1, 1, (2, *shape))
        outputs = network(images, training=True).numpy()
        assert outputs.shape == (2, *expected)
        assert np.all(np.abs(outputs) <= 1.0) and np.std(outputs) > 0.0


def test_a_residual_block_can_be_the_identity():
    network = networks.resnet_translator((16, 16, 1), blocks=1, filters=2)
    (add,) = of_type(network, layers.Add)
    last_norm = of_type(network, kgen.layers.InstanceNormalization)[4]
    assert last_norm.output is add.input[1]
    assert add.input[0] is of_type(network, layers.ReLU)[2].output  # What the block started from.


def test_refusals():
    with pytest.raises(ValueError, match=r"`image_shape`.*divisible by 4.*\(30, 28, 1\)"):
        networks.resnet_translator((30, 28, 1))
    with pytest.raises(ValueError, match=r"`image_shape`.*at least 8.*\(4, 16, 1\)"):
        networks.resnet_translator((4, 16, 1))
    for downsamplings in (-1, 1.0, None, True):
        with pytest.raises(ValueError, match=f"`downsamplings`.*{downsamplings!r}"):
            networks.resnet_translator((16, 16, 1), downsamplings=downsamplings)
