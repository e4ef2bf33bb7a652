"""StyleGAN's generator: what styles, noise and the mapping do."""

import functools

import keras
import numpy as np
import pytest

from kgen.networks import StyleGenerator, mapping_network

LATENTS = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


@functools.cache
def made(**arguments):
    keras.utils.set_random_seed(0)
    arguments = {"filters": 2, "max_filters": 4, "mapping_depth": 2, **arguments}
    network = StyleGenerator((16, 16, 1), 4, 4, **arguments)
    return network, network.get_weights()


def generator(**arguments):
    """As it was made: each kind is so once, and only its weights are changed."""
    network, weights = made(**{"modulation": "normalization", **arguments})
    network.set_weights(weights)
    return network


def spread(network):
    """Gives the noise strengths, which start at 0, values."""
    for variable in network.trainable_variables:
        if variable.name == "strength":
            variable.assign(np.full(variable.shape, 0.5))
    return network


@pytest.mark.parametrize("modulation", ["normalization", "weights"])
def test_each_layer_answers_to_its_own_style_from_its_size_on(modulation):
    network = generator(modulation=modulation)
    assert network.layer_count == 6
    styles = np.random.default_rng(1).normal(size=(1, 6, 4)).astype("float32")
    images = network.synthesise(styles).numpy()
    assert images.shape == (1, 16, 16, 1)
    others = np.repeat(styles, 6, axis=0)
    others[np.arange(6), np.arange(6)] += 1.0
    for layer, image in enumerate(network.synthesise(others).numpy()):
        assert not np.allclose(image, images[0]), layer
    network.grow_to(1)
    images = network.synthesise(styles).numpy()
    assert images.shape == (1, 8, 8, 1)
    other = styles.copy()
    other[:, 4:] += 1.0
    np.testing.assert_array_equal(network.synthesise(other), images)


@pytest.mark.parametrize("modulation", ["normalization", "weights"])
def test_maps_keep_their_size_from_stage_to_stage(modulation):
    keras.utils.set_random_seed(0)
    network = StyleGenerator((16, 16, 1), 16, 16, filters=16, modulation=modulation)
    latents = np.random.default_rng(0).normal(size=(8, 16)).astype("float32")
    for stage in range(len(network.sizes)):
        network.grow_to(stage)
        # Blurring takes some of it; without the gain of activations 0.01 would be left.
        assert 0.15 < np.sqrt(np.mean(np.square(network(latents)))) < 4.0


def test_noise_adds_detail_and_is_fixed_where_none_is_given():
    network = spread(generator())
    styles = network.broadcast(network.map(LATENTS))
    images = network(LATENTS).numpy()
    np.testing.assert_array_equal(network.synthesise(styles), images)
    noises = [np.random.default_rng(n).normal(size=shape).astype("float32")
              for n, shape in enumerate(network.noise_shapes(3))]  # fmt: skip
    assert [noise.shape for noise in noises] == [
        (3, size, size, 1) for size in (4, 4, 8, 8, 16, 16)
    ]
    assert not np.allclose(network.synthesise(styles, noises), images)
    without = generator(noise=False)
    assert without.noise_shapes(3) == [] and without(LATENTS).shape == (3, 16, 16, 1)
    assert not any(variable.name == "strength" for variable in without.weights)


def test_bounded_images_also_while_a_size_is_faded_in():
    linear, bounded = generator(), generator(output_activation="tanh")
    np.testing.assert_allclose(bounded(LATENTS), np.tanh(linear(LATENTS)), atol=1e-6)
    for network in (linear, bounded):
        network.grow_to(1, alpha=0.0)
    np.testing.assert_allclose(bounded(LATENTS), np.tanh(linear(LATENTS)), atol=1e-6)


def test_truncation_moves_towards_the_mean():
    network = generator()
    network.mean_style.assign([1.0, 2.0, 3.0, 4.0])
    styles = np.random.default_rng(1).normal(size=(2, 6, 4)).astype("float32")
    moved = network.truncated(styles, 0.5, cutoff=2).numpy()
    np.testing.assert_allclose(moved[:, :2], 0.5 * (styles[:, :2] + [1, 2, 3, 4]), rtol=1e-6)
    np.testing.assert_array_equal(moved[:, 2:], styles[:, 2:])
    np.testing.assert_allclose(network.truncated(styles, 1.0), styles, rtol=1e-5)
    np.testing.assert_allclose(network.truncated(styles, 0.0), [[[1, 2, 3, 4]] * 6] * 2)


def test_mapping_by_hand():
    mapping = mapping_network(2, 3, depth=1, learning_rate_multiplier=0.5)
    kernel, bias = mapping.layers[-1].get_weights()
    z = np.array([[3.0, 4.0]])
    normalised = z / np.sqrt(12.5)
    assert kernel.shape == (2, 3) and not bias.any()
    expected = normalised @ kernel * np.sqrt(2.0) * 0.5 / np.sqrt(2.0)
    expected = np.where(expected > 0, expected, 0.2 * expected)
    np.testing.assert_allclose(mapping(z), expected, rtol=1e-5)
    # No layers: the latents on their sphere.
    np.testing.assert_allclose(mapping_network(2, 2, depth=0)(z), normalised, rtol=1e-5)
    assert len(mapping_network().trainable_variables) == 16


def test_labels_change_styles():
    network = generator(classes=3)
    one, two = (network.map([LATENTS, np.eye(3, dtype="float32")[[n] * 3]]) for n in (0, 1))
    assert not np.allclose(one, two)
    assert [tuple(x.shape) for x in network.inputs] == [(None, 4), (None, 3)]


def test_a_file_keeps_the_images(tmp_path):
    network = spread(generator(modulation="weights"))
    network.grow_to(2, 0.5)
    network.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    np.testing.assert_array_equal(loaded(LATENTS), network(LATENTS))
    assert loaded.get_config() == network.get_config()


def test_refusals():
    with pytest.raises(ValueError, match="`modulation` must be one of.*received 'adain'"):
        generator(modulation="adain")
    with pytest.raises(ValueError, match="`output_activation` must be one of.*received 'relu'"):
        generator(output_activation="relu")
    with pytest.raises(ValueError, match="`noise` must be one of"):
        generator(noise="off")
    with pytest.raises(ValueError, match="`depth` must be an integer of at least 0, received -1"):
        mapping_network(depth=-1)
    with pytest.raises(ValueError, match="`depth` must be positive.*style_dim=3"):
        mapping_network(2, 3, depth=0)
