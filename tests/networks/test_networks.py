"""The networks: their papers' guidelines, shapes, ranges, precision, and saving."""

import functools
import itertools
import json

import keras
import numpy as np
import pytest
from keras import layers

import kgen.layers
from kgen import networks
from kgen.core.second_order import refuse_wrong_second_order
from kgen.testing import check_second_order_gradients
from tests.networks.conftest import half_precision

SMALL = (8, 8, 1)
SHAPES = [(12, 20, 3), (4, 4, 1)]
MORE_SHAPES = [(32, 32, 3), (28, 28, 1), (64, 64, 3), (36, 36, 3), (100, 60, 3)]
several_shapes = pytest.mark.parametrize(
    "shapes", [SHAPES, pytest.param(MORE_SHAPES, marks=pytest.mark.slow)], ids=["few", "more"]
)

# Each as a function of the image's shape, in a tiny size.
GENERATORS = {
    "dcgan_generator": lambda shape: networks.dcgan_generator(shape, 4, filters=2),
    "dense_generator": lambda shape: networks.dense_generator(shape, 4, units=6),
    "resnet_generator": lambda shape: networks.resnet_generator(shape, 4, filters=2),
}
DISCRIMINATORS = {
    "dcgan_discriminator": lambda shape: networks.dcgan_discriminator(shape, filters=2),
    "dense_discriminator": lambda shape: networks.dense_discriminator(shape, units=4, pieces=2),
    "resnet_critic": lambda shape: networks.resnet_critic(shape, filters=2),
}
ENCODERS = {
    "dense_encoder": lambda shape: networks.dense_encoder(shape, 3, units=5),
    "convolutional_encoder": lambda shape: networks.convolutional_encoder(shape, 3, filters=2),
}
DECODERS = {
    "dense_decoder": lambda shape, **kwargs: networks.dense_decoder(shape, 4, units=5, **kwargs),
    "convolutional_decoder": lambda shape, **kwargs: networks.convolutional_decoder(
        shape, 4, filters=2, **kwargs
    ),
}
ALL = {**GENERATORS, **DISCRIMINATORS, **ENCODERS, **DECODERS}
OF_POINTS = ("mixture_discriminator", "mixture_generator")  # In test_mixture.py.
OF_TRANSLATION = (  # In test_translation_networks.py and the files named after them.
    "encoder_decoder",
    "patchgan_discriminator",
    "receptive_field",
    "resnet_translator",
    "sr_discriminator",
    "sr_resnet",
    "unet",
)
OF_STYLE = (  # In test_progressive.py, test_style.py and test_biggan.py.
    "ProgressiveDiscriminator",
    "ProgressiveGenerator",
    "StyleGenerator",
    "biggan_discriminator",
    "biggan_generator",
    "mapping_network",
)
DIVIDED_BY_4 = [name for name in ALL if not name.startswith("dense")]


@functools.cache
def small(name):
    """In single precision, for tests that leave its weights alone."""
    return ALL[name](SMALL)


def images_of(shape, count=3):
    return np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype("float32")


def latents_of(network, count=3, scale=1.0):
    shape = (count, *network.input_shape[1:])
    return scale * np.random.default_rng(0).standard_normal(shape).astype("float32")


def inputs_of(name, network):
    return images_of(SMALL) if name in {**DISCRIMINATORS, **ENCODERS} else latents_of(network)


def of_type(network, *types):
    return [layer for layer in network.layers if isinstance(layer, types)]


def weighted(network):
    """The layers with a kernel, in order, each with the layers that follow until the next one."""
    groups = []
    for layer in network.layers:
        if isinstance(layer, (layers.Dense, layers.Conv2D, layers.Conv2DTranspose)):
            groups.append((layer, []))
        elif groups:
            groups[-1][1].append(layer)
    return groups


def test_the_table_has_every_network():
    assert sorted([*ALL, *OF_POINTS, *OF_TRANSLATION, *OF_STYLE]) == sorted(networks.__all__)


# ---------------------------------------------------------------- shapes, ranges and precision


# Shapes are looped over inside of the tests, since a test costs more than a network.


@several_shapes
@pytest.mark.parametrize("name", GENERATORS)
def test_generators_give_images(name, shapes):
    for shape in shapes:
        generator = GENERATORS[name](shape)
        images = generator(latents_of(generator, scale=100.0), training=False).numpy()
        assert images.shape == (3, *shape) and images.dtype == np.float32
        assert np.all(np.abs(images) <= 1.0) and np.std(images) > 0.0


