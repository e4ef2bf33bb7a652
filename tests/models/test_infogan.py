"""InfoGAN: the bound of the mutual information, codes and their rows."""

import functools

import keras
import numpy as np
import pytest

from kgen import models, networks
from tests.systems import SHAPE, SYSTEMS

IMAGES = SYSTEMS["infogan"].batch()
CODES = {"categories": [3, 2], "continuous": 1}


@functools.cache  # No test changes it.
def made():
    keras.utils.set_random_seed(0)
    return SYSTEMS["infogan"].make()


def made_with(**arguments):
    return models.InfoGAN(made().generator, made().discriminator, **arguments)


def test_the_bound_is_the_paper_s():
    """E log Q(c|x) + H(c), of two categorical codes and a continuous one."""
    model = made()
    _, fakes, codes = (np.asarray(x) for x in model.prepare(IMAGES, training=False))
    head = np.asarray(model.discriminator(fakes, training=False)[1], "float64")
    categorical = np.log(3.0) + np.log(2.0)
    for start, size in ((0, 3), (3, 2)):
        part = head[:, start : start + size]
        log_q = part - np.log(np.exp(part).sum(1, keepdims=True))
        categorical += np.mean((codes[:, start : start + size] * log_q).sum(1))
    log_q = -0.5 * (codes[:, 5] - head[:, 5]) ** 2 - 0.5 * np.log(2 * np.pi)
    continuous = np.mean(log_q) + np.log(2.0)
    for loss in (model.discriminator_loss, model.generator_loss):
        _, components = loss((IMAGES, fakes, codes), training=False)
        assert float(components["categorical"]) == pytest.approx(categorical, rel=1e-5, abs=1e-6)
        assert float(components["continuous"]) == pytest.approx(continuous, rel=1e-5)
    logits = np.asarray(model.discriminator(fakes, training=False)[0])
    loss, _ = model.generator_loss((IMAGES, fakes, codes), training=False)
    expected = np.mean(np.logaddexp(0, -logits)) - categorical - 0.1 * continuous
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_who_knows_the_code_has_all_of_its_information():
    model = made()
    codes = model.latents(64, seed=0)[:, -model.code_width :]
    _, components = model.head_loss([codes], 50.0 * codes)
    assert float(components["categorical"]) == pytest.approx(np.log(6.0), abs=1e-4)
    _, components = model.head_loss([codes], 0.0 * codes)  # Who knows nothing has none.
    assert float(components["categorical"]) == pytest.approx(0.0, abs=1e-5)


def test_rows_hold_noise_and_codes():
    model = made()
    rows = model.latents(600, seed=0)
    noise, first, second, continuous = np.split(rows, [4, 7, 9], axis=1)
    assert abs(noise.mean()) < 0.1 and abs(noise.std() - 1.0) < 0.1
    for code in (first, second):
        assert set(np.unique(code)) == {0.0, 1.0} and (code.sum(1) == 1.0).all()
        assert code.mean(0) == pytest.approx(1.0 / code.shape[1], abs=0.08)
    assert -1.0 <= continuous.min() < -0.9 and 0.9 < continuous.max() <= 1.0
    np.testing.assert_array_equal(
        model.latents(3, 0, labels=[2, 0, 1])[:, 4:7], np.eye(3)[[2, 0, 1]]
    )


def test_the_noise_can_have_less_to_say():
    model = made_with(categories=[3, 2], continuous=1, noise_scale=0.1)
    rows = model.latents(9, 0)
    given = np.concatenate([0.1 * rows[:, :4], rows[:, 4:9], 0.1 * rows[:, 9:]], axis=1)
    np.testing.assert_allclose(
        model.decode(rows), model.generator(given, training=False), atol=1e-6
    )


def test_with_code_changes_one_code():
    model = made()
    rows = model.latents(4, seed=0)
    changed = model.with_code(rows, 1, [0, 1, 0, 1])
    np.testing.assert_array_equal(changed[:, 7:9], np.eye(2)[[0, 1, 0, 1]])
    np.testing.assert_array_equal(np.delete(changed, [7, 8], 1), np.delete(rows, [7, 8], 1))
    np.testing.assert_array_equal(model.with_code(rows, 2, 0.5)[:, 9], [0.5] * 4)
    for code, value, message in (
        (3, 0.0, "`code` must be from 0 to 2"),
        (0, 3, "`value` must be an integer from 0 to 2, or one a row, received 3"),
        (0, 0.5, "`value`.*received 0.5"),
        (0, [0, 1], "`value`.*received"),
    ):
        with pytest.raises(ValueError, match=message):
            model.with_code(rows, code, value)


def test_encode_says_what_is_seen():
    codes = made().encode(IMAGES)
    assert codes.shape == (8, 6)
    np.testing.assert_allclose(codes[:, :3].sum(1), 1.0, atol=1e-5)
    np.testing.assert_allclose(codes[:, 3:5].sum(1), 1.0, atol=1e-5)


def test_codes_of_one_kind_alone():
    generator = networks.dense_generator(SHAPE, 6, 4)
    discriminator = networks.dense_discriminator(SHAPE, 2, 2, classes=2, condition="auxiliary")
    model = models.InfoGAN(generator, discriminator, categories=[], continuous=2)
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    assert "generator_categorical" not in model.fit(IMAGES, verbose=0).history
    with pytest.raises(ValueError, match="`labels` must be None"):
        model.sample(2, labels=0)
    model = models.InfoGAN(generator, discriminator, categories=[2], continuous=0)
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    assert "generator_continuous" not in model.fit(IMAGES, verbose=0).history


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"categories": [1]}, "`categories` must be a list of integers of at least 2"),
        ({"categories": 10}, "`categories` must be a list"),
        ({"continuous": -1}, "`continuous` must be"),
        ({"categories": [], "continuous": 0}, "at least one code"),
        ({"categories": [10]}, r"`generator` must take one row of noise and 12 codes"),
        ({"categories": [4], "continuous": 1}, r"`discriminator` must .*return .* being \(5,\)"),
        ({**CODES, "categorical_weight": -1.0}, "`categorical_weight` must be a number"),
        ({**CODES, "continuous_weight": "much"}, "`continuous_weight` must be a number"),
        ({**CODES, "noise_scale": float("nan")}, "`noise_scale` must be a number"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        made_with(**arguments)
