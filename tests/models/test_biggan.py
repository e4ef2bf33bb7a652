"""BigGAN and SAGAN: the orthogonal regularisation, truncated sampling, and what they fix."""

import functools

import keras
import numpy as np
import pytest
import scipy.stats
from keras import ops

from kgen import models, networks
from kgen.losses import hinge_discriminator_loss, wasserstein_generator_loss
from kgen.models.biggan import squared_correlations, truncated
from tests.systems import CLASSES, SHAPE, SYSTEMS

BATCH = SYSTEMS["biggan"].batch()


@functools.cache  # No test changes one.
def made(name="biggan"):
    keras.utils.set_random_seed(0)
    return SYSTEMS[name].make()


@functools.cache
def untrained(dimensions=4):
    return with_noise(dimensions)


def with_noise(dimensions=4, **arguments):
    """Networks that cost nothing, for what concerns the latents alone."""
    generator = networks.dense_generator(SHAPE, dimensions, units=8, classes=CLASSES)
    generator.set_weights([10.0 * weight for weight in generator.get_weights()])
    return models.BigGAN(
        generator,
        networks.dense_discriminator(SHAPE, 2, 2, classes=CLASSES, condition="projection"),
        **arguments,
    )


# ---------------------------------------------------------------- orthogonality


@pytest.mark.parametrize("shape", [(3, 3, 4, 5), (2, 7), (6, 1)])
def test_squared_correlations_are_equation_3(shape):
    kernel = np.random.default_rng(0).normal(size=shape).astype("float32")
    filters = kernel.reshape(-1, shape[-1]).T.astype("float64")
    expected = sum(
        np.dot(one, other) ** 2
        for i, one in enumerate(filters)
        for j, other in enumerate(filters)
        if i != j
    )
    assert float(squared_correlations(kernel)) == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_orthogonal_filters_of_any_length_cost_nothing():
    filters = np.linalg.qr(np.random.default_rng(0).normal(size=(18, 4)))[0] * [0.1, 1, 2, 30]
    kernel = filters.reshape(3, 3, 2, 4).astype("float32")
    assert float(squared_correlations(kernel)) == pytest.approx(0.0, abs=1e-6)


def test_the_generator_s_loss_has_all_its_kernels_but_the_shared_embedding():
    model = made()
    data = model.prepare(BATCH, training=False)
    loss, components = model.generator_loss(data, training=False)
    expected, left_out = 0.0, 0
    for variable in model.generator.trainable_variables:
        if "shared_embedding" in variable.path:
            left_out += 1
        elif variable.path.endswith("kernel"):
            columns = variable.numpy().reshape(-1, variable.shape[-1])
            products = columns.T @ columns
            expected += np.sum(products**2) - np.sum(np.diag(products) ** 2)
    assert left_out == 1
    assert float(components["orthogonality"]) == pytest.approx(expected, rel=1e-4)
    plain = models.SAGAN.generator_loss(model, data, training=False)[0]
    assert float(loss - plain) == pytest.approx(1e-2 * expected, rel=1e-3)  # The row's weight.


def test_the_discriminator_s_loss_and_logs_have_none_of_it():
    model = with_noise(discriminator_updates=1)
    assert [p.components for p in model.players] == [(), ("orthogonality",)]
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    images, labels = BATCH
    history = model.fit(images, labels, batch_size=8, verbose=0).history
    names = {"discriminator_loss", "generator_loss", "generator_orthogonality"}
    assert set(history) == names == set(model.evaluate(images, labels, 8, return_dict=True))


def test_without_weight_there_is_no_term():
    model = with_noise(orthogonal_weight=0)
    assert model.players[1].components == ()
    data = model.prepare(BATCH, training=False)
    loss, components = model.generator_loss(data, training=False)
    fakes, labels = data[1:]
    expected = wasserstein_generator_loss(model.discriminator([fakes, labels]))
    assert components == {} and float(loss) == pytest.approx(float(expected))


def test_it_makes_filters_orthogonal():
    keras.utils.set_random_seed(0)
    model = with_noise(orthogonal_weight=1.0, discriminator_updates=1)
    adam = {"generator": keras.optimizers.Adam(5e-2), "discriminator": keras.optimizers.SGD(1e-3)}
    model.compile(adam, run_eagerly=True)
    history = model.fit(*BATCH, batch_size=8, epochs=7, verbose=0).history
    before, *_, after = history["generator_orthogonality"]
    assert after < 0.2 * before


# ---------------------------------------------------------------- truncation


@pytest.mark.parametrize("limit", [0.04, 0.5, 2.0, 6.0])
def test_truncated_rows_have_the_truncated_normal_s_distribution(limit):
    rows = untrained(50).latents(200, seed=0, labels=0, truncation=limit)[:, :-CLASSES]
    assert np.abs(rows).max() <= limit * (1.0 + 1e-6)
    found = scipy.stats.kstest(rows.ravel(), scipy.stats.truncnorm(-limit, limit).cdf)
    assert found.pvalue > 0.01


