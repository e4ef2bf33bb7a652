"""The spaces of inversion: their penalty, and the way to a model's latents and back."""

import functools

import keras
import numpy as np
import pytest
from scipy import stats

from kgen.latent.spaces import shell_penalty, space_of
from tests.latent.styled import styled
from tests.systems import CLASSES, SYSTEMS


@functools.cache  # No test changes one.
def made(name):
    keras.utils.set_random_seed(0)
    return SYSTEMS[name].make()


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("width", [1, 2, 5, 100])
def test_the_penalty_is_the_density_of_the_length(width):
    rows = normal(20, width)
    found = keras.ops.convert_to_numpy(shell_penalty(rows)) * width
    expected = -stats.chi.logpdf(np.linalg.norm(np.float64(rows), axis=1), width)
    np.testing.assert_allclose(found - found[0], expected - expected[0], atol=2e-4)
    on_shell = np.full((1, width), np.sqrt((width - 1) / width), "float32")
    assert float(shell_penalty(on_shell)[0]) == pytest.approx(0.0, abs=1e-5)
    assert (found >= -1e-4).all() and np.isfinite(shell_penalty(0.0 * rows)).all()


@pytest.mark.parametrize("name", ["dcgan", "vae", "first_gan", "conditional_gan", "infogan"])
def test_latents_are_rows(name):
    model = made(name)
    space = space_of(model, None, seed=0)
    latents = model.latents(5, seed=3)
    rows = space.rows(latents, "start")
    np.testing.assert_array_equal(space.latents(rows), latents)
    np.testing.assert_allclose(space.decode(rows), model.decode(latents), atol=1e-5)
    np.testing.assert_array_equal(space.draw(5, 3), latents)
    assert (np.abs(latents) <= space.limit).all()


def test_what_may_move():
    free = space_of(made("conditional_gan"), "z", 0).free
    assert free.tolist() == [True] * (len(free) - 3) + [False] * 3
    model = made("infogan")
    space = space_of(model, "z", 0)
    codes = sum(model.categories)
    first = len(space.free) - codes - model.continuous
    assert not space.free[first : first + codes].any()
    assert space.free[:first].all() and space.free[first + codes :].all()
    np.testing.assert_array_equal(space.limit[first + codes :], np.ones(model.continuous))
    assert np.isinf(space.limit[:first]).all()
    assert (space_of(made("first_gan"), "z", 0).limit == 1.0).all()


@pytest.mark.parametrize("name", ["w", "w+"])
def test_styles_are_rows_in_units_of_their_deviation(name):
    model = styled(CLASSES)
    space = space_of(model, name, seed=0)
    styles = model.map(model.latents(200, seed=5))
    rows = space.rows(styles, "start")
    assert rows.shape == ((200, 4) if name == "w" else (200, *styles.shape[1:]))
    assert rows.std() == pytest.approx(1.0, abs=0.15) and abs(rows.mean()) < 0.15
    np.testing.assert_allclose(space.latents(rows), styles, atol=1e-5)
    np.testing.assert_allclose(space.rows(styles[:, 0], "start"), rows, atol=1e-5)
    np.testing.assert_allclose(space.decode(rows), model.synthesise(styles), atol=1e-5)
    np.testing.assert_allclose(space.penalty(2.0 * np.ones_like(rows[:3])), [2.0] * 3)  # 2^2 / 2
    drawn = space.draw(3, 5)
    np.testing.assert_array_equal(drawn[0], 0.0 * drawn[0])  # The mean style.
    np.testing.assert_allclose(drawn[1:], rows[:2], atol=1e-5)
    assert space_of(model, None, 0).free.shape == space_of(model, "w", 0).free.shape


@pytest.mark.parametrize(
    ("name", "space", "message"),
    [
        ("dcgan", "w", "space='w' needs a StyleGAN, received GAN"),
        ("dcgan", "x", "`space` must be None or one of .* received 'x'"),
        ("pix2pix", None, "`model` must be able to sample and decode, received Pix2Pix"),
    ],
)
def test_refused(name, space, message):
    with pytest.raises(ValueError, match=message):
        space_of(made(name), space, seed=0)
