"""The generator's moving average: its warm-up, its beginning, and its batch norms' moments."""

import keras
import numpy as np
import pytest

from kgen import models
from tests.callbacks.tiny import tiny_critic, tiny_gan, tiny_generator
from tests.systems import SYSTEMS

IMAGES = SYSTEMS["wgan_gp"].images()


def compiled(model):
    model.compile(keras.optimizers.Adam(), run_eagerly=True)
    return model


def normed_gan(**arguments):
    """One whose generator has a batch norm."""
    norm = [keras.layers.Dense(3, name="before"), keras.layers.BatchNormalization(name="norm")]
    model = models.GAN(tiny_generator(norm), tiny_critic(), ema_momentum=0.9, **arguments)
    return compiled(model)


def train(model, rounds=1, **arguments):
    model.fit(np.concatenate([IMAGES] * rounds), batch_size=8, verbose=0, **arguments)
    return model


def assert_same(one, other, **tolerance):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, **({"rtol": 0.0} | tolerance))


# ---------------------------------------------------------------- its recursion


def test_it_follows_by_a_momentum_that_grows():
    """The recursion over the weights that each round leaves; samples are made by it."""
    model = compiled(tiny_gan(ema_momentum=0.25))
    expected, live = model.generator.get_weights(), []
    record = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: live.append(model.generator.get_weights())
    )
    train(model, 4, callbacks=[record])
    # (1 + t) / (10 + t) is 1/10, 2/11, 3/12 and 4/13, of which the last is above 0.25.
    for momentum, weights_of_round in zip([0.1, 2 / 11, 0.25, 0.25], live, strict=True):
        pairs = zip(expected, weights_of_round, strict=True)
        expected = [momentum * mean + (1.0 - momentum) * weight for mean, weight in pairs]
    assert_same(model.generator_average.get_weights(), expected, atol=1e-6)
    latents, images = model.latents(2, seed=0), model.sample(2, seed=0)
    network = keras.models.clone_model(model.generator)
    network.set_weights(expected)
    np.testing.assert_allclose(images, network(latents), atol=1e-5)
    assert not np.allclose(images, model.generator(latents), atol=1e-4)


def test_a_long_average_of_a_short_training_is_no_average_of_the_start():
    model = train(compiled(tiny_gan(ema_momentum=0.9999)), 30)
    start = compiled(tiny_gan(ema_momentum=0.9999)).generator.get_weights()
    live, average = model.generator.get_weights(), model.generator_average.get_weights()
    far, near = (np.linalg.norm(live[0] - other[0]) for other in (start, average))
    assert near < 0.4 * far


def test_the_count_of_its_rounds_outlives_a_new_compile(tmp_path):
    model = train(compiled(tiny_gan(ema_momentum=0.9)), 3)
    compiled(model)
    train(model, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert int(loaded.averaged_rounds) == 5


# ---------------------------------------------------------------- its beginning


def other_weights(network):
    return [weight + 1.0 for weight in network.get_weights()]


@pytest.mark.parametrize("by", ["set_weights", "load_weights", "assign"])
def test_weights_given_to_the_generator_are_what_the_average_begins_with(by, tmp_path):
    model, given = compiled(tiny_gan(ema_momentum=0.9)), tiny_generator()
    given.set_weights(other_weights(model.generator))
    expected = given(model.latents(3, seed=0))
    model.sample(2)  # Of the random network.
    if by == "set_weights":
        model.generator.set_weights(given.get_weights())
    elif by == "load_weights":
        given.save_weights(tmp_path / "generator.weights.h5")
        model.generator.load_weights(tmp_path / "generator.weights.h5")
    else:
        for variable, value in zip(model.generator.weights, given.weights, strict=True):
            variable.assign(value)
    np.testing.assert_array_equal(model.sample(3, seed=0), expected)
    np.testing.assert_array_equal(model.predict(model.latents(3, seed=0), verbose=0), expected)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.sample(3, seed=0), expected)

    start = model.generator.get_weights()
    train(model)
    pairs = zip(start, model.generator.get_weights(), strict=True)
    mixed = [0.1 * before + 0.9 * after for before, after in pairs]
    assert_same(model.generator_average.get_weights(), mixed, atol=1e-6)


def test_weights_given_to_a_loaded_model_before_its_first_round(tmp_path):
    compiled(tiny_gan(ema_momentum=0.9)).save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    model.generator.set_weights(other_weights(model.generator))
    np.testing.assert_array_equal(
        model.sample(3, seed=0), model.generator(model.latents(3, seed=0))
    )


def test_an_average_that_was_given_weights_keeps_them():
    model = compiled(tiny_gan(ema_momentum=0.9))
    model.generator.set_weights(other_weights(model.generator))
    mine = [weight - 1.0 for weight in model.generator.get_weights()]
    model.generator_average.set_weights(mine)
    model.sample(1)
    assert_same(model.generator_average.get_weights(), mine, atol=0.0)


def test_a_round_played_by_hand_begins_the_average_too():
    model = compiled(tiny_gan(ema_momentum=0.9))
    model.generator.set_weights(other_weights(model.generator))
    start = model.generator.get_weights()
    model.train_on_batch(IMAGES)
    pairs = zip(start, model.generator.get_weights(), strict=True)
    mixed = [0.1 * before + 0.9 * after for before, after in pairs]
    assert_same(model.generator_average.get_weights(), mixed, atol=1e-6)