@several_shapes
@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminators_give_one_logit(name, shapes):
    for shape in shapes:
        logits = DISCRIMINATORS[name](shape)(images_of(shape), training=False).numpy()
        assert logits.shape == (3, 1) and logits.dtype == np.float32
        assert np.std(logits) > 0.0


@several_shapes
@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_give_mean_and_log_variance(name, shapes):
    for shape in shapes:
        mean, log_variance = ENCODERS[name](shape)(images_of(shape), training=False)
        assert mean.shape == log_variance.shape == (3, 3)
        assert mean.dtype == log_variance.dtype == "float32"
        assert not np.allclose(mean, log_variance)


@several_shapes
@pytest.mark.parametrize("name", DECODERS)
def test_decoders_give_parameters(name, shapes):
    for shape in shapes:
        decoder = DECODERS[name](shape, likelihood="gaussian")
        parameters = decoder(latents_of(decoder), training=False)
        assert parameters.shape == (3, *shape[:2], 2 * shape[2])
        assert parameters.dtype == "float32"


@pytest.mark.parametrize("name", DECODERS)
def test_likelihoods(name):
    channels = {
        likelihood: DECODERS[name]((8, 8, 3), likelihood=likelihood).output_shape[-1]
        for likelihood in ("bernoulli", "gaussian", "discretized_logistic")
    }
    assert channels == {"bernoulli": 3, "gaussian": 6, "discretized_logistic": 6}
    with pytest.raises(ValueError, match=r"`likelihood` must be one of \[.*received 'poisson'"):
        DECODERS[name]((8, 8, 3), likelihood="poisson")


@half_precision(ALL)
def test_outputs_are_float32_in_mixed_precision(name, dtype):
    keras.config.set_dtype_policy(f"mixed_{dtype}")
    network = ALL[name](SMALL)
    assert any(layer.compute_dtype == dtype for layer in network.layers)
    for output in keras.tree.flatten(network(inputs_of(name, network), training=True)):
        values = output.numpy()
        assert values.dtype == np.float32 and np.all(np.isfinite(values))
        assert name not in GENERATORS or np.all(np.abs(values) <= 1.0)


def test_sizes_not_divisible_by_4():
    for name, shape in itertools.product(DIVIDED_BY_4, ((30, 28, 1), (28, 30, 1), (7, 7, 1))):
        with pytest.raises(ValueError, match=rf"`image_shape`.*divisible by 4.*\({shape[0]}, "):
            ALL[name](shape)


def test_what_is_no_image_shape():
    shapes = ((8, 8), (8, 8, 0), (8.0, 8, 1), (None, None, 1))
    for name, shape in itertools.product(ALL, shapes):
        with pytest.raises(ValueError, match=r"`image_shape` must be \(height, width, channels\)"):
            ALL[name](shape)


@pytest.mark.parametrize("name", [name for name in ALL if name not in DIVIDED_BY_4])
def test_dense_networks_take_any_size(name):
    network = ALL[name]((7, 5, 3))
    shapes = keras.tree.flatten([network.inputs, network.outputs])
    assert (None, 7, 5, 3) in [tensor.shape for tensor in shapes]


