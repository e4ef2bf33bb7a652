"""A GAN whose penalty is computed in some rounds only."""

import keras
import numpy as np
import pytest
from keras import ops

from kgen import layers, models
from kgen.core import engine
from tests.callbacks.tiny import tiny_generator
from tests.systems import SHAPE, SYSTEMS, dense_generator, smooth_critic

BATCH = SYSTEMS["dcgan"].batch()


def gan(interval, make_discriminator=smooth_critic, **arguments):
    keras.utils.set_random_seed(0)
    arguments = {"penalty": "r1", "penalty_interval": interval, "seed": 1, **arguments}
    return models.GAN(dense_generator(), make_discriminator(), **arguments)


def compiled(model, **arguments):
    sgd = {name: keras.optimizers.SGD(0.1) for name in ("discriminator", "generator")}
    # Tracing takes longer than a few rounds.
    model.compile(sgd, **{"run_eagerly": True, **arguments})
    return model


def trained(model, rounds):
    """The logs of each round."""
    rows = []
    log = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: rows.append(dict(logs)))
    model.fit(BATCH, batch_size=8, epochs=rounds, shuffle=False, verbose=0, callbacks=[log])
    return rows


def assert_same(model, other, tolerance=0.0):
    pairs = zip(model.variables, other.variables, strict=True)
    for one, two in pairs:
        np.testing.assert_allclose(one, two, tolerance, tolerance, err_msg=one.path)


@pytest.mark.parametrize(
    ("penalty", "eagerly"),
    # What a graph computes is what is computed without one: see the states under XLA, below.
    [("gradient", True), pytest.param("r1", False, marks=pytest.mark.slow)],
)
def test_it_counts_in_the_first_of_every_so_many_rounds(penalty, eagerly):
    """Round by round the weights of models with the whole penalty, three times, or without it."""
    mode = {"run_eagerly": eagerly, "jit_compile": False}
    lazy = compiled(gan(3, penalty=penalty, penalty_weight=2.0), **mode)
    whole = compiled(gan(1, penalty=penalty, penalty_weight=6.0))
    without = compiled(gan(1, penalty=penalty, penalty_weight=0.0))

    def continue_as(twin, weights, state):
        """The logs of a round of another model, from where the first one was."""
        twin.set_weights(weights)
        twin.noise.seed_generator.state.assign(state)
        return trained(twin, 1)[0]

    for number in range(4):
        start = lazy.get_weights(), lazy.noise.seed_generator.state.numpy()
        (log,) = trained(lazy, 1)
        counts = number in (0, 3)
        twin = whole if counts else without
        of_twin = continue_as(twin, *start)
        expected = 3.0 * of_twin["discriminator_penalty"] if counts else 0.0
        assert log["discriminator_penalty"] == pytest.approx(expected, rel=1e-5)
        assert log["discriminator_loss"] == pytest.approx(of_twin["discriminator_loss"], rel=1e-5)
        for found, other in zip(lazy.get_weights(), twin.get_weights(), strict=True):
            np.testing.assert_allclose(found, other, atol=1e-6)
    continue_as(without, *start)
    kernels = [model.discriminator.get_weights()[0] for model in (lazy, without)]
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-3, "a penalty that moves no weight"


def test_the_mean_of_the_log_is_that_of_the_penalty():
    """With a step size of 0, on one batch, in an epoch of two intervals."""
    logs = {}
    for interval in (1, 2):
        model = compiled(gan(interval))
        for optimizer in model.optimizer.optimizers:
            optimizer.learning_rate = 0.0
        images = np.concatenate([BATCH] * 4)
        history = model.fit(images, batch_size=8, shuffle=False, verbose=0).history
        logs[interval] = history["discriminator_penalty"]
    assert logs[2] == pytest.approx(logs[1], rel=1e-5)


def test_every_update_of_a_round_is_treated_alike():
    first, second = trained(compiled(gan(2, discriminator_updates=2)), 2)
    whole = compiled(gan(1, discriminator_updates=2, penalty_weight=20.0))
    (log,) = trained(whole, 1)
    assert first["discriminator_penalty"] == pytest.approx(2.0 * log["discriminator_penalty"])
    assert first["discriminator_loss"] == pytest.approx(log["discriminator_loss"])
    assert second["discriminator_penalty"] == 0.0


