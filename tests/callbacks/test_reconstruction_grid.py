"""Pictures of reconstructions as training goes on."""

import numpy as np
import PIL.Image
import pytest

from kgen.callbacks import DivergedError, ReconstructionGrid
from tests.systems import SYSTEMS


@pytest.mark.parametrize(("name", "columns"), [("autoencoder", 2), ("denoising_autoencoder", 3)])
def test_shows_images_and_reconstructions_without_touching_the_training(tmp_path, name, columns):
    images, weights = SYSTEMS[name].images(), []
    for callbacks in ([], [ReconstructionGrid(tmp_path, images[:4], every=2)]):
        model = SYSTEMS[name].make()
        model.random_states[0].assign(np.zeros(2)) if model.random_states else None
        model.set_weights([np.full_like(weight, 0.01) for weight in model.get_weights()])
        model.compile("adam")
        model.fit(images, batch_size=8, epochs=3, verbose=0, callbacks=callbacks)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == [f"step-{step:06d}.png" for step in (0, 2, 3)]
    with PIL.Image.open(tmp_path / found[0]) as picture:
        width, height = picture.size
        assert width / height == pytest.approx((columns * 9 + 1) / (4 * 9 + 1))


def test_refuses_bad_images_and_ends_what_has_diverged(tmp_path):
    with pytest.raises(ValueError, match="inputs: expected"):
        ReconstructionGrid(tmp_path, np.zeros((0, 8, 8, 1)))
    model, images = SYSTEMS["autoencoder"].make(), SYSTEMS["autoencoder"].images()
    model.compile("adam")
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(DivergedError, match="not finite after round 0"):
        model.fit(images, verbose=0, callbacks=[ReconstructionGrid(tmp_path, images)])
