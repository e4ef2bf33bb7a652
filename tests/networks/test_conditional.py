"""Networks with labels: another one gives another output."""

import keras
import numpy as np
import pytest

from kgen import networks

SHAPE, CLASSES, COUNT = (8, 8, 1), 3, 4


def discriminators(make, *arguments):
    return {
        f"{make.__name__}-{condition}": lambda condition=condition: make(
            SHAPE, *arguments, classes=CLASSES, condition=condition
        )
        for condition in ("concatenation", "projection")
    }


CONDITIONAL = {
    "dcgan_generator": lambda: networks.dcgan_generator(SHAPE, 4, 2, classes=CLASSES),
    "dcgan_generator-conditional_batch": lambda: networks.dcgan_generator(
        SHAPE, 4, 2, classes=CLASSES, normalization="conditional_batch"
    ),
    "dense_generator": lambda: networks.dense_generator(SHAPE, 4, 6, classes=CLASSES),
    "resnet_generator": lambda: networks.resnet_generator(SHAPE, 4, 2, CLASSES),
    "resnet_generator-conditional_batch": lambda: networks.resnet_generator(
        SHAPE, 4, 2, CLASSES, "conditional_batch"
    ),
    "biggan_generator": lambda: networks.biggan_generator(
        SHAPE, CLASSES, 6, 2, attention_size=None
    ),
    "biggan_generator-sagan": lambda: networks.biggan_generator(
        SHAPE, CLASSES, 6, 2, None, hierarchical=False, shared_embedding=False
    ),
    "StyleGenerator": lambda: networks.StyleGenerator(
        SHAPE, 4, 4, 2, mapping_depth=1, classes=CLASSES
    ),
    "mapping_network": lambda: networks.mapping_network(4, 4, depth=1, classes=CLASSES),
    "dense_decoder": lambda: networks.dense_decoder(SHAPE, 4, 6, classes=CLASSES),
    "convolutional_decoder": lambda: networks.convolutional_decoder(
        SHAPE, 4, filters=2, classes=CLASSES
    ),
    "dense_encoder": lambda: networks.dense_encoder(SHAPE, 3, 6, classes=CLASSES),
    "convolutional_encoder": lambda: networks.convolutional_encoder(
        SHAPE, 3, filters=2, classes=CLASSES
    ),
    **discriminators(networks.dcgan_discriminator, 2),
    **discriminators(networks.dense_discriminator, 4, 2),
    **discriminators(networks.resnet_critic, 2),
    "biggan_discriminator": lambda: networks.biggan_discriminator(
        SHAPE, CLASSES, filters=2, attention_size=None
    ),
    "ProgressiveDiscriminator": lambda: networks.ProgressiveDiscriminator(
        SHAPE, 2, classes=CLASSES
    ),
}


@pytest.mark.parametrize("name", CONDITIONAL)
def test_each_label_has_its_own_output(name):
    """With the same latents or images beside it."""
    network = CONDITIONAL[name]()
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:  # Of those that start at 0, too.
        variable.assign(variable + 0.3 * rng.normal(size=variable.shape))
    row = rng.normal(size=(1, *network.inputs[0].shape[1:])).astype("float32")
    assert network.inputs[1].shape == (None, CLASSES)
    labels = np.eye(CLASSES, dtype="float32")[[0, 1, 2, 1]]
    outputs = keras.tree.flatten(network([np.repeat(row, COUNT, axis=0), labels], training=False))
    for output in outputs:
        zero, one, two, one_again = output.numpy()
        np.testing.assert_allclose(one, one_again, rtol=1e-4, atol=1e-5)
        for a, b in ((zero, one), (one, two), (zero, two)):
            assert np.abs(a - b).max() > 1e-3 * np.abs(a).max() + 1e-4