@pytest.mark.parametrize("name", ALL)
def test_saving_and_config(name, tmp_path):
    """What is loaded from a file is made of the config, and then given the weights."""
    network = small(name)
    config = json.dumps(keras.saving.serialize_keras_object(network))
    inputs = inputs_of(name, network)
    expected = [x.numpy() for x in keras.tree.flatten(network(inputs, training=False))]

    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", compile=False)
    assert json.dumps(keras.saving.serialize_keras_object(loaded)) == config
    outputs = [x.numpy() for x in keras.tree.flatten(loaded(inputs, training=False))]
    np.testing.assert_array_equal(outputs, expected)
    for found, weight in zip(loaded.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(found, weight)  # In one order, too.


# ---------------------------------------------------------------- DCGAN's five guidelines


@pytest.fixture(params=[(8, 8, 1), (32, 32, 3)], ids=str)
def pair(request):
    return (
        networks.dcgan_generator(request.param, 4, filters=2),
        networks.dcgan_discriminator(request.param, filters=2),
    )


def test_dcgan_strided_convolutions_and_no_pooling(pair):
    generator, discriminator = pair
    for network, convolution in (
        (generator, layers.Conv2DTranspose),
        (discriminator, layers.Conv2D),
    ):
        convolutions = of_type(network, layers.Conv2D, layers.Conv2DTranspose)
        assert len(convolutions) >= 2
        assert all(isinstance(one, convolution) for one in convolutions)
        assert all(one.strides == (2, 2) for one in convolutions)
        resizing = [
            type(one).__name__
            for one in network.layers
            if "Pool" in type(one).__name__ or "UpSampling" in type(one).__name__
        ]
        assert not resizing


def test_dcgan_batch_norm_everywhere_but_at_images(pair):
    generator, discriminator = pair
    normalized = [
        any(isinstance(one, layers.BatchNormalization) for one in following)
        for _, following in weighted(generator)
    ]
    assert normalized == [True] * (len(normalized) - 1) + [False]  # All but the output.
    *convolutions, (dense, following) = weighted(discriminator)
    normalized = [isinstance(after[0], layers.BatchNormalization) for _, after in convolutions]
    assert normalized == [False] + [True] * (len(normalized) - 1)  # All but the input.
    assert isinstance(dense, layers.Dense)
    assert not any(isinstance(one, layers.BatchNormalization) for one in following)


def test_dcgan_no_hidden_dense_layers(pair):
    generator, discriminator = pair
    (projection,) = of_type(generator, layers.Dense)
    assert projection is generator.layers[1]  # Of the latents themselves.
    (logits,) = of_type(discriminator, layers.Dense)
    assert logits.units == 1 and logits is weighted(discriminator)[-1][0]


def test_dcgan_activations(pair):
    generator, discriminator = pair
    for network in pair:
        linear = [layer.activation is keras.activations.linear for layer, _ in weighted(network)]
        assert all(linear)
    *hidden, last = [
        [one for one in following if isinstance(one, (layers.ReLU, layers.Activation))]
        for _, following in weighted(generator)
    ]
    for (relu,) in hidden:
        assert isinstance(relu, layers.ReLU) and relu.negative_slope == 0.0
        assert relu.max_value is None and relu.threshold == 0.0
    assert [one.activation for one in last] == [keras.activations.tanh]

    leaky = of_type(discriminator, layers.LeakyReLU)
    assert len(leaky) == len(of_type(discriminator, layers.Conv2D))
    assert all(one.negative_slope == 0.2 for one in leaky)
    for _, following in weighted(discriminator)[:-1]:
        assert sum(isinstance(one, layers.LeakyReLU) for one in following) == 1
    assert not of_type(discriminator, layers.ReLU)


def test_dcgan_initial_weights():
    pair = (
        networks.dcgan_generator((16, 16, 3), filters=16),
        networks.dcgan_discriminator((16, 16, 3), filters=32),
    )
    for network in pair:
        for layer, _ in weighted(network):
            kernel = layer.kernel.numpy()
            tolerance = 0.02 * 4.0 / np.sqrt(kernel.size)  # Four standard errors.
            assert abs(np.std(kernel) - 0.02) < tolerance and abs(np.mean(kernel)) < tolerance
            assert layer.bias is None or not np.any(layer.bias.numpy())


def test_dcgan_widths_of_the_paper(monkeypatch):
    monkeypatch.setattr(  # Drawing so many weights takes time.
        keras.initializers.RandomNormal,
        "__call__",
        lambda self, shape, dtype=None: keras.ops.zeros(shape, dtype),
    )
    generator = networks.dcgan_generator((64, 64, 3), filters=128, kernel_size=5)
    maps = [one.filters for one in of_type(generator, layers.Conv2DTranspose)]
    assert of_type(generator, layers.Reshape)[0].target_shape == (4, 4, 1024)
    assert maps == [512, 256, 128, 3]
    discriminator = networks.dcgan_discriminator((64, 64, 3), filters=128, kernel_size=5)
    assert [one.filters for one in of_type(discriminator, layers.Conv2D)] == [128, 256, 512, 1024]
    kernels = of_type(generator, layers.Conv2DTranspose) + of_type(discriminator, layers.Conv2D)
    assert {one.kernel_size for one in kernels} == {(5, 5)}


@pytest.mark.parametrize(
    "normalization, norm",
    [
        ("batch", kgen.layers.BatchNormalization),
        ("layer", kgen.layers.LayerNormalization),
        ("spectral", None),
        (None, None),
    ],
)
def test_dcgan_normalizations(normalization, norm):
    discriminator = networks.dcgan_discriminator((16, 16, 1), 2, normalization=normalization)
    norms = of_type(discriminator, layers.BatchNormalization, kgen.layers.LayerNormalization)
    convolutions = len(of_type(discriminator, layers.LeakyReLU))
    assert [type(one) for one in norms] == ([norm] * (convolutions - 1) if norm else [])
    spectral = of_type(discriminator, kgen.layers.SpectralNormalization)
    assert len(spectral) == (convolutions + 1 if normalization == "spectral" else 0)
    assert bool(weighted(discriminator)) != bool(spectral)
    assert discriminator(images_of((16, 16, 1)), training=True).shape == (3, 1)
    if normalization == "batch":
        with pytest.raises(ValueError, match="BatchNormalization"):
            refuse_wrong_second_order(discriminator, "penalty")
    else:
        refuse_wrong_second_order(discriminator, "penalty")


def test_an_unknown_normalization():
    with pytest.raises(ValueError, match=r"`normalization` must be one of .*received 'group'"):
        networks.dcgan_discriminator(SMALL, normalization="group")


# ---------------------------------------------------------------- the first GAN's pair


def test_dense_pair_is_the_published_one():
    generator = networks.dense_generator((28, 28, 1))
    *hidden, last = of_type(generator, layers.Dense)
    assert [one.units for one in hidden] == [1200, 1200] and last.units == 784
    assert {one.activation for one in hidden} == {keras.activations.relu}
    assert last.activation is keras.activations.linear
    (tanh,) = of_type(generator, layers.Activation)
    assert tanh.activation is keras.activations.tanh

    discriminator = networks.dense_discriminator((28, 28, 1))
    maxout = of_type(discriminator, kgen.layers.Maxout)
    assert [(one.units, one.pieces) for one in maxout] == [(240, 5), (240, 5)]
    assert [one.rate for one in of_type(discriminator, kgen.layers.Dropout)] == [0.2, 0.5, 0.5]
    assert [one.units for one in of_type(discriminator, layers.Dense)] == [1]
    for network, limit in ((generator, 0.05), (discriminator, 0.005)):
        for kernel in (w.numpy() for w in network.weights if w.name == "kernel"):
            assert np.max(np.abs(kernel)) <= limit
            assert np.std(kernel) == pytest.approx(limit / np.sqrt(3.0), rel=0.1)


def test_dense_discriminator_drops_in_training_only():
    discriminator = networks.dense_discriminator(SMALL, units=8, pieces=2)
    images = images_of(SMALL)
    still = [discriminator(images, training=False) for _ in range(2)]
    moving = [discriminator(images, training=True) for _ in range(2)]
    np.testing.assert_array_equal(*still)
    assert not np.allclose(*moving)


# ---------------------------------------------------------------- the residual pair


def test_residual_pair():
    generator = networks.resnet_generator((16, 16, 3), 4, filters=2)
    critic = networks.resnet_critic((16, 16, 3), filters=2)
    for network, resize in (
        (generator, layers.UpSampling2D),
        (critic, layers.AveragePooling2D),
    ):
        blocks = of_type(network, layers.Add)
        assert len(blocks) == 2  # Between 16 and 4 pixels.
        assert len(of_type(network, resize)) == 2 * len(blocks)  # Of the residual and the input.
        for block in blocks:
            assert len(block.input) == 2
    assert of_type(generator, layers.BatchNormalization)
    assert not of_type(critic, layers.BatchNormalization)
    assert len(of_type(critic, kgen.layers.LayerNormalization)) == 2 * 2 + 1


def test_residual_critic_may_be_differentiated_twice():
    refuse_wrong_second_order(small("resnet_critic"), "penalty")


@pytest.mark.slow  # Its layers are measured by themselves, and patchgan_discriminator as a whole.
def test_residual_critic_s_second_order_gradients_against_differences():
    critic = networks.resnet_critic(SMALL, filters=2)
    assert max(check_second_order_gradients(critic).values()) < 1e-5


def test_residual_critic_judges_each_image_by_itself():
    """What Gulrajani et al. give as the reason against batch norm."""
    critic = small("resnet_critic")
    images = images_of(SMALL)
    together = critic(images, training=True)
    alone = [critic(images[i : i + 1], training=True)[0] for i in range(3)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_two_hidden_layers_are_the_importance_weighted_autoencoder_s():
    """Counted by hand: 784 - 200 - 200 - 50 twice, and back."""

    def weights_of(network):
        return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)

    hidden = (784 + 1) * 200 + (200 + 1) * 200
    encoder = networks.dense_encoder((28, 28, 1), 50, 200, hidden_layers=2)
    assert weights_of(encoder) == hidden + 2 * (200 + 1) * 50
    decoder = networks.dense_decoder((28, 28, 1), 50, 200, hidden_layers=2)
    assert weights_of(decoder) == (50 + 1) * 200 + (200 + 1) * 200 + (200 + 1) * 784
