import keras
import numpy as np
import pytest

from tests.callbacks.tiny import in_order, tiny_gan
from tests.systems import SYSTEMS


def diverging(make=tiny_gan):
    """One whose first round ends beyond all numbers."""
    model = make()
    model.compile(keras.optimizers.SGD(1e30), run_eagerly=True)
    return model


@pytest.mark.parametrize("as_list_of_keras", [False, True])
def test_a_training_of_several_players_ends_where_a_loss_is_no_number(as_list_of_keras):
    model, callbacks = diverging(), [keras.callbacks.TerminateOnNaN()]
    if as_list_of_keras:
        callbacks = keras.callbacks.CallbackList(callbacks, add_history=True, model=model)
    model.fit(in_order(160, 8), epochs=3, verbose=0, callbacks=callbacks)
    assert model.rounds_played < 20


def test_it_raises_where_it_is_asked_to():
    callback = keras.callbacks.TerminateOnNaN(raise_error=True)
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered"):
        diverging().fit(in_order(160, 8), verbose=0, callbacks=[callback])


def test_a_training_that_is_well_goes_on():
    model = tiny_gan()
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    model.fit(in_order(32, 8), verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert model.rounds_played == 4


def test_one_player_is_seen_by_keras_itself():
    model = diverging(SYSTEMS["denoising_autoencoder"].make)
    images = np.concatenate([SYSTEMS["denoising_autoencoder"].images()] * 20)
    model.fit(images, batch_size=8, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert model.rounds_played < 20