@pytest.mark.parametrize("limit", [0.04, 1.0, 3.0])
def test_an_entry_keeps_its_rank(limit):
    normal = np.concatenate([np.linspace(-5.0, 5.0, 101), [0.0]]).astype("float32")
    ranks = scipy.stats.norm.cdf(normal.astype("float64"))
    expected = scipy.stats.truncnorm(-limit, limit).ppf(ranks)
    np.testing.assert_allclose(truncated(normal, limit), expected, rtol=1e-5, atol=1e-6)


def test_rows_of_all_truncations_correspond():
    model = untrained()
    free, wide, narrow = (model.latents(40, seed=3, truncation=t) for t in (None, 2.0, 0.1))
    labels = slice(-CLASSES, None)
    np.testing.assert_array_equal(free[:, labels], narrow[:, labels])
    order = np.argsort(free[:, :4], axis=None)
    for rows in (wide, narrow):
        np.testing.assert_array_equal(np.argsort(rows[:, :4], axis=None), order)
    np.testing.assert_allclose(model.latents(40, 3, truncation=9.0), free, atol=1e-5)
    np.testing.assert_allclose(model.latents(40, 3, truncation=np.inf), free, atol=1e-5)
    assert narrow.dtype == free.dtype == np.float32


def test_a_seed_decides_truncated_samples():
    model = untrained()
    options = {"truncation": 0.5, "labels": [2, 0, 1, 1, 2]}
    images = model.sample(5, seed=7, **options)
    np.testing.assert_array_equal(images, model.sample(5, seed=7, **options))
    np.testing.assert_allclose(images, model.sample(5, 7, batch_size=2, **options), atol=1e-6)
    first = model.sample(2, seed=7, truncation=0.5, labels=[2, 0])
    np.testing.assert_allclose(images[:2], first, atol=1e-6)
    assert not np.allclose(images, model.sample(5, seed=8, **options))
    assert not np.allclose(images, model.sample(5, seed=7, labels=options["labels"]))
    np.testing.assert_allclose(images, model.decode(model.latents(5, 7, **options)), atol=1e-6)


def test_small_truncation_makes_images_of_a_class_alike():
    model = untrained()
    free, narrow = (model.sample(32, 0, labels=1, truncation=t).std(0).mean() for t in (None, 0.04))
    assert narrow < 0.1 * free


@pytest.mark.parametrize("truncation", [0, -1.0, float("nan"), "0.5", True, [0.5]])
def test_a_truncation_must_be_a_positive_number(truncation):
    for ask in (untrained().latents, untrained().sample):
        with pytest.raises(ValueError, match="`truncation` must be a positive number"):
            ask(2, seed=0, truncation=truncation)


# ---------------------------------------------------------------- what both are


@pytest.mark.parametrize("name", ["biggan", "sagan"])
def test_the_losses_are_the_hinge_of_a_projection(name):
    model = made(name)
    data = [ops.convert_to_tensor(x) for x in model.prepare(BATCH, training=False)]
    real, fake = (np.asarray(model.discriminator([x, data[2]])) for x in data[:2])
    loss, _ = model.discriminator_loss(data, training=False)
    expected = np.mean(np.maximum(0, 1 - real)) + np.mean(np.maximum(0, 1 + fake))
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert float(loss) == pytest.approx(float(hinge_discriminator_loss(real, fake)), rel=1e-5)
    loss, components = model.generator_loss(data, training=False)
    regularisation = model.orthogonal_weight * components["orthogonality"] if components else 0.0
    assert float(loss - regularisation) == pytest.approx(-np.mean(fake), abs=1e-5)
    assert model.latent_distribution == "normal" and model.classes == CLASSES


def test_configs_hold_what_they_take_and_no_more():
    model = with_noise(orthogonal_weight=1e-2, ema_momentum=0.9)
    config = model.get_config()
    assert config["orthogonal_weight"] == 1e-2 and config["ema_momentum"] == 0.9
    sagan = models.SAGAN(model.generator, model.discriminator)
    for fixed in ("loss", "condition", "latent_distribution"):
        assert fixed not in config and fixed not in sagan.get_config()
        with pytest.raises(TypeError, match=fixed):
            with_noise(**{fixed: "hinge"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"orthogonal_weight": -1e-4}, "`orthogonal_weight` must be a number of at least 0"),
        ({"discriminator_updates": 0}, "`discriminator_updates` must be a positive integer"),
        ({"ema_momentum": 1.0}, "`ema_momentum` must be None or lie in"),
        ({"augmentation": ["blur"]}, "blur"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        with_noise(**arguments)


def test_networks_must_know_of_labels():
    with pytest.raises(ValueError, match=r"`discriminator` must take \[images, labels\]"):
        models.SAGAN(networks.dense_generator(SHAPE, 4, 2), networks.dense_discriminator(SHAPE, 2))
