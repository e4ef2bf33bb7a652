"""CycleGAN: its losses against NumPy, a round against a loop by hand, its history."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import layers, models
from kgen.testing.checks import check_two_replicas_match_one
from tests.models.pixelwise import (
    assert_same_weights,
    copy_of,
    descend,
    images,
    judge,
    translator,
)

IMAGES_A, IMAGES_B = images(0, channels=1), images(1, channels=1)


def cyclegan(**kwargs):
    """Generators x -> 0.5 x + 0.1 and x -> -0.8 x + 0.2, discriminators 0.7 x + 0.3, 0.4 x."""
    return models.CycleGAN(
        translator([[0.5]], 0.1),
        translator([[-0.8]], 0.2),
        judge([0.7], bias=0.3),
        judge([0.4]),
        seed=0,
        **kwargs,
    )


def prepared(model, a=IMAGES_A, b=IMAGES_B):
    return model.prepare((tf.constant(a), tf.constant(b)), training=True)


def test_losses_are_those_of_the_paper():
    """Least squares in place of eq. 1, the discriminators' halved; eqs. 2 and 3; identity."""
    model = cyclegan(cycle_weight=7.0, identity_weight=0.5)
    a, b = IMAGES_A.astype("float64"), IMAGES_B.astype("float64")
    fakes_b, fakes_a = 0.5 * a + 0.1, -0.8 * b + 0.2
    objective = ((0.7 * a + 0.3 - 1) ** 2).mean() + ((0.7 * fakes_a + 0.3) ** 2).mean()
    objective += ((0.4 * b - 1) ** 2).mean() + ((0.4 * fakes_b) ** 2).mean()
    found = model.discriminators_loss(prepared(model), training=False)
    np.testing.assert_allclose(found, objective / 2, rtol=1e-5)

    adversarial = ((0.7 * fakes_a + 0.3 - 1) ** 2).mean() + ((0.4 * fakes_b - 1) ** 2).mean()
    cycle = np.abs(-0.8 * fakes_b + 0.2 - a).mean() + np.abs(0.5 * fakes_a + 0.1 - b).mean()
    identity = np.abs(-0.8 * a + 0.2 - a).mean() + np.abs(0.5 * b + 0.1 - b).mean()
    loss, parts = model.generators_loss(prepared(model), training=False)
    np.testing.assert_allclose(parts["adversarial"], adversarial, rtol=1e-5)
    np.testing.assert_allclose(parts["cycle"], cycle, rtol=1e-5)
    np.testing.assert_allclose(parts["identity"], identity, rtol=1e-5)
    np.testing.assert_allclose(loss, adversarial + 7.0 * cycle + 3.5 * identity, rtol=1e-5)


@pytest.mark.parametrize("history_size", [0, 2])
def test_rounds_are_those_of_the_algorithm(history_size):
    """Three rounds of one image a set: both discriminators, then both generators."""
    model = cyclegan(history_size=history_size)
    names = ("generator_ab", "generator_ba", "discriminator_a", "discriminator_b")
    ab, ba, judge_a, judge_b = (copy_of(getattr(model, name)) for name in names)
    histories = [layers.ImageHistory(2, seed=0), layers.ImageHistory(2, seed=1)]
    sgd = {name: keras.optimizers.SGD(0.02) for name in ("discriminators", "generators")}
    model.compile(sgd, run_eagerly=True)  # Tracing takes longer.
    model.fit(IMAGES_A, IMAGES_B, batch_size=1, shuffle=False, verbose=0)

    def mean_square(x):
        return tf.reduce_mean(tf.square(x))

    def distance(x, y):
        return tf.reduce_mean(tf.abs(x - y))

    for a, b in zip(IMAGES_A[:, None], IMAGES_B[:, None], strict=True):
        shown = [ba(b), ab(a)]
        if history_size:
            shown = [h(x, training=True) for h, x in zip(histories, shown, strict=True)]

        def discriminators_loss(a=a, b=b, shown=shown):
            of_a = mean_square(judge_a(a) - 1) + mean_square(judge_a(shown[0]))
            return (of_a + mean_square(judge_b(b) - 1) + mean_square(judge_b(shown[1]))) / 2

        def generators_loss(a=a, b=b):
            adversarial = mean_square(judge_a(ba(b)) - 1) + mean_square(judge_b(ab(a)) - 1)
            cycle = distance(ba(ab(a)), a) + distance(ab(ba(b)), b)
            identity = distance(ba(a), a) + distance(ab(b), b)
            return adversarial + 10.0 * cycle + 5.0 * identity

        descend([judge_a, judge_b], discriminators_loss, 0.02)
        descend([ab, ba], generators_loss, 0.02)
    for name, network in zip(names, (ab, ba, judge_a, judge_b), strict=True):
        assert_same_weights(getattr(model, name), network)


def test_discriminators_are_shown_the_history():
    """Once full it gives images back in place of new ones, to the discriminators alone."""
    model = cyclegan(history_size=3)
    first, second = prepared(model), prepared(model, 0.1 * IMAGES_A, 0.1 * IMAGES_B)
    model.discriminators_loss(first, training=True)
    np.testing.assert_array_equal(model.history_a.images, first[2])
    np.testing.assert_array_equal(model.history_b.images, first[3])
    plain = float(model.discriminators_loss(second, training=False))
    shown = [float(model.discriminators_loss(second, training=True)) for _ in range(5)]
    assert any(abs(value - plain) > 1e-4 for value in shown)
    before = model.history_a.images.numpy()
    model.generators_loss(first, training=True)
    np.testing.assert_array_equal(before, model.history_a.images)


