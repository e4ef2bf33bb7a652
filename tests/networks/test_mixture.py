"""The pair for points of the plane."""

import numpy as np
import pytest

from kgen.networks import mixture_discriminator, mixture_generator


def weights_of(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


def test_sizes_are_those_of_pacgan():
    """Counted by hand from the paper's layers."""
    generator = mixture_generator()
    hidden = 2 * 400 + 3 * 400 * 400 + 4 * 2 * 400  # No bias; batch norm's scale and offset.
    assert weights_of(generator) == hidden + 400 * 2 + 2
    discriminator = mixture_discriminator()
    hidden = (2 + 1) * 1000 + 2 * (200 + 1) * 1000
    assert weights_of(discriminator) == hidden + 200 + 1


def test_shapes_follow_the_arguments():
    generator = mixture_generator(dimensions=3, latent_dim=5, units=7, hidden_layers=1)
    assert generator.input_shape == (None, 5) and generator.output_shape == (None, 3)
    discriminator = mixture_discriminator(dimensions=6, units=7, pieces=2, hidden_layers=1)
    assert discriminator.input_shape == (None, 6) and discriminator.output_shape == (None, 1)


def test_points_are_not_bounded():
    """A linear output: its last layer's bias moves the points anywhere."""
    generator = mixture_generator(units=4)
    kernel, bias = generator.layers[-2].get_weights()
    generator.layers[-2].set_weights([kernel, np.add(bias, [70.0, -40.0])])
    points = generator.predict(np.zeros((1, 2)), verbose=0)
    np.testing.assert_allclose(points, [[70.0, -40.0]], atol=1e-4)


def test_no_norm_has_offsets_instead():
    generator = mixture_generator(units=7, hidden_layers=2, normalization=None)
    assert weights_of(generator) == (2 + 1) * 7 + (7 + 1) * 7 + (7 + 1) * 2
    with pytest.raises(ValueError, match="`normalization` must be .* received 'layer'"):
        mixture_generator(normalization="layer")


def test_pieces_of_the_plane_begin_everywhere():
    """The logits bend along lines through the points, not only at the origin."""
    line = np.linspace(-4.0, 4.0, 801)[:, None] * np.array([[1.0, 0.3]])
    logits = mixture_discriminator(units=16).predict(line, verbose=0, batch_size=801)[:, 0]
    bends = np.flatnonzero(np.abs(np.diff(logits, 2)) > 1e-4)
    assert len(bends) > 10 and np.std(line[bends, 0]) > 0.5


@pytest.mark.parametrize("make", [mixture_generator, mixture_discriminator])
@pytest.mark.parametrize("argument", ["dimensions", "units", "hidden_layers"])
@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_sizes_must_be_positive_integers(make, argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be a positive integer, received"):
        make(**{argument: value})
