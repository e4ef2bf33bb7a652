"""Which functions TensorFlow warns of, that are traced again and again."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import models
from kgen.core import engine


@pytest.fixture
def warned(caplog):
    """Returns how many warnings there were."""
    return lambda: sum("triggered tf.function retracing" in text for text in caplog.messages)


def test_many_models_are_no_loop_to_be_warned_of(warned):
    images = np.zeros((4, 2, 2, 1), "float32")
    for _ in range(6):
        decoder = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(4), keras.layers.Reshape((2, 2, 1))]
        )
        encoder = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
        model = models.Autoencoder(encoder, decoder)
        model.compile("sgd")
        model.fit(images, batch_size=4, verbose=0)
        model.reconstruct(images)
    assert warned() == 0


def test_functions_of_others_are_warned_of_as_ever(warned):
    for _ in range(6):
        tf.function(lambda x: x + 1.0)(tf.constant(1.0))
    assert warned() > 0


def test_so_are_models_of_others(warned):
    for _ in range(6):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.predict(np.zeros((1, 1)), verbose=0)
    assert warned() > 0


def test_what_others_have_kgen_compile_is_theirs(warned):
    for _ in range(6):
        engine.function(lambda x: x + 1.0)(keras.ops.ones(()))
    assert warned() > 0