# ---------------------------------------------------------------- raw weights


def test_raw_weights_are_those_of_the_generator():
    model = train(compiled(tiny_gan(ema_momentum=0.9)), 3)
    latents = model.latents(3, seed=0)
    raw, averaged = model.generator(latents), model.generator_average(latents)
    assert not np.allclose(raw, averaged)
    for _ in range(2):  # Graphs of both are kept.
        np.testing.assert_allclose(model.decode(latents, raw=True), raw, atol=1e-6)
        np.testing.assert_allclose(model.sample(3, seed=0), averaged, atol=1e-6)
        np.testing.assert_allclose(model.sample(3, seed=0, raw=True), raw, atol=1e-6)
        with model.raw_weights():
            assert model.sampling_weights == "raw"
            np.testing.assert_allclose(model.decode(latents), raw, atol=1e-6)
            np.testing.assert_allclose(model.predict(latents, verbose=0), raw, atol=1e-6)
        assert model.sampling_weights == "averaged"
        np.testing.assert_allclose(model.predict(latents, verbose=0), averaged, atol=1e-6)
    with pytest.raises(ValueError, match="`raw` must be True or False, received 'yes'"):
        model.sample(1, raw="yes")
    alone = tiny_gan()
    np.testing.assert_array_equal(alone.sample(2, seed=0, raw=True), alone.sample(2, seed=0))


@pytest.mark.parametrize("name", ["stylegan", "biggan"])
def test_raw_samples_of_systems_with_a_way_of_their_own(name, monkeypatch):
    monkeypatch.setattr("kgen.core.engine.function", lambda step: step)  # Tracing takes longer.
    model = SYSTEMS[name].make()
    model.averaged_rounds.assign(1)
    for variable in model.generator.trainable_variables:
        variable.assign(variable + 0.1)
    raw, averaged = (model.sample(2, seed=0, raw=value) for value in (True, False))
    assert not np.allclose(raw, averaged)
    model.generator_average.set_weights(model.generator.get_weights())
    np.testing.assert_allclose(model.sample(2, seed=0), raw, atol=1e-6)


# ---------------------------------------------------------------- batch norm


def moments(model):
    norm = model.generator_average.get_layer("norm")
    return norm.moving_mean.numpy(), norm.moving_variance.numpy()


def test_batch_norms_get_the_moments_of_the_averages_own_samples():
    model = train(normed_gan(seed=1), 5)
    states = [state.numpy() for state in model.random_states]
    model.measure_standing_statistics(batches=3, batch_size=4, seed=7)
    assert_same([state.numpy() for state in model.random_states], states)
    # By hand: the mean of three batches' means and variances of what the layer is given.
    from kgen.core import SeededNoise

    kernel, bias = model.generator_average.get_layer("before").get_weights()
    batches = [np.array(SeededNoise(7, part).normal((4, 4))) @ kernel + bias for part in range(3)]
    expected = np.mean([x.mean(axis=0) for x in batches], axis=0)
    assert_same(moments(model)[:1], [expected], atol=1e-5)
    expected = np.mean([x.var(axis=0) for x in batches], axis=0)
    assert_same(moments(model)[1:], [expected], atol=1e-5)
    norm = model.generator_average.get_layer("norm")
    assert norm.momentum == 0.99 and not norm.trainable
    assert not model.generator_average.trainable_variables


def test_they_are_measured_at_the_end_of_fit_and_before_the_average_is_used():
    model, by_hand = train(normed_gan(seed=1), 5), normed_gan(seed=1)
    by_hand.set_weights(model.get_weights())
    by_hand.measure_standing_statistics()
    assert_same(moments(model), moments(by_hand), atol=0.0)
    # What the live weights' moments are is far from it.
    live = model.generator.get_layer("norm").moving_mean.numpy()
    assert not np.allclose(moments(model)[0], live, atol=1e-3)

    model.train_on_batch(IMAGES)
    assert_same(moments(model)[:1], [model.generator.get_layer("norm").moving_mean], atol=0.0)
    before = model.generator.get_weights()
    model.sample(1)
    by_hand.set_weights(model.get_weights())
    by_hand.measure_standing_statistics()
    assert_same(moments(model), moments(by_hand), atol=0.0)
    assert_same(model.generator.get_weights(), before, atol=0.0)


def test_measuring_does_not_change_how_training_goes_on():
    class Sampling(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.sample(1)

    def state(model):
        return [np.array(v) for v in (*model.variables, *model.optimizer.variables)]

    made = [keras.utils.set_random_seed(0) or normed_gan(seed=1) for _ in range(2)]
    undisturbed, disturbed = made
    assert_same(state(train(undisturbed, 3)), state(train(disturbed, 3, callbacks=[Sampling()])))


@pytest.mark.parametrize("argument", ["batches", "batch_size"])
def test_how_much_is_measured_is_checked(argument):
    with pytest.raises(ValueError, match=f"`{argument}` must be a positive integer, received 0"):
        normed_gan().measure_standing_statistics(**{argument: 0})
