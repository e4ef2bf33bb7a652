"""Pictures of reconstructions as training goes on."""

import numpy as np
import PIL.Image
import pytest

from kgen import models
from kgen.callbacks import DivergedError, ReconstructionGrid
from tests.recycling import recycled, state_of
from tests.systems import SYSTEMS, code_networks, denoising_autoencoder


def autoencoder():
    return models.Autoencoder(*code_networks(), reconstruction="bernoulli")


def compiled(make):
    def make_compiled():
        model = make()
        model.compile("adam", run_eagerly=True)
        return model

    return recycled(("reconstruction_grid", make.__name__), make_compiled)


def images():
    return SYSTEMS["autoencoder"].images()


@pytest.mark.parametrize(("make", "columns"), [(autoencoder, 2), (denoising_autoencoder, 3)])
def test_shows_images_and_reconstructions_without_touching_the_training(tmp_path, make, columns):
    states = []
    for callbacks in ([], [ReconstructionGrid(tmp_path, images()[:4], every=2)]):
        model = compiled(make)
        model.fit(images(), batch_size=8, epochs=3, verbose=0, callbacks=callbacks)
        states.append(state_of(model))
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == [f"step-{step:06d}.png" for step in (0, 2, 3)]
    with PIL.Image.open(tmp_path / found[0]) as picture:
        width, height = picture.size
        assert width / height == pytest.approx((columns * 9 + 1) / (4 * 9 + 1))


def test_refuses_bad_images_and_ends_what_has_diverged(tmp_path):
    with pytest.raises(ValueError, match="inputs: expected"):
        ReconstructionGrid(tmp_path, np.zeros((0, 8, 8, 1)))
    model = compiled(autoencoder)
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(DivergedError, match="not finite after round 0"):
        model.fit(images(), verbose=0, callbacks=[ReconstructionGrid(tmp_path, images())])