def test_both_histories_draw_differently_and_by_the_seed():
    one, again = cyclegan(), cyclegan()
    draws = [h.noise.uniform((5,)).numpy() for h in (one.history_a, one.history_b)]
    assert np.abs(draws[0] - draws[1]).max() > 0
    np.testing.assert_array_equal(draws[1], again.history_b.noise.uniform((5,)))


def test_the_history_is_saved(tmp_path):
    model = cyclegan(history_size=4)
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    model.fit(IMAGES_A, IMAGES_B, batch_size=3, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert int(loaded.history_a.count) == 3 and loaded.history_size == 4
    np.testing.assert_array_equal(loaded.history_b.images, model.history_b.images)
    assert np.abs(loaded.history_b.images.numpy()[:3]).min() > 0


@pytest.mark.slow  # The table's own, with a history, is a default one of tests/test_systems.py.
def test_without_a_history_two_replicas_match_one():
    batch = images(0, channels=1, count=4), images(1, channels=1, count=4)
    check_two_replicas_match_one(lambda: cyclegan(history_size=0), batch)


def test_translations_go_both_ways():
    model = cyclegan()
    np.testing.assert_allclose(model.translate(IMAGES_A), 0.5 * IMAGES_A + 0.1, atol=1e-6)
    np.testing.assert_allclose(
        model.translate(IMAGES_B, "b_to_a"), -0.8 * IMAGES_B + 0.2, atol=1e-6
    )
    np.testing.assert_allclose(model.predict(IMAGES_A, verbose=0), 0.5 * IMAGES_A + 0.1, atol=1e-6)
    with pytest.raises(ValueError, match="'a_to_b', 'b_to_a'.*'forward'"):
        model.translate(IMAGES_A, "forward")


def test_sets_of_different_shapes():
    """Grey images and coloured ones: there is no identity loss, and each way has its shape."""
    networks = (
        translator(np.ones((1, 3))),
        translator(np.ones((3, 1))),
        judge([1.0]),
        judge([1.0, 1.0, 1.0]),
    )
    with pytest.raises(ValueError, match=r"`identity_weight` must be 0.*\(4, 4, 3\).*0.5"):
        models.CycleGAN(*networks)
    model = models.CycleGAN(*networks, identity_weight=0.0)
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    colours = images(2, channels=3)
    logs = model.fit(IMAGES_A, colours, batch_size=3, verbose=0).history
    expected = {"discriminators_loss", "generators_loss"}
    assert set(logs) == expected | {"generators_adversarial", "generators_cycle"}
    assert model.translation_shape("a_to_b") == (4, 4, 1)
    assert model.translation_shape("b_to_a") == (4, 4, 3)
    with pytest.raises(ValueError, match=r"\(4, 4, 3\), received.*\(3, 4, 4, 1\)"):
        model.fit(IMAGES_A, IMAGES_B, verbose=0)


def test_dropout_in_a_generator_is_noise():
    """It is drawn three times a round: for the fakes of both players, the cycle, the identity."""
    x = inputs = keras.Input((4, 4, 1))
    generator = keras.Model(inputs, layers.Dropout(0.5)(keras.layers.Conv2D(1, 1)(x)))
    model = models.CycleGAN(translator([[1.0]]), generator, judge([1.0]), judge([1.0]))
    assert model.has_translation_noise and not cyclegan().has_translation_noise
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    state = generator.layers[-1].noise.seed_generator.state
    before = state.numpy()
    model.fit(IMAGES_A, IMAGES_B, batch_size=3, verbose=0)
    assert (state.numpy() - before).tolist() == [0, 3]


def test_images_of_any_size_have_no_history():
    def make(**kwargs):
        generators = [translator([[1.0]], shape=(None, None)) for _ in range(2)]
        judges = [judge([1.0], shape=(None, None)) for _ in range(2)]
        return models.CycleGAN(*generators, *judges, **kwargs)

    with pytest.raises(ValueError, match="`history_size` must be 0.*Received 50"):
        make()
    assert make(history_size=0).history_a is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cycle_weight": -1.0}, "`cycle_weight`.*-1.0"),
        ({"identity_weight": "half"}, "`identity_weight`.*'half'"),
        ({"history_size": -1}, "`history_size`.*-1"),
        ({"discriminator_b": judge([1.0, 1.0])}, r"`discriminator_b`.*\(4, 4, 1\), received"),
        ({"generator_ba": translator(np.ones((1, 2)))}, r"`generator_ba` must go back from"),
        ({"generator_ab": judge([1.0], [1.0])}, "`generator_ab` must be a network from an image"),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    networks = {
        "generator_ab": translator([[1.0]]),
        "generator_ba": translator([[1.0]]),
        "discriminator_a": judge([1.0]),
        "discriminator_b": judge([1.0]),
    }
    with pytest.raises(ValueError, match=message):
        models.CycleGAN(**{**networks, **arguments})
