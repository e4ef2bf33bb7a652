"""The learning rate that falls linearly: its values, and that it stays with its player."""

import keras
import numpy as np
import pytest
from keras import ops

import kgen
from tests.callbacks.tiny import tiny_gan
from tests.systems import SYSTEMS


def test_values():
    rate = kgen.LinearDecay(0.2, constant_steps=4, decay_steps=5)
    found = [float(rate(step)) for step in range(12)]
    expected = [0.2] * 5 + [0.16, 0.12, 0.08, 0.04] + [0.0] * 3
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_steps_beyond_what_float32_counts():
    rate = kgen.LinearDecay(1.0, constant_steps=2**24, decay_steps=4)
    found = float(rate(ops.convert_to_tensor(2**24 + 1, dtype="int64")))
    assert found == pytest.approx(0.75)


def test_each_player_has_its_own_and_a_loaded_model_goes_on(tmp_path):
    model, batch = tiny_gan(), SYSTEMS["first_gan"].batch()
    model.compile(
        {
            "discriminator": keras.optimizers.SGD(kgen.LinearDecay(0.1, 1, 4)),
            "generator": keras.optimizers.SGD(kgen.LinearDecay(0.2, 2, 4)),
        },
        run_eagerly=True,  # Tracing it twice would take longer.
    )
    model.fit(np.concatenate([batch] * 3), batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for one in (model, loaded):
        rates = {n: float(o.learning_rate) for n, o in one.optimizer.by_player.items()}
        assert rates == pytest.approx({"discriminator": 0.05, "generator": 0.15})
    loaded.fit(np.concatenate([batch] * 4), batch_size=8, verbose=0)
    before = loaded.get_weights()
    loaded.fit(batch, batch_size=8, verbose=0)
    for old, new in zip(before, loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)  # Both rates have come down to zero.


def test_config():
    rate = kgen.LinearDecay(0.2, 4, 5)
    config = keras.saving.serialize_keras_object(rate)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == rate.get_config()
    assert type(again) is kgen.core.LinearDecay


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1, 1), "`initial_learning_rate` must be a positive number, received 0.0"),
        (("fast", 1, 1), "`initial_learning_rate`.*'fast'"),
        ((0.1, -1, 1), "`constant_steps`.*at least 0, received -1"),
        ((0.1, 1.5, 1), "`constant_steps`.*1.5"),
        ((0.1, 1, 0), "`decay_steps`.*at least 1, received 0"),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        kgen.LinearDecay(*arguments)
