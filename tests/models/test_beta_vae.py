"""The beta-VAE: its loss, and its capacity, which goes by rounds and nothing else."""

import contextlib

import keras
import numpy as np
import pytest

from kgen import distribution, models, networks
from tests.systems import CLASSES, SHAPE, SYSTEMS

BATCH = SYSTEMS["beta_vae"].batch()


def made(**arguments):
    keras.utils.set_random_seed(0)
    return models.BetaVAE(
        networks.dense_encoder(SHAPE, 3, hidden_layers=0),
        networks.dense_decoder(SHAPE, 3, hidden_layers=0),
        **arguments,
    )


def trained(rounds, **arguments):
    model = made(**arguments)
    model.compile(keras.optimizers.SGD(1e-3), run_eagerly=True)  # Tracing takes longer.
    fit(model, rounds)
    return model


def fit(model, rounds):
    images = np.tile(BATCH, (rounds, 1, 1, 1))
    return model.fit(images, batch_size=len(BATCH), shuffle=False, verbose=0).history


def test_without_a_capacity_it_is_the_vae_of_that_beta():
    plain = models.VAE(
        networks.dense_encoder(SHAPE, 3, hidden_layers=0),
        networks.dense_decoder(SHAPE, 3, hidden_layers=0),
        beta=7.0,
        seed=1,
    )
    model = made(beta=7.0, seed=1)
    model.set_weights(plain.get_weights())
    loss, parts = model.negative_bound(BATCH, training=False)
    expected, of_plain = plain.negative_bound(BATCH, training=False)
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)
    assert float(parts["kl"]) == pytest.approx(float(of_plain["kl"])) and parts["capacity"] == 0.0


# A graph whose capacity rises is that of the last training below, and tests/test_systems.py's.
@pytest.mark.parametrize(
    "mode",
    [
        {"run_eagerly": True},
        pytest.param({"jit_compile": False}, marks=pytest.mark.slow),
        pytest.param({"jit_compile": True}, marks=pytest.mark.slow),
    ],
)
def test_the_loss_is_that_of_the_paper_and_the_capacity_rises_linearly_and_stays(mode):
    model = made(beta=5.0, capacity=6.0, capacity_rounds=3)
    model.compile(keras.optimizers.SGD(1e-3), **mode)
    for round_number in range(5):
        capacity = 6.0 * min(round_number / 3, 1.0)
        assert float(model.capacity_now()) == pytest.approx(capacity)
        logs = {name: values[0] for name, values in fit(model, 1).items()}
        assert logs["capacity"] == pytest.approx(capacity)
        expected = logs["reconstruction"] + 5.0 * abs(logs["kl"] - capacity)
        assert logs["loss"] == pytest.approx(expected, rel=1e-5)


def test_replicas_hold_their_common_divergence_against_the_capacity():
    """Also where that of one lies below it, and that of the other above."""
    images = np.concatenate([np.zeros((4, *SHAPE)), BATCH[:4]]).astype("float32")

    def with_capacity(capacity):
        model = made(beta=10.0, capacity=capacity, capacity_rounds=1, seed=1)
        model.set_weights([4.0 * weight for weight in model.get_weights()])
        model.compile(keras.optimizers.SGD(1e-3), run_eagerly=True)
        return model

    model = with_capacity(0.0)
    halves = np.split(images, 2)
    low, high = sorted(float(model.negative_bound(half, False)[1]["kl"]) for half in halves)
    assert high > 1.5 * low
    capacity = 0.5 * (low + high)
    found = []
    for scope in (contextlib.nullcontext(), distribution.strategy("mirrored").scope()):
        with scope:
            model = with_capacity(capacity)
        model.optimizer.iterations.assign(1)  # In the first round the capacity is 0 yet.
        logs = model.fit(images, batch_size=8, shuffle=False, verbose=0)
        found.append((logs.history["loss"][0], model.get_weights()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for one, two in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


def test_evaluation_has_the_capacity_of_the_round_and_does_not_move_it():
    model = trained(1, capacity=8.0, capacity_rounds=2)
    for _ in range(2):
        logs = model.evaluate(BATCH, batch_size=8, verbose=0, return_dict=True)
        assert logs["capacity"] == 4.0
    assert float(model.capacity_now()) == 4.0


def test_a_loaded_model_goes_on_with_its_capacity(tmp_path):
    model = trained(1, capacity=8.0, capacity_rounds=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.capacity_now()) == 4.0
    assert fit(loaded, 1) == fit(model, 1)


def test_latents_come_to_say_what_they_may():
    model = made(beta=100.0, capacity=3.0, capacity_rounds=100)
    model.compile(keras.optimizers.Adam(1e-2), steps_per_execution=50)
    fit(model, 300)
    logs = model.evaluate(BATCH, batch_size=8, verbose=0, return_dict=True)
    assert logs["kl"] == pytest.approx(3.0, abs=0.2)


def test_it_can_be_conditional():
    model = models.BetaVAE(
        networks.dense_encoder(SHAPE, 3, 8, classes=CLASSES),
        networks.dense_decoder(SHAPE, 3, 8, classes=CLASSES),
    )
    assert model.sample(2, labels=[0, 1]).shape == (2, *SHAPE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beta": -1.0}, "`beta`.*-1.0"),
        ({"capacity": -1.0}, "`capacity` must be a number of at least 0, received -1.0"),
        ({"capacity_rounds": 0}, "`capacity_rounds` must be a positive integer, received 0"),
        ({"capacity_rounds": True}, "`capacity_rounds` must be a positive integer, received True"),
        ({"beta": float("inf")}, "`beta` must be a number of at least 0, received inf"),
        ({"importance_samples": 5}, "`importance_samples` must not be given.*5"),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        made(**arguments)
