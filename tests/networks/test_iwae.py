"""The dense pair of the importance-weighted autoencoder."""

import numpy as np
import pytest

from kgen.networks import iwae_decoder, iwae_encoder


def weights_of(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


def test_sizes_are_those_of_the_paper():
    """Counted by hand: 784 - 200 - 200 - 50 twice, and back."""
    hidden = (784 + 1) * 200 + (200 + 1) * 200
    assert weights_of(iwae_encoder((28, 28, 1))) == hidden + 2 * (200 + 1) * 50
    decoder = iwae_decoder((28, 28, 1))
    assert weights_of(decoder) == (50 + 1) * 200 + (200 + 1) * 200 + (200 + 1) * 784


def test_shapes_follow_the_arguments():
    encoder = iwae_encoder((4, 6, 2), latent_dim=3, units=5)
    assert [output.shape for output in encoder.outputs] == [(None, 3), (None, 3)]
    decoder = iwae_decoder((4, 6, 2), latent_dim=3, units=5)
    assert decoder.input_shape == (None, 3) and decoder.output_shape == (None, 4, 6, 2)


@pytest.mark.parametrize("make", [iwae_encoder, iwae_decoder])
def test_a_shape_that_is_none(make):
    with pytest.raises(ValueError, match=r"`image_shape` must be \(height, width, channels\)"):
        make((28, 28))
