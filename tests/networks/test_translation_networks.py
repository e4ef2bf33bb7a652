"""What the networks of image translation have in common: precision, saving, second order, XLA."""

import functools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import networks
from kgen.core.second_order import refuse_wrong_second_order
from kgen.testing import check_second_order_gradients
from tests.networks.conftest import half_precision

SHAPE = (16, 16, 3)

# Each in a tiny size.
GENERATORS = {
    "unet": lambda shape: networks.unet(shape, filters=2),
    "unet_batch": lambda shape: networks.unet(shape, 1, filters=2, normalization="batch"),
    "encoder_decoder": lambda shape: networks.encoder_decoder(shape, filters=2),
    "resnet_translator": lambda shape: networks.resnet_translator(shape, blocks=1, filters=2),
    "sr_resnet": lambda shape: networks.sr_resnet(shape, blocks=1, filters=2),
    "sr_resnet_batch": lambda shape: networks.sr_resnet(
        shape, blocks=1, filters=2, normalization="batch", residual=True
    ),
}
DISCRIMINATORS = {
    "patchgan": lambda shape: networks.patchgan_discriminator(shape, filters=2),
    "patchgan_pixel": lambda shape: networks.patchgan_discriminator(
        shape, receptive_field=1, normalization=None, filters=2
    ),
    "patchgan_image": lambda shape: networks.patchgan_discriminator(
        shape, receptive_field="image", normalization="layer", filters=2
    ),
    "patchgan_condition": lambda shape: networks.patchgan_discriminator(
        shape, (*shape[:2], 2), receptive_field=34, normalization="spectral", filters=2
    ),
    "sr_discriminator": lambda shape: networks.sr_discriminator(shape, filters=2),
}
ALL = {**GENERATORS, **DISCRIMINATORS}


@functools.cache
def network_of(name):
    """In single precision, for tests that do not mind what another one has made of its weights."""
    return ALL[name](SHAPE)


def inputs_of(network, count=3):
    generator = np.random.default_rng(0)
    inputs = [
        generator.uniform(-1, 1, (count, *one.shape[1:])).astype("float32")
        for one in network.inputs
    ]
    return inputs if len(inputs) > 1 else inputs[0]


@half_precision(ALL)
def test_outputs_are_float32_in_mixed_precision(name, dtype):
    keras.config.set_dtype_policy(f"mixed_{dtype}")
    network = ALL[name](SHAPE)
    assert any(layer.compute_dtype == dtype for layer in network.layers)
    outputs = network(inputs_of(network), training=True).numpy()
    assert outputs.dtype == np.float32 and np.all(np.isfinite(outputs))


# Those that are slow have no layer that none of the others has.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=pytest.mark.slow
            if name in ("unet_batch", "encoder_decoder", "patchgan_pixel")
            else [],
        )
        for name in ALL
    ],
)
def test_saving_and_config(name, tmp_path):
    """What is loaded from a file is made of the config, and then given the weights."""
    network = network_of(name)
    config = json.dumps(keras.saving.serialize_keras_object(network))
    inputs = inputs_of(network)
    expected = network(inputs, training=False)

    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", compile=False)
    assert json.dumps(keras.saving.serialize_keras_object(loaded)) == config
    np.testing.assert_array_equal(loaded(inputs, training=False), expected)
    for found, weight in zip(loaded.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(found, weight)  # In one order, too.


@pytest.mark.parametrize("name", ALL)
def test_every_weight_has_a_gradient_and_none_starts_like_another(name):
    network = network_of(name)
    inputs = inputs_of(network)
    for weight in network.trainable_weights:
        if not np.any(weight.numpy()):  # As sr_resnet's last kernel starts, and all biases.
            weight.assign(weight + 0.01)
    weights = [weight.value for weight in network.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss = tf.reduce_sum(tf.square(network(inputs, training=True) - 0.5))
    assert all(np.any(gradient.numpy()) for gradient in tape.gradient(loss, weights))
    kernels = [one.numpy() for one in network.trainable_weights if one.name == "kernel"]
    for index, kernel in enumerate(kernels):
        assert all(
            other.shape != kernel.shape or np.any(other != kernel) for other in kernels[:index]
        )


def test_what_is_no_image_shape():
    for name, make in ALL.items():
        for shape in ((16, 16), (16, 16, 0), (16.0, 16, 1), (None, None, None)):
            with pytest.raises(ValueError, match=r"`image_shape` must be \(height, width, channel"):
                make(shape)
        if not name.startswith("sr_resnet"):
            with pytest.raises(ValueError, match=r"`image_shape` must be \(height, width, channel"):
                make((None, None, 3))


def test_what_is_no_positive_integer():
    cases = [
        (networks.unet, {"filters": 0}),
        (networks.unet, {"depth": 1.5}),
        (networks.unet, {"output_channels": -1}),
        (networks.encoder_decoder, {"filters": None}),
        (networks.resnet_translator, {"blocks": 0}),
        (networks.resnet_translator, {"filters": "64"}),
        (networks.resnet_translator, {"output_channels": 0}),
        (networks.patchgan_discriminator, {"filters": True}),
        (networks.sr_resnet, {"blocks": 0}),
        (networks.sr_resnet, {"filters": 0}),
        (networks.sr_discriminator, {"filters": 0}),
    ]
    for make, arguments in cases:
        ((name, value),) = arguments.items()
        with pytest.raises(ValueError, match=f"`{name}` must be a positive integer.*{value!r}"):
            make(SHAPE, **arguments)


def test_what_is_no_choice():
    cases = [
        (networks.unet, {"normalization": "layer"}),
        (networks.patchgan_discriminator, {"normalization": "group"}),
        (networks.patchgan_discriminator, {"receptive_field": 71}),
        (networks.patchgan_discriminator, {"receptive_field": "all"}),
        (networks.sr_resnet, {"normalization": "instance"}),
    ]
    for make, arguments in cases:
        ((name, value),) = arguments.items()
        with pytest.raises(ValueError, match=f"`{name}` must be one of .*{value!r}"):
            make(SHAPE, **arguments)


# ---------------------------------------------------------------- a gradient of the gradient


@pytest.mark.parametrize("name", [name for name in DISCRIMINATORS if name != "sr_discriminator"])
def test_discriminators_may_be_differentiated_twice(name):
    refuse_wrong_second_order(network_of(name), "penalty")


NORMALIZATIONS = ["instance", "layer", "spectral", None]
FIELDS = [1, 16, 34, "image"]


# Each patch with one norm by default, and each norm with one patch.
@pytest.mark.parametrize(
    ("receptive_field", "normalization"),
    [
        pytest.param(field, norm, marks=[] if row == column else pytest.mark.slow)
        for row, field in enumerate(FIELDS)
        for column, norm in enumerate(NORMALIZATIONS)
    ],
)
def test_every_patch_may_be_differentiated_twice(receptive_field, normalization):
    refuse_wrong_second_order(
        networks.patchgan_discriminator(
            SHAPE, SHAPE, receptive_field, filters=2, normalization=normalization
        ),
        "penalty",
    )


def test_batch_norm_may_not():
    for network in (
        networks.patchgan_discriminator(SHAPE, filters=2, normalization="batch"),
        networks.sr_discriminator(SHAPE, filters=2),
    ):
        with pytest.raises(ValueError, match="BatchNormalization"):
            refuse_wrong_second_order(network, "penalty")


def test_second_order_gradients_against_differences():
    critic = networks.patchgan_discriminator(
        (4, 4, 1), receptive_field=16, filters=2, normalization="layer"
    )
    assert max(check_second_order_gradients(critic).values()) < 1e-5