@keras.saving.register_keras_serializable("kgen_tests")
class Centred(keras.layers.Layer):
    """Adds its only weight, times the mean of its inputs' squares, to the loss."""

    def build(self, input_shape):
        self.weight = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs):
        self.add_loss(self.weight * ops.mean(ops.square(inputs)))
        return inputs


def stateful_critic():
    """With a layer that moves its state in training, and one that adds to the loss."""
    images = keras.Input(SHAPE)
    x = keras.layers.Flatten()(images)
    x = layers.SpectralNormalization(keras.layers.Dense(16, activation="tanh"))(x)
    x = Centred()(x)
    return keras.Model(images, keras.layers.Dense(1, dtype="float32")(x))


def test_under_xla_and_on_replicas_states_end_where_they_do_without():
    """States that the penalty's call moves, and what layers add to the loss."""

    def made():
        keras.utils.set_random_seed(0)
        arguments = {"penalty": "gradient", "penalty_interval": 2, "penalty_weight": 1.0}
        return models.GAN(tiny_generator(), stateful_critic(), seed=1, **arguments)

    model = compiled(made())
    start = [variable.numpy() for variable in model.variables]
    xla = compiled(made(), run_eagerly=False, jit_compile=True, steps_per_execution=2)
    with engine.mirrored(2).scope():
        replicas = compiled(made())  # Their graphs are those of tests/test_systems.py.
    for one in (model, xla, replicas):
        one.fit(np.concatenate([BATCH] * 2), batch_size=8, shuffle=False, verbose=0)
        assert_same(one, model, 1e-5)
    for old, variable in zip(start, model.variables, strict=True):
        assert variable.ndim == 1 or not np.allclose(old, variable), variable.path


def test_what_layers_add_is_of_the_fakes():
    """And not of the images of the penalty's call, as that may not take place."""
    model = gan(2, stateful_critic)
    data = model.prepare(ops.convert_to_tensor(BATCH), training=True)
    compiled(model).discriminator_loss(data, training=True)
    added = float(model.discriminator.losses[0])
    model.discriminator(data[1], training=False)
    assert added == pytest.approx(float(model.discriminator.losses[0]), rel=0.1)
    model.discriminator(data[0], training=False)
    assert added != pytest.approx(float(model.discriminator.losses[0]), rel=0.2)


def test_a_loaded_model_counts_on(tmp_path):
    """Saved after the first round of two, with a penalty that draws."""
    model = compiled(gan(2, penalty="dragan"))
    trained(model, 1)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.penalty_interval == 2
    logs = trained(model, 2)
    assert trained(loaded, 2) == logs
    assert [log["discriminator_penalty"] > 0.0 for log in logs] == [False, True]
    assert_same(loaded, model)


def test_evaluation_and_a_model_without_optimizers_compute_it_as_it_is():
    lazy, whole = compiled(gan(3)), compiled(gan(1))
    expected = whole.evaluate(BATCH, batch_size=8, verbose=0, return_dict=True)
    for rounds in (0, 1):  # With the penalty and without.
        lazy.optimizer.iterations.assign(rounds)
        found = lazy.evaluate(BATCH, batch_size=8, verbose=0, return_dict=True)
        assert found == pytest.approx(expected, rel=1e-6)
    parts = [
        model.discriminator_loss((ops.convert_to_tensor(BATCH),) * 2, training=True)
        for model in (gan(3), gan(1))
    ]
    assert float(parts[0][0]) == float(parts[1][0])
    assert float(parts[0][1]["penalty"]) == float(parts[1][1]["penalty"]) > 0.0


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(policy):
    keras.config.set_dtype_policy(policy)
    logs = trained(compiled(gan(2)), 3)
    assert np.isfinite([list(log.values()) for log in logs]).all()
    assert [log["discriminator_penalty"] > 0.0 for log in logs] == [True, False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"interval": 0}, "`penalty_interval` must be a positive integer, received 0"),
        ({"interval": 2.0}, "`penalty_interval` must be a positive integer, received 2.0"),
        ({"interval": 2, "penalty": None}, "`penalty_interval` must be 1 without a penalty.*2"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        gan(**arguments)
