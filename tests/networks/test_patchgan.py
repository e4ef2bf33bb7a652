"""The discriminators of patches: their paper's layers and weights, sizes, norms and inputs."""

import keras
import numpy as np
import pytest
from keras import layers

import kgen.layers
from kgen import networks


def of_type(network, *types):
    return [layer for layer in network.layers if isinstance(layer, types)]


def weights_of(network):
    return sum(int(np.prod(one.shape)) for one in network.trainable_weights)


def test_the_paper_s_networks_and_2_77_million_weights():
    shape = (256, 256, 3)
    maps = {
        1: [64, 128, 1],
        7: [64, 1],
        16: [64, 128, 1],
        34: [64, 128, 256, 1],
        70: [64, 128, 256, 512, 1],
        142: [64, 128, 256, 512, 512, 1],
    }
    for patch, filters in maps.items():
        network = networks.patchgan_discriminator(shape, shape, patch, normalization="batch")
        convolutions = of_type(network, layers.Conv2D)
        assert [one.filters for one in convolutions] == filters
        side = 1 if patch == 1 else 4
        assert {one.kernel_size for one in convolutions} == {(side, side)}
        strides = [one.strides[0] for one in convolutions]
        assert strides == [1 if patch == 1 else 2] * (len(filters) - 2) + [1, 1]
        assert {one.negative_slope for one in of_type(network, layers.LeakyReLU)} == {0.2}
        # A norm on all but the first layer and the logits.
        norms = of_type(network, layers.BatchNormalization)
        assert [one.input.shape[-1] for one in norms] == filters[1:-1]
        assert [one.use_bias for one in convolutions] == [True, *[False] * len(norms), True]
        kernels = side**2 * sum(i * o for i, o in zip([6, *filters], filters, strict=False))
        assert weights_of(network) == kernels + 2 * sum(filters[1:-1]) + 64 + 1
    # By hand for 70: 16 (6 64 + 64 128 + 128 256 + 256 512 + 512) + 2 (128 + 256 + 512) + 64 + 1.
    assert weights_of(networks.patchgan_discriminator(shape, shape, normalization="batch")) == (
        2_768_705
    )


def test_logits_for_each_patch():
    expected = {
        1: (48, 32),
        7: (48, 32),
        16: (24, 16),
        34: (12, 8),
        70: (6, 4),
        142: (3, 2),
        "image": (1, 1),
    }
    images = np.random.default_rng(0).uniform(-1, 1, (2, 48, 32, 1))
    for patch, size in expected.items():
        network = networks.patchgan_discriminator((48, 32, 1), None, patch, filters=2)
        logits = network(images, training=True).numpy()
        assert logits.shape == (2, *size, 1) and logits.dtype == np.float32
        assert np.std(logits) > 0.0


def test_sizes():
    for shape in ((28, 28, 1), (17, 30, 3), (32, 32, 3)):
        size = [-(-side // 8) for side in shape[:2]]
        network = networks.patchgan_discriminator(shape, filters=1)
        assert network.output_shape == (None, *size, 1)
    for shape in ((4, 4, 1), (8, 8, 1), (12, 20, 1), (28, 28, 1), (4, 100, 1), (64, 64, 3)):
        network = networks.patchgan_discriminator(shape, None, "image", filters=2)
        images = np.random.default_rng(0).uniform(-1, 1, (2, *shape))
        ones, twos = network(images, training=True).numpy()
        # Not blind, as instance norm would make it on maps of 1 x 1 pixel.
        assert ones.shape == (1, 1, 1) and abs(ones - twos).max() > 1e-6
        assert networks.receptive_field(network) == shape[:2]
    for patch, smallest in ((7, 1), (16, 2), (34, 4), (70, 8), (142, 16)):
        with pytest.raises(ValueError, match=rf"`receptive_field`={patch}.*larger than {smallest}"):
            networks.patchgan_discriminator((smallest, 99, 1), None, patch)
        network = networks.patchgan_discriminator((smallest + 1, 99, 1), None, patch, filters=1)
        assert network.output_shape[1] == 2
    with pytest.raises(ValueError, match=r"divisible by 4.*\(30, 32, 1\)"):
        networks.patchgan_discriminator((30, 32, 1), receptive_field="image")


def test_with_a_condition():
    network = networks.patchgan_discriminator((16, 16, 3), (16, 16, 1), 34, filters=2)
    assert [one.shape for one in network.inputs] == [(None, 16, 16, 1), (None, 16, 16, 3)]
    assert [one.name for one in network.inputs] == ["inputs", "images"]
    generator = np.random.default_rng(0)
    inputs, images = generator.normal(size=(2, 16, 16, 1)), generator.normal(size=(2, 16, 16, 3))
    logits = network([inputs, images]).numpy()
    assert np.any(logits != network([-inputs, images]).numpy())
    assert np.any(logits != network([inputs, -images]).numpy())
    for shape in ((16, 8, 1), (8, 16, 1), (16, 16), (16, 16, 0)):
        with pytest.raises(
            ValueError, match=rf"must be \(height, width, channels\).*\({shape[0]}, "
        ):
            networks.patchgan_discriminator((16, 16, 3), shape)


@pytest.mark.parametrize(
    "normalization, norm",
    [
        ("batch", kgen.layers.BatchNormalization),
        ("instance", kgen.layers.InstanceNormalization),
        ("layer", kgen.layers.LayerNormalization),
        ("spectral", None),
        (None, None),
    ],
)
def test_normalizations(normalization, norm):
    classes = (layers.BatchNormalization, kgen.layers.InstanceNormalization)
    for patch in (1, 7, 34, "image"):
        network = networks.patchgan_discriminator(
            (16, 16, 1), None, patch, filters=2, normalization=normalization
        )
        norms = of_type(network, *classes, kgen.layers.LayerNormalization)
        hidden = len(of_type(network, layers.LeakyReLU))
        assert [type(one) for one in norms] == ([norm] * (hidden - 1) if norm else [])
        spectral = of_type(network, kgen.layers.SpectralNormalization)
        assert len(spectral) == (hidden + 1 if normalization == "spectral" else 0)


def test_judges_patches_apart():
    """Without a norm over the image, a logit sees its patch and nothing else."""
    network = networks.patchgan_discriminator((64, 64, 1), None, 16, 2, normalization=None)
    images = np.random.default_rng(0).normal(size=(1, 64, 64, 1)).astype("float32")
    changed = images.copy()
    changed[:, :8, :8] = 1.0
    moved = np.argwhere(np.abs(network(images) - network(changed))[0, :, :, 0] > 0.0)
    # A logit sees from 5 pixels before its own two to 9 after them; only those up to pixel 7.
    assert moved.min() == 0 and moved.max() == 6


def test_initial_weights():
    network = networks.patchgan_discriminator((16, 16, 3), None, 34, filters=16)
    for one in of_type(network, layers.Conv2D)[:-1]:
        kernel = one.kernel.numpy()
        assert np.std(kernel) == pytest.approx(0.02, rel=0.1)


def test_may_be_called_by_keras_predict():
    network = networks.patchgan_discriminator((16, 16, 1), (16, 16, 1), filters=1)
    zeros = np.zeros((3, 16, 16, 1))
    assert keras.Model.predict(network, [zeros, zeros], verbose=0).shape == (3, 2, 2, 1)