@pytest.mark.parametrize("make", ["dcgan_discriminator", "dense_discriminator", "resnet_critic"])
def test_an_auxiliary_head_tells_images_apart(make):
    """The class logits are of the image; they are a second linear map of the same features."""
    network = getattr(networks, make)(SHAPE, 4, classes=CLASSES, condition="auxiliary")
    images = np.random.default_rng(0).uniform(-1, 1, (3, *SHAPE)).astype("float32")
    logits, classes = network(images, training=False)
    assert logits.shape == (3, 1) and classes.shape == (3, CLASSES)
    heads = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)][-2:]
    one, head = sorted(heads, key=lambda layer: layer.units)
    assert one.input is head.input
    features = keras.Model(network.inputs[0], head.input)(images, training=False).numpy()
    expected = features @ head.kernel.numpy() + head.bias.numpy()
    np.testing.assert_allclose(classes, expected, rtol=1e-4, atol=1e-6)
    assert np.all(np.ptp(expected, axis=0) > 0.0)


@pytest.mark.parametrize("normalization", ["batch", "layer", "spectral", None])
def test_the_second_output_may_have_a_hidden_layer_of_its_own(normalization):
    """InfoGAN's table 1: the features, 128 units with batch norm and leaky ReLU, the codes."""
    network = networks.dcgan_discriminator(
        SHAPE, 2, classes=CLASSES, condition="auxiliary", auxiliary_units=5,
        normalization=normalization,
    )  # fmt: skip
    (features,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Flatten))
    read = keras.Model(network.input, [features.output, *network.outputs])
    images = np.random.default_rng(0).uniform(-1, 1, (COUNT, *SHAPE)).astype("float32")
    x, logits, codes = (np.asarray(part) for part in read(images, training=False))
    assert logits.shape == (COUNT, 1) and codes.shape == (COUNT, CLASSES)
    after = network.layers[network.layers.index(features) + 1 :]
    if normalization != "batch":
        kinds = {type(layer).__name__ for layer in after}
        assert ("SpectralNormalization" in kinds) == (normalization == "spectral")
        assert ("LayerNormalization" in kinds) == (normalization == "layer")
        return
    by_units = {layer.units: layer for layer in after if isinstance(layer, keras.layers.Dense)}
    assert set(by_units) == {1, 5, CLASSES}
    np.testing.assert_allclose(logits, x @ by_units[1].kernel + by_units[1].bias, atol=1e-5)
    hidden = (x @ by_units[5].kernel + by_units[5].bias) / np.sqrt(1.001)  # Moments are 0 and 1.
    hidden = np.where(hidden > 0, hidden, 0.2 * hidden)
    expected = hidden @ by_units[CLASSES].kernel + by_units[CLASSES].bias
    np.testing.assert_allclose(codes, expected, atol=1e-5)


def test_only_a_second_output_has_units_of_its_own():
    for arguments in ({}, {"classes": CLASSES, "condition": "projection"}):
        with pytest.raises(ValueError, match="`auxiliary_units` are of the second output"):
            networks.dcgan_discriminator(SHAPE, 2, auxiliary_units=5, **arguments)
    with pytest.raises(
        ValueError, match="`auxiliary_units` must be a positive integer, received 0"
    ):
        networks.dcgan_discriminator(
            SHAPE, 2, classes=CLASSES, condition="auxiliary", auxiliary_units=0
        )


def test_a_limit_of_norms_holds_for_every_unit_of_the_first_gan():
    network = networks.dense_discriminator((2, 2, 1), units=3, pieces=2, max_norm=1e-3)
    network.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    network.train_on_batch(np.ones((4, 2, 2, 1)), np.ones((4, 1)))
    kernels = [v.numpy() for v in network.trainable_variables if v.path.endswith("kernel")]
    assert [kernel.shape for kernel in kernels] == [(4, 6), (3, 6), (3, 1)]
    norms = [np.sqrt(np.square(kernel).sum(0)) for kernel in kernels]
    assert max(norm.max() for norm in norms) == pytest.approx(1e-3, rel=1e-4)
    for limit in (0, -1.0, "1", True):
        with pytest.raises(ValueError, match="`max_norm` must be None or a positive number"):
            networks.dense_discriminator((2, 2, 1), max_norm=limit)
